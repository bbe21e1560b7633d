"""A plugin under development: served anew when its files change, each of its answers told."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import kernel
from kernel.errors import Conflict, PluginFailed
from kernel.hooks import HookSet
from kernel.kit.developing import Call, Teller, Tracer, Turn, read_project, trouble_in
from kernel.kit.developing.project import changes
from kernel.kit.developing.shortly import shortly
from kernel.kit.faults import KitFault
from kernel.kit.scaffold import named, write_plugin
from kernel.registry import Loaded
from kernel.settings import Settings
from kernel.testing.box import PASSWORD
from kernel.testing.served import environment_of, free_port

ROOT = Path(kernel.__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new plugin, known to whoever has its folder on the path as if it were installed."""
    made = write_plugin(named("loyalty", ["hook"]), tmp_path)
    told = made / "duka_loyalty-0.1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: duka-loyalty\nVersion: 0.1.0\n")
    (told / "entry_points.txt").write_text("[duka.plugins]\nloyalty = duka_loyalty:PLUGIN\n")
    return made


# What is looked at


def test_a_folder_says_which_plugin_it_is(folder: Path, tmp_path: Path) -> None:
    project = read_project(folder)
    assert (project.plugin, project.source) == ("loyalty", folder / "duka_loyalty")
    with pytest.raises(KitFault, match="duka plugin new NAME"):
        read_project(tmp_path)
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(KitFault, match="offers no plugin"):
        read_project(folder)


def test_files_that_are_written_made_or_deleted_are_changes_and_what_tools_leave_is_not(folder: Path) -> None:
    project = read_project(folder)
    before = project.state()
    for left in (".venv/lib/x.py", "var/duka.sqlite3", "duka_loyalty/__pycache__/x.pyc", ".git/HEAD", "a.py~"):
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / left).write_text("x")
    assert not changes(before, project.state())
    (folder / "duka_loyalty/listeners.py").write_text("x")
    (folder / "duka_loyalty/made.py").write_text("x")
    (folder / "README.md").unlink()
    names = [str(one.relative_to(folder)) for one in changes(before, project.state())]
    assert names == ["README.md", "duka_loyalty/listeners.py", "duka_loyalty/made.py"]


# What is told


def test_trouble_names_the_last_of_the_plugins_own_lines(tmp_path: Path) -> None:
    probe = module("probe", "def ask():\n    return int('x')\n", tmp_path)
    with pytest.raises(ValueError, match="invalid literal") as plain:
        probe.ask()
    found = trouble_in(tmp_path, plain.value)
    assert (found.where, found.code) == (f"{tmp_path.name}/probe.py:2 in ask", "return int('x')")
    with pytest.raises(SyntaxError) as broken:
        compile("x = (\n", str(tmp_path / "probe.py"), "exec")
    assert trouble_in(tmp_path, broken.value).where == f"{tmp_path.name}/probe.py:1"
    assert not trouble_in(tmp_path, RuntimeError("not here")).where


def test_values_are_said_in_few_words() -> None:
    assert shortly(None) == "nothing"
    assert shortly([]) == "none"
    assert shortly(uuid.UUID(int=255)) == "…0000ff"
    assert shortly([1, 2, 3, 4, 5]) == "1; 2; 3; … 2 more"
    assert shortly(Call("price_line", "loyalty", "asked")) == "Call(hook=price_line, plugin=loyalty, asked=asked)"
    assert len(shortly("x" * 500)) == 90


