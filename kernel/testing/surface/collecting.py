"""Which modules are public, and one line for each thing in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from kernel.testing.surface.sources import Found, assigned, find, marks_of, names_of, source_of
from kernel.testing.surface.text import Surface

MODULES: Final = (
    *("kernel.plugin", "kernel.hooks", "kernel.work", "kernel.web", "kernel.wire", "kernel.errors", "kernel.money"),
    "kernel.tax_numbers",
    *(
        "kernel.db",
        "kernel.db.custom",
        "kernel.db.personal",
        "kernel.db.sides",
        "kernel.custom",
        "kernel.migrate",
        "kernel.jobs",
        "kernel.auth",
        "kernel.personal",
    ),
    *("kernel.sealing", "kernel.settings", "kernel.cli.building", "kernel.logs", "kernel.metrics"),
    *(
        "kernel.invariants",
        "kernel.cells",
        "kernel.sheets",
        "kernel.app.demo",
        "kernel.app.recording",
        "kernel.deprecation",
    ),
    *("kernel.testing.box", "kernel.testing.fixtures", "kernel.testing.served", "kernel.testing.servers"),
    *("kernel.testing.replaying", "kernel.testing.suite"),
)
"""The documented modules of the kernel; every other is private."""

FOR_THE_KERNEL: Final = {
    "kernel.app.demo": {"PASSWORD", "demo_data", "has_businesses", "make_businesses", "make_demo", "sign_ins"},
    "kernel.app.recording": {"Step", "record"},
    "kernel.auth": {"Rights", "User"},
    "kernel.custom": {"SideField", "all_fields", "entities", "side_fields"},
    "kernel.db.custom": {"entity_tables", "key_tables"},
    "kernel.db.sides": {"side_columns", "side_tables"},
    "kernel.db": {"Database", "Phase", "Transaction", "Trouble", "is_configuration", "trouble_of"},
    "kernel.hooks": {"HookSet", "LeftOut", "Meter", "Noted", "Pair", "Spent", "Strikes", "policy_of"} | {"recent_of"},
    "kernel.jobs": {"Backlog", "Handler", "backlog", "forget_old_keys", "handlers_of", "next_run"}
    | {"clear_schedules", "complete_schedules", "set_schedules"},
    "kernel.migrate": {"KERNEL", "Lineage", "MigrationFailed", "Migrator", "protect_books"},
    "kernel.personal": {"Former", "Place", "Tombstone", "bury", "find_again", "former_values", "places_of"}
    | {"tables_of", "tombstones", "unreached", "wipe"},
    "kernel.settings": {"Settings", "database_name", "keep_secret", "kept_secret", "load_settings"}
    | {"load_with_sources", "secret_key"},
    "kernel.web": {"Gate", "Problem", "Route", "Visit", "as_duka_error", "perform", "problem"}
    | {"Scene.__init__", "Scene.standing"},
    "kernel.work": {"Answered", "Deed", "Epochs", "Identify", "Key", "Standing", "as_told"}
    | {"carry_out", "digest_of", "system_clock"}
    | {f"Work.{name}" for name in ("__init__", "above_businesses", "as_if", "enter_business", "flush")}
    | {f"Work.{name}" for name in ("leave_audit_row", "leaves_traces", "subject")},
    "kernel.testing.box": {"Box.__init__", "Client.__init__"},
    "kernel.testing.served": {"Server.__init__"},
}
"""What public modules export for the kernel's own floors above them; not promised."""

KEPT_MARKS: Final = (
    *("property", "cached_property", "classmethod", "staticmethod"),
    *("contextmanager", "asynccontextmanager"),
)


def collect() -> Surface:
    """Everything public: section → lines, a member of a class indented below it."""
    sections = {module: list(_lines(module)) for module in MODULES}
    for name in _bundled():
        for room in ("api", "hooks", "testing"):
            if source_of(f"plugins.{name}.{room}") is not None:
                sections[f"plugins.{name}.{room}"] = list(_lines(f"plugins.{name}.{room}"))
    return {module: lines for module, lines in sections.items() if lines}


def public_names(module: str) -> list[str]:
    """The names of a module that are promised."""
    return [name for name in names_of(module) if name not in FOR_THE_KERNEL.get(module, ())]


def _bundled() -> list[str]:
    spec = find_spec("plugins")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return sorted(one.name for place in places for one in Path(place).iterdir() if (one / "__init__.py").is_file())


