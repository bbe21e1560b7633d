"""A release: built, checked, its report beside it, handed to the tool that uploads."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kernel.kit.checking import Report, check
from kernel.kit.environment import build_wheel
from kernel.kit.faults import KitFault


def prepare(project: Path, published: Sequence[Path] = ()) -> tuple[Path, Path, Report]:
    """Build the wheel into `dist/`, check it, and lay the report beside it. published: see `check`. Raises KitFault."""
    wheel = build_wheel(project.resolve(), project.resolve() / "dist")
    report = check(wheel, published)
    beside = wheel.with_suffix(".report.json")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    return wheel, beside, report


def upload_command(wheel: Path) -> list[str]:
    """The command that uploads a wheel."""
    return [sys.executable, "-m", "twine", "upload", str(wheel)]


def can_upload() -> bool:
    """Whether the tool is there."""
    return importlib.util.find_spec("twine") is not None


def upload(wheel: Path) -> None:
    """Upload, with the terminal for whatever is asked. Raises KitFault."""
    if subprocess.run(upload_command(wheel), check=False).returncode:
        raise KitFault("twine did not upload it; what it said stands above")