def test_a_call_is_told_with_what_it_did_to_the_lines_that_its_rules_touched() -> None:
    def step(plugin: str, rule: str, before: str, after: str) -> dict[str, str]:
        return {"plugin": plugin, "rule": rule, "before": before, "after": after}

    mine, theirs = step("loyalty", "Ten", "10.00", "9.00"), step("other", "Ten", "9.00", "8.00")
    said = {"lines": [{"line": 1, "steps": [mine, theirs]}, {"line": 2, "steps": [mine]}]}
    turn = Turn(
        calls=[
            Call("price_line", "loyalty", "", line=2, rules=("Ten",)),
            Call("price_cart", "loyalty", "", rules=("Ten",)),
            Call("price_line", "loyalty", "", line=1, rules=("Another",)),
        ]
    )
    turn.settle(said)
    assert [[(one.line, one.before, one.after) for one in call.changed] for call in turn.calls] == [
        [(2, "10.00", "9.00")],
        [(1, "10.00", "9.00"), (2, "10.00", "9.00")],
        [],
    ]


SPECS = """
from kernel.hooks import spec

@spec(failing="refuse", budget_ms=200)
def asked(number: int) -> int | None: ...

@spec
async def told(number: int) -> None: ...
"""
ANSWERS = """
from kernel.errors import Conflict
from kernel.hooks import answers

@answers
def asked(number: int) -> int | None:
    return "many" if number == 2 else 10 // number if number else None

@answers
async def told(number: int) -> None:
    if number == 2:
        raise Conflict("not twice")
"""


async def test_answers_are_noted_around_the_plugins_own_functions_and_failures_with_them(
    tmp_path: Path, hooks_log: logging.Logger
) -> None:
    heard: list[Turn] = []
    specs, listeners = module("specs", SPECS, tmp_path), module("listeners", ANSWERS, tmp_path)
    tracer = Tracer(heard.append, tmp_path)
    own: Any = Loaded(None, "probe", tmp_path, listeners=listeners)  # type: ignore[arg-type]
    object.__setattr__(own, "manifest", type("Named", (), {"name": "probe"}))
    tracer.follow([own])
    tracer.follow([own])  # a second time changes nothing
    tracer.hear_failures()
    assert not hooks_log.propagate
    hooks = HookSet([specs], [("probe", listeners)])
    assert [one.value for one in hooks.ask(specs.asked, number=1)] == [10]
    assert not heard, "nothing is told before it is on"
    tracer.is_on = True
    with tracer.turn("POST", "/x"):
        assert [one.value for one in hooks.ask(specs.asked, number=5)] == [2]
        assert not hooks.ask(specs.asked, number=0)
        with pytest.raises(PluginFailed):
            hooks.ask(specs.asked, number=2)
        with pytest.raises(PluginFailed):
            hooks.ask(specs.asked, number="x")
        with pytest.raises(Conflict):
            await hooks.tell(specs.told, number=2)
    (turn,) = heard
    assert [(one.hook, one.asked, one.answered) for one in turn.calls[:3]] == [
        ("asked", "5", "2"),
        ("asked", "0", "nothing"),
        ("asked", "2", "many"),
    ]
    assert turn.calls[3].failed is not None
    assert turn.calls[3].failed.code == 'return "many" if number == 2 else 10 // number if number else None'
    judged = [one.failed.words if one.failed else "" for one in turn.calls]
    assert judged[:3] == ["", "", "answered a str, which is no answer to it"]
    assert judged[3].startswith("TypeError: unsupported operand")
    assert judged[4] == "Conflict: not twice"


@pytest.fixture
def hooks_log() -> Iterator[logging.Logger]:
    """The log of the hooks, as it was again afterwards."""
    log = logging.getLogger("duka.hooks")
    before = (log.propagate, list(log.handlers))
    yield log
    log.propagate, log.handlers[:] = before