def _lines(module: str) -> Iterator[str]:
    for name in public_names(module):
        found = find(module, name)
        if found is None:
            yield f"{name} = ..."
        elif isinstance(found.node, ast.ClassDef):
            yield from _class(found.module, found.node)
        elif isinstance(found.node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _function(found.module, found.node)
        else:
            yield _value(found.module, name, found.node)


def _function(module: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    marks = marks_of(node)
    kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    first = [mark for mark in ("spec", "fixture") if mark in marks] + [one for one in marks if one in KEPT_MARKS]
    words = {"spec": "hook"}
    answer = f" -> {_annotation(module, node.returns)}" if node.returns else ""
    said = " ".join([*(words.get(mark, mark) for mark in first), kind, node.name])
    return f"{said}({_parameters(module, node.args)}){answer}{_going(node)}"


def _class(module: str, node: ast.ClassDef) -> Iterator[str]:
    bases = [ast.unparse(one) for one in (*node.bases, *node.keywords)]
    marks = "dataclass " if "dataclass" in marks_of(node) else ""
    yield f"{marks}class {node.name}({', '.join(bases)}){_going(node)}".replace("()", "")
    members = dict(_members(module, node))
    unpromised = {said for names in FOR_THE_KERNEL.values() for said in names}
    yield from (f"  {line}" for name, line in members.items() if f"{node.name}.{name}" not in unpromised)


def _members(module: str, node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The public members, those of private parents of ours before its own."""
    for base in node.bases:
        said = base.value if isinstance(base, ast.Subscript) else base
        found = find(module, said.id) if isinstance(said, ast.Name) else None
        if found and isinstance(found.node, ast.ClassDef) and not _is_public(found, found.node.name):
            yield from _members(found.module, found.node)
    for one in node.body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_member(one.name) and "setter" not in marks_of(one):
                yield one.name, _function(module, one)
        elif isinstance(one, ast.AnnAssign | ast.Assign):
            yield from ((name, _attribute(module, name, one)) for name in assigned(one) if not name.startswith("_"))


def _is_public(found: Found, name: str) -> bool:
    homes = [module for module in MODULES if found.module == module or found.module.startswith(module + ".")]
    if found.module.startswith("plugins."):
        homes.append(".".join(found.module.split(".")[:2]) + ".api")
    return any(source_of(home) and name in public_names(home) for home in homes)


def _is_member(name: str) -> bool:
    if name.startswith("test_"):
        return False  # rules of a suite: run, never called
    return not name.startswith("_") or name in ("__init__", "__call__", "__aenter__", "__enter__", "__iter__")


def _attribute(module: str, name: str, node: ast.Assign | ast.AnnAssign) -> str:
    if isinstance(node, ast.AnnAssign):
        constructed = "field(init=False" not in ast.unparse(node.value or ast.Constant(0))
        return f"{name}: {_annotation(module, node.annotation)}{' = ...' if node.value and constructed else ''}"
    value: ast.expr = node.value
    if isinstance(value, ast.Tuple) and isinstance(node.targets[0], ast.Tuple):
        value = value.elts[assigned(node).index(name)]
    if name in ("code", "status") and isinstance(value, ast.Constant):
        return f"{name}: Literal[{value.value!r}] = ..."
    return f"{name} = ..."


def _value(module: str, name: str, node: ast.Assign | ast.AnnAssign) -> str:
    if isinstance(node, ast.AnnAssign) and "Final" not in ast.unparse(node.annotation):
        return f"{name}: {_annotation(module, node.annotation)}"
    value = node.value
    if isinstance(value, ast.Constant):
        return f"{name} = {value.value!r}"
    if isinstance(value, ast.BinOp | ast.UnaryOp | ast.Name | ast.Subscript):
        said = _annotation(module, value)
        return f"{name} = {said if len(said) <= 60 else '...'}"
    return f"{name} = ..."


def _annotation(module: str, node: ast.expr) -> str:
    """An annotation as it is written, without the limits within `Annotated`; private names for literals written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _annotation(module, ast.parse(node.value, mode="eval").body)
    return ast.unparse(_Plainly(module).visit(ast.parse(ast.unparse(node), mode="eval").body))


class _Plainly(ast.NodeTransformer):
    def __init__(self, module: str) -> None:
        self.module = module

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """`Annotated[X, …]` becomes `X`."""
        said = ast.unparse(node.value)
        if said == "Literal":
            return node
        if said == "Annotated" and isinstance(node.slice, ast.Tuple):
            inner: ast.expr = self.visit(node.slice.elts[0])
            return inner
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A private alias becomes what it stands for."""
        found = find(self.module, node.id)
        if found is None or not isinstance(found.node, ast.Assign) or _is_public(found, node.id):
            return node
        value = found.node.value
        stands_for_types = isinstance(value, ast.Subscript) and ast.unparse(value.value) in ("Literal", "Annotated")
        return ast.parse(_annotation(found.module, value), mode="eval").body if stands_for_types else node


def _parameters(module: str, node: ast.arguments) -> str:
    copy = ast.parse(f"def f({ast.unparse(node)}): ...").body[0]
    assert isinstance(copy, ast.FunctionDef)  # noqa: S101 - just parsed
    arguments = copy.args
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if one is not None and one.annotation is not None:
            one.annotation = ast.parse(_annotation(module, one.annotation), mode="eval").body
    short = (ast.Constant, ast.Name, ast.UnaryOp)
    arguments.defaults = [one if isinstance(one, short) else _dots(one) for one in arguments.defaults]
    arguments.kw_defaults = [
        one if one is None or isinstance(one, short) else _dots(one) for one in arguments.kw_defaults
    ]
    return ast.unparse(arguments)


def _dots(node: ast.expr) -> ast.expr:
    return node if ast.unparse(node) in ("()", "{}", "[]") else ast.Constant(...)


def _going(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """How a deprecation is told at the end of a line."""
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and ast.unparse(one.func).rpartition(".")[2] == "deprecated" and one.args:
            since = next((ast.unparse(said.value) for said in one.keywords if said.arg == "since"), "'?'")
            return f"  # deprecated since {since[1:-1]}: use {ast.literal_eval(one.args[0])}"
    return ""
