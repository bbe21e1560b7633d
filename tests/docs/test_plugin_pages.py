"""What docs/plugins says is run as it stands: its code blocks become plugins, and the tests among them pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path("docs/plugins")
TOGETHER = {"tuesdays": ["tuesdays"], "stamps": ["models", "settings", "hooks", "configuration", "ext", "jobs"]}
TOGETHER["stamps"].append("obligations")
BLOCK = re.compile(r"^```python (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTEST = ["-m", "pytest", "-q", "--import-mode=importlib", "-p", "kernel.testing.fixtures", "-p", "no:cacheprovider"]
MODES = "asyncio_mode=auto", "asyncio_default_fixture_loop_scope=session", "asyncio_default_test_loop_scope=session"


def written(pages: list[str]) -> dict[str, str]:
    """File → its text, of the code blocks of some pages in order; blocks of one file follow one another."""
    files: dict[str, str] = {}
    for page in pages:
        for name, text in BLOCK.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8")):
            files[name] = files.get(name, "") + text
    return files


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both plugins are installed, as a path with their metadata."""
    room = tmp_path_factory.mktemp("pages")
    for plugin, pages in TOGETHER.items():
        for name, text in written(pages).items():
            path = room / f"duka_{plugin}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (room / f"duka_{plugin}" / "docs").mkdir()
        (room / f"duka_{plugin}" / "docs" / "index.md").write_text("# What it is for\n", encoding="utf-8")
        told = room / f"duka_{plugin}-0.1.0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: duka-{plugin}\nVersion: 0.1.0\n")
        (told / "entry_points.txt").write_text(f"[duka.plugins]\n{plugin} = duka_{plugin}:PLUGIN\n")
    return room


def run(room: Path, *command: str) -> str:
    """Run Python beside both plugins; returns what it says."""
    path = os.pathsep.join([str(room), str(Path.cwd())])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        cwd=room,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_on_the_pages_pass_on_both_databases(room: Path) -> None:
    tests = [name for pages in TOGETHER.values() for name in written(pages) if name.startswith("tests/")]
    said = run(room, *PYTEST, *(word for mode in MODES for word in ("-o", mode)), ".")
    assert len(tests) >= 7
    assert f"{2 * len(tests)} passed" in said, said


def test_what_the_pages_write_keeps_to_the_anatomy(room: Path) -> None:
    run(room, "-m", "kernel.testing.conformance", *(f"duka_{plugin}" for plugin in TOGETHER))


def test_their_models_and_migrations_agree(room: Path) -> None:
    environment = {"DUKA_HOME": str(room), "DUKA_DATABASE_URL": f"sqlite+aiosqlite:///{room / 'shop.sqlite3'}"}
    with pytest.MonkeyPatch.context() as patch:
        for name, said in environment.items():
            patch.setenv(name, said)
        run(room, "-c", "from kernel.cli import main; main()", "init")
        assert "are fine" in run(room, "-c", "from kernel.cli import main; main()", "check")


def test_a_plugin_that_changes_prices_is_at_most_25_lines() -> None:
    files = written(["tuesdays"])
    lines = [line for name in ("__init__.py", "listeners.py") for line in files[name].splitlines() if line.strip()]
    assert len(lines) <= 25


def test_every_page_is_run_or_holds_no_file_of_a_plugin() -> None:
    run_pages = {page for pages in TOGETHER.values() for page in pages}
    for path in FOLDER.glob("*.md"):
        assert path.stem in run_pages or not BLOCK.search(path.read_text(encoding="utf-8")), path
