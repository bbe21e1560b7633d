"""What docs/plugins says is run as it stands: its code blocks become plugins, and the tests among them pass."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kernel.cli.main import duka as root

FOLDER = Path("docs/plugins")
TOGETHER = {"tuesdays": ["tuesdays"], "stamps": ["models", "settings", "hooks", "configuration", "ext", "jobs"]}
TOGETHER["stamps"].append("obligations")
BLOCK = re.compile(r"^```python (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UNUSED = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:xdist"]
PYTEST = ["-m", "pytest", "-q", "--import-mode=importlib", "-p", "kernel.testing.fixtures", *UNUSED]
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


def follow(command: list[str], folder: Path) -> str:
    """Run a command as a developer would, who knows nothing of this checkout; returns what it says."""
    ours = ("PYTHON", "PYTEST", "DUKA_", "MAKE", "VIRTUAL_ENV")
    clean = {name: said for name, said in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


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
    assert sum(len(files[name].splitlines()) for name in ("__init__.py", "listeners.py")) <= 25


def commands(page: str) -> list[str]:
    """The commands on a page, without the remarks behind them."""
    found = FENCED.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8"))
    blocks = [text for language, text in found if language in ("", "text", "sh")]
    return [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.mark.prove
def test_the_tutorial_is_followed_by_its_commands_until_its_tests_are_green(tmp_path: Path) -> None:
    said = commands("tuesdays")
    assert said[:3] == ["duka plugin new tuesdays", "cd duka-tuesdays", "make test"]
    duka = str(Path(sys.executable).parent / "duka")
    follow([duka, *said[0].split()[1:]], tmp_path)
    for name, text in written(["tuesdays"]).items():
        path = tmp_path / "duka-tuesdays" / "duka_tuesdays" / name
        assert path.is_file(), f"the kit writes no {name}"
        path.write_text(text, encoding="utf-8")
    told = follow(
        [*said[2].split(), f"DUKA={duka}", "PYTEST_ARGS=-k 'cheaper or anatomy or time'"], tmp_path / "duka-tuesdays"
    )
    assert " passed" in told
    assert "failed" not in told


@pytest.mark.prove
def test_the_plugin_of_the_tutorial_is_graded_a(tmp_path: Path) -> None:
    duka = str(Path(sys.executable).parent / "duka")
    follow([duka, "plugin", "new", "tuesdays"], tmp_path)
    for name, text in written(["tuesdays"]).items():
        (tmp_path / "duka-tuesdays" / "duka_tuesdays" / name).write_text(text, encoding="utf-8")
    assert "Grade A" in follow([duka, "plugin", "check", "."], tmp_path / "duka-tuesdays")


@pytest.mark.parametrize("page", [path.stem for path in FOLDER.glob("*.md")])
def test_every_command_on_the_pages_exists_with_its_options(page: str) -> None:
    for said in commands(page):
        words = [word.replace("…", "x") for word in shlex.split(said)]
        if words[:1] != ["duka"] or "NAME" in said:
            continue
        command: click.Command = root
        rest = words[1:]
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), rest[0])
            assert found is not None, said
            command, rest = found, rest[1:]
        known = {name for one in command.params for name in one.opts}
        assert {word for word in rest if word.startswith("--")} <= known, said


def test_every_page_is_run_or_holds_no_file_of_a_plugin() -> None:
    run_pages = {page for pages in TOGETHER.values() for page in pages}
    for path in FOLDER.glob("*.md"):
        assert path.stem in run_pages or not BLOCK.search(path.read_text(encoding="utf-8")), path
