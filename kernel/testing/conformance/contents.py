"""What a plugin's folder and files hold: names, pages, size, docstrings, tables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kernel.testing.conformance.sources import Checked, Fault, Source

MODULES: Final = frozenset(
    {"api", "hooks", "schemas", "errors", "rules", "models", "services"}
    | {"routes", "listeners", "jobs", "commands", "testing"}
    | {"gateway", "simulator", "site"}
)
FOLDERS: Final = frozenset({"templates", "static", "locale", "data", "migrations", "docs", "tests"})
MAX_LINES: Final = 400


def names_known(root: Path) -> Iterator[Fault]:
    """Refuse names at the root that are not in the anatomy."""
    for entry in sorted(root.iterdir()):
        if entry.name == "__pycache__" or entry.name.startswith("."):
            continue
        if not _belongs(entry):
            yield Fault(entry, 1, "is no name of the anatomy; put it into the module or folder it serves")


def page_written(root: Path) -> Iterator[Fault]:
    """Refuse a plugin without docs/index.md."""
    page = root / "docs" / "index.md"
    if not page.is_file() or not page.read_text(encoding="utf-8").strip():
        yield Fault(page, 1, "is missing or empty: say what the plugin is for")


def short_enough(plugin: Checked, source: Source) -> Iterator[Fault]:
    """Refuse a file that should have become a package."""
    if (lines := len(source.text.splitlines())) > MAX_LINES:
        yield Fault(source.path, MAX_LINES + 1, f"has {lines} lines; split it before {MAX_LINES}")


def documented(plugin: Checked, source: Source) -> Iterator[Fault]:
    """Refuse modules, public classes and public functions without a docstring, tests apart."""
    if source.is_test:
        return
    if not ast.get_docstring(source.tree):
        yield Fault(source.path, 1, "has no docstring")
    for node in source.tree.body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        # Alembic names the functions of a migration; its module says what it does.
        if node.name.startswith("_") or source.room == "migrations" or ast.get_docstring(node):
            continue
        yield Fault(source.path, node.lineno, f"{node.name} has no docstring")


def tables_prefixed(plugin: Checked, source: Source) -> Iterator[Fault]:
    """Refuse tables whose names do not start with the name of the plugin."""
    if source.room != "models":
        return
    prefix = plugin.manifest.name + "_"
    for name, line in _table_names(source.tree):
        if not (isinstance(name, ast.Constant) and str(name.value).startswith(prefix)):
            yield Fault(source.path, line, f"a table's name must be a literal that starts with {prefix}")


def _belongs(entry: Path) -> bool:
    if entry.is_file():
        return entry.name == "__init__.py" or (entry.suffix == ".py" and _is_module(entry.stem))
    if _is_module(entry.name):
        return (entry / "__init__.py").is_file() and not entry.with_suffix(".py").exists()
    return entry.name in FOLDERS


def _is_module(name: str) -> bool:
    return name in MODULES or re.fullmatch(r"with_[a-z][a-z0-9_]*", name) is not None


def _table_names(tree: ast.Module) -> Iterator[tuple[ast.expr | None, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Table":
            named = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
            yield next(iter([*node.args, *named]), None), node.lineno
        elif isinstance(node, ast.ClassDef):
            assigned = _assigned(node)
            if "__tablename__" in assigned:
                yield assigned["__tablename__"], assigned["__tablename__"].lineno
            elif _has_columns(node) and "__abstract__" not in assigned and "__table__" not in assigned:
                yield None, node.lineno  # otherwise the framework would derive a name without the prefix


def _assigned(node: ast.ClassDef) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for statement in node.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            found |= {target.id: statement.value for target in targets if isinstance(target, ast.Name)}
    return found


def _has_columns(node: ast.ClassDef) -> bool:
    annotations = (item.annotation for item in node.body if isinstance(item, ast.AnnAssign))
    return any(ast.unparse(annotation).partition("[")[0].endswith("Mapped") for annotation in annotations)
