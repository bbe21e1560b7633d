"""A new plugin: a folder that passes its tests and runs in a demo shop as it is written."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from kernel import VERSION
from kernel.kit.faults import KitFault
from kernel.plugin import NAME, RESERVED
from kernel.registry import GROUP

PARTS: Final = ("hook", "model", "routes", "job", "settings", "console")
"""What a new plugin may have, in the order in which help texts name it."""

NEEDED: Final[Mapping[str, frozenset[str]]] = {"console": frozenset({"hook", "model", "routes", "settings"})}
"""Part → parts that come with it: pages show and write by an API what a sale then heeds."""

GATEWAY: Final = "gateway"
"""What a new plugin may be instead: a payment gateway, with a simulator of its provider."""

TAKEN: Final = frozenset({"duka", "plugin", "plugins", "test", "tests", "testing", "this", "erp"})
"""Names that would mislead, beside the kernel's own."""

PROJECT: Final = {
    "pyproject.toml": "project/pyproject.toml",
    "README.md": "project/README.md",
    "Makefile": "project/Makefile",
    ".gitignore": "project/gitignore",
    ".github/workflows/test.yml": "project/test.yml",
}
"""File of the project → template."""

PACKAGE: Final[Mapping[str, str]] = {
    "__init__.py": "",
    "docs/index.md": "",
    "tests/test_conformance.py": "",
    "tests/test_{name}.py": "",
    "listeners.py": "hook",
    "schemas.py": "model routes settings",
    "rules.py": "model routes settings",
    "models.py": "model",
    "migrations/{name}_0001.py": "model",
    "services.py": "model",
    "testing.py": "model",
    "routes.py": "routes",
    "jobs.py": "job",
    "with_console.py": "console",
    **{f"templates/console/{one}.html": "console" for one in ("tiers", "card", "beside")},
    **{f"locale/{one}.json": "console" for one in ("ar", "hi", "sw")},
    "tests/test_pages.py": "console",
}
"""File of the package → the parts that need it, any of them; none: always."""


AS_GATEWAY: Final = (
    "__init__.py",
    "docs/index.md",
    "tests/test_conformance.py",
    "tests/test_{name}.py",
    "listeners.py",
    "gateway.py",
    "simulator.py",
)
"""Files of the package of a gateway."""


@dataclass(frozen=True)
class NewPlugin:
    """A plugin to be written: its name, its parts, and what follows from them."""

    name: str
    parts: frozenset[str]

    @property
    def package(self) -> str:
        """The import name; never the bare name, which may be that of a library."""
        return f"duka_{self.name}"

    @property
    def distribution(self) -> str:
        """The name under which it is published, and of its folder."""
        return self.package.replace("_", "-")

    @property
    def is_gateway(self) -> bool:
        """Whether it is a payment gateway."""
        return GATEWAY in self.parts

    @property
    def title(self) -> str:
        """The name as a shopkeeper reads it."""
        return self.name.replace("_", " ").capitalize()


def named(name: str, parts: Iterable[str]) -> NewPlugin:
    """A plugin with a sound name and known parts; no parts: a hook. Raises KitFault with what to do."""
    wanted = with_needed(part.strip() for part in parts if part.strip()) or frozenset({"hook"})
    if unknown := sorted(wanted - {*PARTS, GATEWAY}):
        raise KitFault(f"there is no part {', '.join(unknown)}; choose of {', '.join(PARTS)}, or {GATEWAY}")
    if GATEWAY in wanted and len(wanted) > 1:
        raise KitFault(f"a {GATEWAY} stands by itself: it keeps nothing; write the rest as another plugin")
    bare = name.removeprefix("duka-").removeprefix("duka_").replace("-", "_")
    if not NAME.match(bare):
        hint = "lower-case letters, digits and _, beginning with a letter, 2 to 40 of them, such as loyalty_points"
        raise KitFault(f"{name!r} cannot be a plugin's name: {hint}")
    if bare in RESERVED | TAKEN or keyword.iskeyword(bare):
        raise KitFault(f"{bare!r} is a name of Duka's own or of Python's; choose another")
    if owners := [point.value for point in entry_points(group=GROUP) if point.name == bare]:
        raise KitFault(f"a plugin called {bare!r} is installed already ({owners[0]}); choose another name")
    for point in entry_points(group=GROUP):
        if bare.startswith(f"{point.name}_") or point.name.startswith(f"{bare}_"):
            raise KitFault(f"{bare!r} and the plugin {point.name!r} could not tell their tables apart; choose another")
    return NewPlugin(bare, wanted)


def with_needed(parts: Iterable[str]) -> frozenset[str]:
    """Parts, and those that come with them."""
    wanted = frozenset(parts)
    return wanted.union(*(NEEDED.get(part, ()) for part in wanted))


def write_plugin(plugin: NewPlugin, into: Path) -> Path:
    """Write the plugin's folder below `into` and return it.

    Raises KitFault where something of that name is there, or inside Duka's own repository.
    """
    target = into.resolve() / plugin.distribution
    if target.exists():
        raise KitFault(f"{target} is there already; move it away, or write elsewhere with --into")
    if (home := _duka_around(target)) is not None:
        raise KitFault(f"{home} is Duka's own repository; a plugin of yours lives outside it: name a folder by --into")
    for path, text in rendered(plugin).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, encoding="utf-8")
    return target


def rendered(plugin: NewPlugin) -> dict[str, str]:
    """Path below the plugin's folder → text of every file it consists of."""
    found = dict(PROJECT)
    folder = GATEWAY if plugin.is_gateway else "package"
    for path in _files_of(plugin):
        found[f"{plugin.package}/{path.format(name=plugin.name)}"] = f"{folder}/{_template(path)}"
    environment = Environment(
        loader=PackageLoader("kernel.kit"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - source code, of names that were checked
    )
    said = {
        **{part: part in plugin.parts for part in PARTS},
        "plugin": plugin,
        "kernel": ".".join(VERSION.split(".")[:2]),
        "is_simple": not plugin.parts & {"model", "routes", "settings"},
    }
    return {path: _tidy(environment.get_template(f"{one}.jinja").render(said)) for path, one in found.items()}


def _files_of(plugin: NewPlugin) -> Iterable[str]:
    """The files of the package, as patterns."""
    if plugin.is_gateway:
        return AS_GATEWAY
    return [path for path, needed in PACKAGE.items() if not needed or plugin.parts & set(needed.split())]


def _template(path: str) -> str:
    """The template of a file; no folder of them is called tests, since wheels leave those out."""
    return path.replace("{name}", "plugin").replace("tests/", "checks/")


def _tidy(text: str) -> str:
    """The text with at most two blank lines in a row, and none around it: what left-out parts leave behind."""
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n") + "\n"


def _duka_around(target: Path) -> Path | None:
    for folder in target.parents:
        project = folder / "pyproject.toml"
        if project.is_file() and 'name = "duka-erp"' in project.read_text(encoding="utf-8", errors="replace"):
            return folder
    return None
