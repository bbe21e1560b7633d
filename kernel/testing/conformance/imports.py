"""What a plugin's files may import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from kernel.testing.conformance.sources import Checked, Fault, Source, imports_of, is_manifest

PUBLIC: Final = frozenset({"api", "hooks"})
"""The modules of a plugin that others may import; from tests and from `GROUNDS` also `testing`."""

GROUNDS: Final = frozenset({"testing", "simulator"})
"""Modules that are no part of a shop's work and may stand on others' `testing`."""

PURE: Final = frozenset({"rules", "schemas"})
FRAMEWORKS: Final = frozenset({"advanced_alchemy", "alembic", "litestar", "pluggy", "sqlalchemy"})
IMPURE: Final = frozenset({"models", "services", "routes", "listeners", "jobs", "testing"})
MANIFEST_SOURCE: Final = "kernel.plugin"


def manifest_stands_alone(plugin: Checked, source: Source) -> Iterator[Fault]:
    """Refuse anything in the plugin's `__init__` but a docstring, kernel.plugin and PLUGIN."""
    if source.parts != ("__init__.py",):
        return
    for found in imports_of(plugin, source):
        if not _below(found.target, MANIFEST_SOURCE):
            only = f"a manifest imports only {MANIFEST_SOURCE}"
            yield Fault(source.path, found.line, f"imports {found.target}; {only}")
    for statement in source.tree.body:
        known = isinstance(statement, ast.Import | ast.ImportFrom) or is_manifest(statement)
        if not known and not _is_docstring(statement, source.tree):
            yield Fault(source.path, statement.lineno, "holds more than a docstring and PLUGIN")


def neighbours_by_their_face(plugin: Checked, source: Source) -> Iterator[Fault]:
    """Refuse imports of plugins that are not declared, or past their public modules."""
    for found in imports_of(plugin, source):
        if reason := _why_forbidden(plugin, source, found.target):
            yield Fault(source.path, found.line, f"imports {found.target}; {reason}")


def rules_and_schemas_pure(plugin: Checked, source: Source) -> Iterator[Fault]:
    """Refuse frameworks, and the plugin's own tables and use cases, in rules and schemas."""
    if source.room not in PURE:
        return
    for found in imports_of(plugin, source):
        inside = found.target.removeprefix(plugin.package + ".").partition(".")[0]
        own_impure = _below(found.target, plugin.package) and inside in IMPURE
        if own_impure or found.target.partition(".")[0] in FRAMEWORKS:
            never = f"{source.room} know no framework, table or use case"
            yield Fault(source.path, found.line, f"imports {found.target}; {never}")


def companions_declared(plugin: Checked, source: Source) -> Iterator[Fault]:
    """Refuse with_<other> when <other> is no optional dependency."""
    other = source.room.removeprefix("with_")
    if other != source.room and other not in plugin.manifest.optional:
        yield Fault(source.path, 1, f"answers {other}, which PLUGIN.optional does not declare")


def _why_forbidden(plugin: Checked, source: Source, target: str) -> str:
    """The rule an import breaks, or nothing."""
    other, inside = _plugin_of(plugin, target)
    in_tests = source.is_test or source.room in GROUNDS
    if other == plugin.manifest.name or (source.is_test and inside == "testing"):
        return ""
    if other is None:
        return "name one plugin" if _below(target, "plugins") else ""
    if other not in plugin.manifest.depends | plugin.manifest.optional:
        return f"PLUGIN does not declare {other}"
    faces = PUBLIC | {"testing"} if in_tests else PUBLIC
    if inside not in faces:
        return f"of another plugin only {' and '.join(sorted(faces))} may be imported"
    if other not in plugin.manifest.depends and not source.is_test and source.room != f"with_{other}":
        return f"{other} is optional: import it in with_{other}.py only"
    return ""


def _plugin_of(plugin: Checked, target: str) -> tuple[str | None, str]:
    """Whose module that is, and its name within that plugin."""
    owners = [package for package in plugin.plugins if _below(target, package)]
    if owners:
        package = max(owners, key=len)
        return plugin.plugins[package], target.removeprefix(package).strip(".").partition(".")[0]
    top, _, rest = target.partition(".")
    name, _, inside = rest.partition(".")
    return (name, inside.partition(".")[0]) if top == "plugins" and name not in ("", "*") else (None, "")


def _below(target: str, package: str) -> bool:
    return target == package or target.startswith(package + ".")


def _is_docstring(statement: ast.stmt, tree: ast.Module) -> bool:
    return statement is tree.body[0] and ast.get_docstring(tree) is not None
