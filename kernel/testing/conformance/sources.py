"""What the checks look at: the files of a plugin, its manifest and its imports, all read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement


@dataclass(frozen=True, order=True)
class Fault:
    """One broken rule and where."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{_shortened(self.path)}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Manifest:
    """What PLUGIN says, as far as it bears on imports and names."""

    name: str
    depends: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Source:
    """One Python file of a plugin; `parts` is its path below the plugin's folder."""

    path: Path
    parts: tuple[str, ...]
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The module or folder at the root: `services` for services.py and for services/refunds.py."""
        return self.parts[0].removesuffix(".py")

    @property
    def is_test(self) -> bool:
        """Whether it lies in tests/."""
        return len(self.parts) > 1 and self.room == "tests"


@dataclass(frozen=True)
class Import:
    """A module that a file imports, as a full dotted name, whatever block the statement stands in."""

    target: str
    line: int


@dataclass(frozen=True)
class Checked:
    """The plugin under check; `plugins` maps the package of every plugin known to its name."""

    package: str
    manifest: Manifest
    plugins: Mapping[str, str]


def read_sources(root: Path) -> Iterator[Source | Fault]:
    """Read every Python file below a folder; a Fault stands for one that cannot be parsed."""
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        try:
            yield Source(path, path.relative_to(root).parts, text, ast.parse(text))
        except SyntaxError as error:
            yield Fault(path, error.lineno or 1, f"cannot be parsed: {error.msg}")


def read_manifest(init: Path, default_name: str) -> tuple[Manifest, list[Fault]]:
    """Read PLUGIN's name, depends and optional, with what is wrong with them."""
    call = _plugin_call(init)
    if call is None:
        return Manifest(default_name), [Fault(init, 1, "holds no PLUGIN = Plugin(...)")]
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    name = given.get("name", call.args[0] if call.args else None)
    faults = []
    if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
        faults.append(Fault(init, call.lineno, "PLUGIN's name must be a literal string"))
    names: dict[str, frozenset[str]] = {"depends": frozenset(), "optional": frozenset()}
    for field in names.keys() & given.keys():
        try:
            names[field] = _required_names(given[field])
        except (ValueError, TypeError, InvalidRequirement):
            wanted = 'must be a literal tuple of requirements such as ("catalog>=0.1",)'
            faults.append(Fault(init, given[field].lineno, f"PLUGIN.{field} {wanted}"))
    return Manifest(str(getattr(name, "value", default_name)), **names), faults


def is_manifest(statement: ast.stmt) -> bool:
    """Whether a statement assigns PLUGIN."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return any(isinstance(target, ast.Name) and target.id == "PLUGIN" for target in targets)


def imports_of(plugin: Checked, source: Source) -> Iterator[Import]:
    """Every import of a file, relative ones resolved, those under TYPE_CHECKING and in functions included."""
    *folders, file = source.parts
    is_package = file == "__init__.py"
    module = [plugin.package, *folders] + ([] if is_package else [file.removesuffix(".py")])
    package = ".".join(module if is_package else module[:-1]).split(".")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = [*base, *([node.module] if node.module else [])]
            yield from (Import(".".join([*start, alias.name]), node.lineno) for alias in node.names)


def _plugin_call(init: Path) -> ast.Call | None:
    try:
        tree = ast.parse(init.read_text(encoding="utf-8", errors="replace"))
    except SyntaxError:
        return None
    values = (getattr(statement, "value", None) for statement in tree.body if is_manifest(statement))
    return next((value for value in values if isinstance(value, ast.Call)), None)


def _required_names(value: ast.expr) -> frozenset[str]:
    said = ast.literal_eval(value)
    if not isinstance(said, tuple):
        raise TypeError
    return frozenset(Requirement(text).name for text in said)


def _shortened(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