def module(name: str, code: str, folder: Path) -> Any:
    (folder / f"{name}.py").write_text(code)
    spec = importlib.util.spec_from_file_location(f"dev_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_lines_are_for_people_and_objects_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    calls = [Call("price_line", "loyalty", f"line {n}", answered="nothing") for n in range(20)]
    Teller(as_json=False).turn(Turn("POST", "/sales", 201, 3.0, calls))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "POST /sales → 201, 3 ms"
    assert len(lines) == 14
    assert lines[-1].split() == ["price_line", "loyalty", "…", "8", "more,", "0.00", "ms", "together"]
    assert "\x1b" not in "".join(lines), "no terminal, no colours"
    Teller(as_json=True).turn(Turn("POST", "/sales", 201, 3.0, calls))
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(told) == 20
    assert told[0]["request"] == {"method": "POST", "path": "/sales", "status": 201, "ms": 3.0}


# The whole journey


class Developing:
    """`duka dev` as it runs, its lines as they come."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.url = process, f"http://127.0.0.1:{port}"

    def until(self, event: str) -> dict[str, Any]:
        """The next line of an event."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            told: dict[str, Any] = json.loads(line)
            seen.append(told)
            if told["event"] == event:
                return told
        raise AssertionError(f"no {event} among {seen}")


@pytest.fixture
def developing(folder: Path, box_settings: Settings) -> Iterator[Developing]:
    port = free_port()
    environment = environment_of(box_settings) | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    command = [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "dev", str(folder), "--json", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Developing(process, port)
    finally:
        process.terminate()
        assert process.wait(120) == 0
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_changed_plugin_is_served_at_once_and_a_broken_one_waits_to_be_mended(
    developing: Developing, folder: Path
) -> None:
    developing.until("ready")
    with httpx.Client(base_url=developing.url, timeout=60) as http:
        sell = till(http)
        assert sell() == "95.00"
        call = developing.until("call")
        assert (call["hook"], call["plugin"], call["answered"]) == ("price_line", "loyalty", "5 % off, Ten or more")
        assert call["changed"] == [{"line": 1, "rule": "Ten or more", "before": "100.00", "after": "95.00"}]

        listeners = folder / "duka_loyalty/listeners.py"
        sound = listeners.read_text()
        listeners.write_text(sound + "\n\nanswers(\n")
        assert developing.until("reload")["files"] == ["duka_loyalty/listeners.py"]
        broken = developing.until("broken")
        assert broken["what"] == "loyalty cannot be loaded"
        assert broken["trouble"]["where"].startswith("duka_loyalty/listeners.py:")
        refused = http.get("/api/v1/plugins")
        assert (refused.status_code, refused.json()["code"]) == (503, "not-ready")

        listeners.write_text(sound.replace("return None", "return 1 // 0").replace("percent=5 *", "percent=6 *"))
        developing.until("ready")
        assert sell("10") == "94.00"
        assert developing.until("call")["answered"] == "6 % off, Ten or more"
        assert sell("9") == "90.00", "the hook does without"
        failed = developing.until("call")["failed"]
        assert failed["words"] == "ZeroDivisionError: integer division or modulo by zero"
        assert failed["where"] == "duka_loyalty/listeners.py:12 in price_line"


def till(http: httpx.Client) -> Any:
    """What a quote of so many comes to."""
    who = {"username": "owner@mama-njeri.example", "password": PASSWORD, "business": "mama-njeri"}
    entered = http.post("/api/v1/auth/login", json=who)
    assert entered.status_code == 200, entered.text
    http.headers["Authorization"] = f"Bearer {entered.json()['access_token']}"
    places = http.get("/api/v1/locations").json()["items"]
    place = next(one["id"] for one in places if one["kind"] == "storefront")
    said = {"sku": "P", "name": "Pen", "price": "10.00"}
    pen = http.post("/api/v1/catalog/products", json=said, headers={"Idempotency-Key": "pen"})
    assert pen.status_code == 201, pen.text

    def quote(quantity: str = "10") -> str:
        cart = {"location_id": place, "lines": [{"product_id": pen.json()["id"], "quantity": quantity}]}
        quoted = http.post("/api/v1/sales/quote", json=cart, headers={"Idempotency-Key": uuid.uuid4().hex})
        assert quoted.status_code == 200, quoted.text
        total: str = quoted.json()["total"]
        return total

    return quote
