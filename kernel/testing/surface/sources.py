"""Finding where a name is defined, by reading the source: nothing is imported, so every Python says the same."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Found:
    """A definition and the module it stands in."""

    module: str
    node: Definition


@cache
def source_of(module: str) -> ast.Module | None:
    """The parsed source of a module of ours; None for others."""
    if module.partition(".")[0] not in ("kernel", "plugins"):
        return None
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None:
        return None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def find(module: str, name: str) -> Found | None:
    """Where a name that a module has is defined, followed through imports; None where that is no module of ours."""
    tree = source_of(module)
    for node in tree.body if tree else ():
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            if "overload" in marks_of(node):
                continue
            return Found(module, node)
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in assigned(node):
            return Found(module, node)
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return find(node.module, alias.name)
    return None


def assigned(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """The names that a statement gives values to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    flat = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [one.id for one in flat if isinstance(one, ast.Name)]


def names_of(module: str) -> list[str]:
    """The public names of a module: its `__all__`, or else what it defines without an underscore."""
    tree = source_of(module)
    if tree is None:
        raise LookupError(f"there is no module {module}")
    own: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            if assigned(node) == ["__all__"] and node.value is not None:
                return list(ast.literal_eval(node.value))
            own += [] if _is_type_variable(node) else assigned(node)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            own.append(node.name)
    return sorted(name for name in own if not name.startswith("_"))


def marks_of(node: ast.AST) -> list[str]:
    """The last names of a definition's decorators: `["fixture"]` for `@pytest.fixture(...)`."""
    found = []
    for one in getattr(node, "decorator_list", ()):
        said = one.func if isinstance(one, ast.Call) else one
        found.append(said.attr if isinstance(said, ast.Attribute) else ast.unparse(said))
    return found


def _is_type_variable(node: ast.Assign | ast.AnnAssign) -> bool:
    return isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in ("TypeVar", "ParamSpec")
