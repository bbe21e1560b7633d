"""Browser files of others are what they were when they were taken in."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ["plugins/console/static/vendor", "tests/browser/vendor"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_vendored_file_has_its_lock_and_the_bytes_of_it(folder: str) -> None:
    vendor = ROOT / folder
    locked = tomllib.loads((vendor / "vendor.lock.toml").read_text())["file"]
    assert {one["file"] for one in locked} == {one.name for one in vendor.iterdir()} - {"vendor.lock.toml"}
    for one in locked:
        digest = base64.b64encode(hashlib.sha384((vendor / one["file"]).read_bytes()).digest()).decode()
        assert one["file_integrity"] == f"sha384-{digest}", one["file"]
        assert one["licence"]
        assert one["package_integrity"].startswith("sha512-")
