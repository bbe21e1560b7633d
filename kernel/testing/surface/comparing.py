"""What breaks a plugin: one surface against an earlier one.

Decided from the text alone, so in doubt a change counts as breaking:

- a module, name or member is gone, or has become another kind of thing;
- a parameter is gone, renamed, moved, no longer given by position, newly required, or takes less than it did; one of a
  hook promises more to whom answers it, and may not become wider;
- an answer is wider than it was; that of a hook, which plugins give, is narrower;
- a field is gone, newly required, or of another type; the code or status of an error is another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from packaging.version import Version

from kernel.testing.surface.text import Surface

FIRST_WORDS: Final = frozenset(
    {"hook", "fixture", "property", "cached_property", "classmethod", "staticmethod"}
    | {"contextmanager", "asynccontextmanager", "dataclass"}
)


@dataclass(frozen=True)
class Entry:
    """One public thing. kind: the words before its name; members: of a class."""

    kind: str
    node: ast.stmt
    members: dict[str, Entry] = field(default_factory=dict)

    @property
    def is_hook(self) -> bool:
        """Whether plugins answer it instead of calling it."""
        return self.kind.startswith("hook")


@dataclass(frozen=True)
class Parameter:
    """One parameter. place: its number where it can be given by position."""

    place: int | None
    is_named: bool
    is_required: bool
    annotation: str


def may_break(promised: Version, present: Version) -> bool:
    """Whether a version may break what another promised: a higher major one; while Duka is 0.x, a higher minor one."""
    if promised.major == present.major == 0:
        return present.minor > promised.minor
    return present.major > promised.major


def breaks(promised: Surface, present: Surface) -> list[str]:
    """Each promise that is broken, as a sentence that begins with the thing."""
    found: list[str] = []
    for module, lines in promised.items():
        if module not in present:
            found.append(f"{module}: is gone")
            continue
        old, new = _entries(lines), _entries(present[module])
        found += [f"{module}.{said}" for said in _of_all(old, new)]
    return found


def _entries(lines: Sequence[str]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    current: Entry | None = None
    for line in lines:
        name, entry = _entry(line.strip())
        if line.startswith("  ") and current is not None:
            current.members[name] = entry
        else:
            found[name] = current = entry
    return found


def _entry(line: str) -> tuple[str, Entry]:
    kinds = []
    first, _, rest = line.partition(" ")
    while first in FIRST_WORDS:
        kinds.append(first)
        line = rest
        first, _, rest = line.partition(" ")
    code, _, remark = line.partition("  # ")
    is_block = first in ("def", "async", "class")
    node = ast.parse(f"{code}: ...  # {remark}" if is_block else code).body[0]
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        word = {ast.ClassDef: "class", ast.FunctionDef: "def", ast.AsyncFunctionDef: "async def"}[type(node)]
        return node.name, Entry(" ".join([*kinds, word]), node)
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    if not isinstance(target, ast.Name):
        raise ValueError(f"cannot be read: {line}")
    return target.id, Entry("value", node)


def _of_all(old: dict[str, Entry], new: dict[str, Entry]) -> Iterator[str]:
    for name, entry in old.items():
        if name not in new:
            yield f"{name}: is gone"
        elif entry.kind != new[name].kind:
            yield f"{name}: was {entry.kind}, is {new[name].kind}"
        else:
            yield from (f"{name}{said}" for said in _of_one(entry, new[name]))


def _of_one(old: Entry, new: Entry) -> Iterator[str]:
    if isinstance(old.node, ast.ClassDef) and isinstance(new.node, ast.ClassDef):
        yield from _of_class(old, new)
    elif isinstance(old.node, ast.FunctionDef | ast.AsyncFunctionDef):
        assert isinstance(new.node, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101 - of one kind
        yield from _of_function(old.node, new.node, is_hook=old.is_hook)
    elif isinstance(old.node, ast.AnnAssign) and _said(old.node.annotation) != _annotation_of(new.node):
        yield f": was {_said(old.node.annotation)}, is {_annotation_of(new.node)}"


def _of_class(old: Entry, new: Entry) -> Iterator[str]:
    assert isinstance(old.node, ast.ClassDef)  # noqa: S101 - seen by the caller
    assert isinstance(new.node, ast.ClassDef)  # noqa: S101 - seen by the caller
    parents = {ast.unparse(one) for one in new.node.bases}
    yield from (f": is no {said} any more" for one in old.node.bases if (said := ast.unparse(one)) not in parents)
    yield from (f".{said}" for said in _of_all(old.members, new.members))
    added = [name for name in new.members if name not in old.members]
    yield from (f".{name}: is newly required" for name in added if _is_required(new.members[name]))
    if not any("kw_only=True" in ast.unparse(one) for one in new.node.keywords):
        before = [name for name in _fields(new) if name in old.members]
        if before != _fields(old) and set(before) == set(_fields(old)):
            yield ": its fields stand in another order"
        elif added and _fields(new)[: len(before)] != before:
            yield ": a field was added before others; put it last"


def _fields(entry: Entry) -> list[str]:
    return [name for name, one in entry.members.items() if isinstance(one.node, ast.AnnAssign)]


def _is_required(entry: Entry) -> bool:
    node = entry.node
    return isinstance(node, ast.AnnAssign) and node.value is None and "ClassVar" not in ast.unparse(node.annotation)


def _of_function(
    old: ast.FunctionDef | ast.AsyncFunctionDef, new: ast.FunctionDef | ast.AsyncFunctionDef, *, is_hook: bool
) -> Iterator[str]:
    before, after = _parameters(old.args), _parameters(new.args)
    for name, one in before.items():
        if name not in after:
            yield f"({name}): is gone"
            continue
        now = after[name]
        if one.place is not None and now.place != one.place and not is_hook:
            yield f"({name}): is given at another place than before"
        if one.is_named and not now.is_named:
            yield f"({name}): can no longer be given by name"
        if now.is_required and not one.is_required and not is_hook:
            yield f"({name}): is newly required"
        if not (_fits(now.annotation, one.annotation) if is_hook else _fits(one.annotation, now.annotation)):
            yield f"({name}): was {one.annotation}, is {now.annotation}"
    if not is_hook:
        yield from (f"({name}): is newly required" for name, p in after.items() if p.is_required and name not in before)
    was, is_ = _said(old.returns), _said(new.returns)
    if not (_fits(was, is_) if is_hook else _fits(is_, was)):
        yield f": answered {was}, answers {is_}"


def _parameters(said: ast.arguments) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    by_place = [*said.posonlyargs, *said.args]
    without = len(by_place) - len(said.defaults)
    for place, one in enumerate(by_place):
        is_named = one not in said.posonlyargs
        key = one.arg if is_named else f"#{place}"
        found[key] = Parameter(place, is_named, place < without, _said(one.annotation))
    for one, default in zip(said.kwonlyargs, said.kw_defaults, strict=True):
        found[one.arg] = Parameter(None, True, default is None, _said(one.annotation))
    for star, rest in (("*", said.vararg), ("**", said.kwarg)):
        if rest is not None:
            found[star] = Parameter(None, False, False, _said(rest.annotation))
    return found


def _fits(narrow: str, wide: str) -> bool:
    """Whether every value of one annotation is one of the other, as far as the words tell."""
    wider = _members(wide)
    return bool(wider & {"Any", "object", ""}) or _members(narrow) <= wider


def _members(annotation: str) -> set[str]:
    """The members of a union; each literal counts by itself."""
    node = ast.parse(annotation, mode="eval").body if annotation else None
    match node:
        case None:
            return {""}
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _members(ast.unparse(left)) | _members(ast.unparse(right))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inside):
            return {f"Literal[{ast.unparse(one)}]" for one in getattr(inside, "elts", [inside])}
    return {ast.unparse(node)}


def _said(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation) if annotation else ""


def _annotation_of(node: ast.stmt) -> str:
    return _said(node.annotation) if isinstance(node, ast.AnnAssign) else ""
