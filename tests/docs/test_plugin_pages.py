"""What docs/plugins says is run as it stands: its code blocks become plugins, and the tests among them pass."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import click
import httpx
import pytest

from kernel.app.demo import PASSWORD, demo_data
from kernel.cli.main import duka as root
from kernel.kit.environment import make_environment
from kernel.testing.served import free_port

FOLDER = Path("docs/plugins")
TOGETHER = {"tuesdays": ["tuesdays"], "stamps": ["models", "settings", "hooks", "configuration", "ext", "jobs"]}
TOGETHER["stamps"].append("obligations")
TOGETHER["labels"] = ["console"]
BLOCK = re.compile(r"^```(?:python|jinja|json) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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
    """A folder in which those plugins are installed, as a path with their metadata."""
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
    """Run Python beside those plugins; returns what it says."""
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
    assert sum(len(files[name].splitlines()) for name in ("__init__.py", "listeners.py")) <= 25


def commands(page: str) -> list[str]:
    """The commands on a page, without the remarks behind them."""
    found = FENCED.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8"))
    blocks = [text for language, text in found if language in ("", "text", "sh")]
    return [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]


class Follower:
    """Somebody who does what a page says, from top to bottom, in an empty folder, with an installed Duka."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.here, self.last = folder, ""
        command = make_environment(folder / "machine").parent
        ours = ("PYTHON", "PYTEST", "DUKA_", "MAKE", "VIRTUAL_ENV")
        clean = {name: said for name, said in os.environ.items() if not name.startswith(ours)}
        self.port = free_port()
        self.environment = clean | {"PATH": f"{command}:{clean['PATH']}", "DUKA_PORT": str(self.port)} | more

    def follow(self, page: str, *, without: Collection[str] = ()) -> list[str]:
        """Write what is to be written and run what is to be run; returns the commands. without: those to pass over."""
        ran = []
        for language, text in FENCED.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8")):
            kind, _, file = language.partition(" ")
            if kind == "python":
                path = self.here / self.here.name.replace("-", "_") / file
                assert path.is_file(), f"the kit writes no {file}"
                path.write_text(text, encoding="utf-8")
                continue
            for said in [line.partition(" #")[0].strip() for line in text.splitlines()]:
                if said not in without:
                    self.do(said)
                    ran.append(said)
        return ran

    def do(self, said: str) -> None:
        """One command, as it stands; `…` is what the one before printed last."""
        if said.startswith("cd "):
            self.here /= said.removeprefix("cd ")
        elif said == "make dev":
            self.watch()
        else:
            command = shlex.split(said.replace("…", self.last.split()[-1] if self.last else ""))
            self.last = self.run(*command)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            ["/usr/bin/env", *command],
            cwd=self.here,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def watch(self) -> None:
        """Run the demo shop, quote something, see the answer printed, press Ctrl-C."""
        with (self.here.parent / "told.txt").open("w+") as told:  # in the project it would be a change to follow
            dev = subprocess.Popen(
                ["/usr/bin/env", "make", "dev"],
                cwd=self.here,
                env=self.environment,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )
            try:
                quote_at(f"http://127.0.0.1:{self.port}")
            finally:
                os.killpg(dev.pid, signal.SIGINT)
                dev.wait(60)
            told.seek(0)
            assert "price_line     tuesdays" in told.read()


def quote_at(base: str) -> None:
    """Wait until the demo shop serves, and ask what three of something cost."""
    until = time.monotonic() + 120
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{base}/health/ready", timeout=60).status_code == 200:
                break
        assert time.monotonic() < until, "the demo shop is not ready"
        time.sleep(0.1)
    shop = demo_data()["businesses"][0]
    owner = next(one["email"] for one in shop["staff"] if one["role"] == "owner")
    with httpx.Client(base_url=f"{base}/api/v1", timeout=60) as client:
        entered = {"username": owner, "password": PASSWORD, "business": shop["slug"]}
        token = client.post("/auth/login", json=entered).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        place = next(one["id"] for one in client.get("/locations").json()["items"] if one["kind"] == "storefront")
        product = client.get("/catalog/products").json()["items"][0]["id"]
        cart = {"location_id": place, "lines": [{"product_id": product, "quantity": "3"}]}
        quoted = client.post("/sales/quote", json=cart)
        assert quoted.status_code == 200, quoted.text


WHOLE = [
    "duka plugin new tuesdays",
    "cd duka-tuesdays",
    "make test",
    "make dev",
    ".venv/bin/duka plugin disable tuesdays --business mama-njeri",
    ".venv/bin/duka plugin plan tuesdays enable --business mama-njeri",
    ".venv/bin/duka plugin apply tuesdays enable --business mama-njeri --hash …",
    "duka plugin check .",
    "duka plugin publish",
]
"""What the tutorial has somebody do."""


@pytest.mark.prove
def test_the_tutorial_is_followed_from_an_empty_folder_to_a_plugin_that_is_on(tmp_path: Path) -> None:
    """But for the rules, which have tests of their own and take their time."""
    follower = Follower(tmp_path, PYTEST_ARGS="-k 'cheaper or anatomy'")
    assert follower.follow("tuesdays", without=WHOLE[-2:]) == WHOLE[:-2]
    assert "tuesdays" in follower.run(".venv/bin/duka", "plugin", "list", "--business", "mama-njeri")


@pytest.mark.prove
def test_the_tutorial_is_followed_to_its_end_and_its_plugin_is_graded_a(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    assert follower.follow("tuesdays") == WHOLE
    assert "Grade A" in follower.last


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
