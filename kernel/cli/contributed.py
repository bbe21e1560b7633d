"""Commands of plugins: what the `commands.py` of an installed plugin declares stands in `duka` beside Duka's own.

They are looked for only where somebody asks which commands there are, or for one that Duka does not have. A plugin that
cannot be imported, or wants a name that is taken, is left out with a word to stderr, and never keeps a command of Duka
from running.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import click

from kernel.registry import BUNDLED, GROUP

ROOM = "commands"


class Commands(click.Group):
    """The `duka` command: its own subcommands, and those of the plugins that are installed."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._contributed: dict[str, click.Command] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, sorted."""
        return sorted({*super().list_commands(ctx), *self.contributed()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; plugins are looked through only for one that Duka does not have."""
        return super().get_command(ctx, cmd_name) or self.contributed().get(cmd_name)

    def contributed(self) -> dict[str, click.Command]:
        """The commands of plugins, by name; of two that want one name the first by its plugin's name has it."""
        if self._contributed is None:
            self._contributed = found = {}
            for plugin, command in _declared():
                name = command.name or ""
                if name in self.commands or name in found:
                    _warn(plugin, f"wants to be called {name!r}, as another command is; it is left out")
                else:
                    found[name] = command
        return self._contributed


def _declared() -> Iterator[tuple[str, click.Command]]:
    """Plugin and command, of every plugin that is installed and has some."""
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        try:
            module = _module(point)
            commands = [] if module is None else list(_commands_of(module))
        except (Exception, SystemExit) as fault:  # a stranger's module may raise anything; `duka` must still run
            _warn(point.name, f"cannot be asked for commands: {type(fault).__name__}: {fault}")
            continue
        yield from ((point.name, command) for command in commands)


def _module(point: EntryPoint) -> ModuleType | None:
    """The module `commands` of a plugin; nothing of a foreign package below ours is imported."""
    ours = point.dist is not None and point.dist.name == "duka-erp"
    if point.module.split(".")[0] in (BUNDLED, "kernel") and not ours:
        return None
    name = f"{point.module}.{ROOM}"
    return None if importlib.util.find_spec(name) is None else importlib.import_module(name)


def _commands_of(module: ModuleType) -> Iterator[click.Command]:
    """The commands and groups that a module or package declares itself and that stand in no group of it."""
    found = [one for one in vars(module).values() if isinstance(one, click.Command)]
    inner = {id(below) for one in found if isinstance(one, click.Group) for below in _below(one)}
    for one in {id(one): one for one in found}.values():
        home = getattr(one.callback, "__module__", "")
        if id(one) not in inner and (home == module.__name__ or home.startswith(f"{module.__name__}.")):
            yield one


def _below(group: click.Group) -> Iterator[click.Command]:
    for one in group.commands.values():
        yield one
        if isinstance(one, click.Group):
            yield from _below(one)


def _warn(plugin: str, words: str) -> None:
    click.echo(f"plugin {plugin} {words}", err=True)
