"""The example of a third party's plugin: built as a wheel, installed beside Duka and nothing else, and used there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kernel.kit.environment import build_wheel, install, make_environment

EXAMPLE = Path(__file__).parents[1] / "examples" / "loyalty"
ASYNC = ["asyncio_mode=auto", "asyncio_default_fixture_loop_scope=session", "asyncio_default_test_loop_scope=session"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel in it."""
    project = tmp_path_factory.mktemp("source") / "loyalty"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    made = make_environment(tmp_path_factory.mktemp("env") / "env")
    install(made, build_wheel(project, tmp_path_factory.mktemp("wheel")))
    return made


@pytest.mark.parametrize(
    "some", [pytest.param(("-k", "not postgresql"), id="sqlite"), pytest.param((), id="all", marks=pytest.mark.prove)]
)
def test_it_keeps_every_rule_and_does_what_it_says(python: Path, tmp_path: Path, some: tuple[str, ...]) -> None:
    """Its own tests, run against the wheel: none of its source is near."""
    shutil.copytree(EXAMPLE / "loyalty" / "tests", tmp_path / "checks", ignore=shutil.ignore_patterns("__pycache__"))
    options = [part for one in ASYNC for part in ("-o", one)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONPATH"))}
    done = subprocess.run(
        [
            python,
            "-m",
            "pytest",
            "-q",
            "--duka",
            "-p",
            "no:cacheprovider",
            "--import-mode=importlib",
            *options,
            *some,
            "checks",
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
