"""Commands of plugins in `duka`: found when asked for, never in the way of Duka's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kernel.cli import contributed
from kernel.cli.contributed import Commands

GOOD = '''"""Commands."""
import click
from kernel.cli.building import json_option, say

@click.group()
def lamp() -> None:
    """Look after lamps."""

@lamp.command("light")
@json_option
def light(as_json: bool) -> None:
    """Light one."""
    say(as_json, {"lit": True}, ["lit"])

@click.command()
def status() -> None:
    """Wants a name that Duka has."""
'''


def a_plugin(folder: Path, name: str, commands: str | None) -> EntryPoint:
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text("PLUGIN = None\n")
    if commands is not None:
        (package / "commands.py").write_text(commands)
    return EntryPoint(name, f"{name}:PLUGIN", "duka.plugins")


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[click.Group]:
    """A command of its own with `status`, and plugins of which one has commands and three are broken."""
    points = [
        a_plugin(tmp_path, "acc_lamps", GOOD),
        a_plugin(tmp_path, "acc_none", None),
        a_plugin(tmp_path, "acc_raises", "raise RuntimeError('no database')\n"),
        a_plugin(tmp_path, "acc_leaves", "raise SystemExit(3)\n"),
        a_plugin(tmp_path, "acc_second", GOOD.replace("lamps", "other lamps")),
        EntryPoint("acc_gone", "acc_gone_away:PLUGIN", "duka.plugins"),
        EntryPoint("acc_squats", "plugins.payments:PLUGIN", "duka.plugins"),
    ]
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(contributed, "entry_points", lambda group: points)

    @click.group(cls=Commands)
    def tool() -> None:
        """A tool."""

    @tool.command("status")
    def own_status() -> None:
        """Its own."""
        click.echo("own")

    yield tool
    for name in [name for name in sys.modules if name.startswith("acc_")]:
        del sys.modules[name]


def said_by(tool: click.Group, *words: str) -> Any:
    return CliRunner().invoke(tool, words)


def test_commands_of_plugins_stand_beside_the_tools_own_and_broken_plugins_are_left_out_aloud(
    whole: click.Group,
) -> None:
    told = said_by(whole, "--help")
    assert told.exit_code == 0
    assert "Look after lamps." in told.stdout
    assert "Its own." in told.stdout
    assert "light" not in whole.list_commands(click.Context(whole)), "it stands in its group alone"
    for name, words in (
        ("acc_raises", "RuntimeError"),
        ("acc_leaves", "SystemExit"),
        ("acc_gone", "ModuleNotFoundError"),
        ("acc_lamps", "'status'"),
        ("acc_second", "'lamp'"),
    ):
        assert any(f"plugin {name} " in line and words in line for line in told.stderr.splitlines()), name
    assert "gateway" not in told.stdout, "a foreign distribution under plugins/ is not asked"
    assert said_by(whole, "lamp", "light", "--json").stdout.strip() == '{"lit":true}'
    assert said_by(whole, "no-such").exit_code == 2


def test_plugins_are_not_looked_through_for_a_command_of_the_tools_own(whole: click.Group) -> None:
    told = said_by(whole, "status")
    assert (told.stdout, told.stderr) == ("own\n", "")
    assert not {"acc_lamps.commands", "acc_raises.commands"} & sys.modules.keys()
