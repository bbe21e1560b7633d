"""Templates read without being rendered: the words they say, the places they name, what they take from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import jinja2
from jinja2 import nodes

KINDS: Final = ("slot", "columns", "filters", "actions")
"""The functions that name a place: for blocks, for columns of a table, for choices above it, for buttons."""
FORBIDDEN: Final = (
    (re.compile(r"\sstyle="), "a style in the page; write a rule in static/ and name a class"),
    (re.compile(r"\son[a-z]+="), "a handler in the page; write a script in static/"),
    (re.compile(r"hx-on"), "hx-on; write a script in static/"),
    (re.compile(r"javascript:"), "a script as an address; write a script in static/"),
    (re.compile(r"<style\b"), "a style in the page; write a file in static/"),
    (re.compile(r"<script(?![^>]*\bsrc=)"), "a script in the page; write a file in static/"),
    (re.compile(r"https?://(?!www\.w3\.org/)"), "an address outside; pages load nothing from elsewhere"),
)
"""What the policy of content lets no page do, and what to do instead."""
_REMARK: Final = re.compile(r"{#.*?#}", re.DOTALL)
_READ: Final = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=True)


@dataclass(frozen=True)
class Place:
    """A place that a template names for others. kind: as in KINDS. given: the names of what is given there."""

    kind: str
    name: str
    given: tuple[str, ...] = ()


@dataclass
class Template:
    """What one template says. macros: (name it is imported by, macro); imported: that name → the template it names."""

    words: set[str] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)
    statics: set[str] = field(default_factory=set)
    macros: set[tuple[str, str]] = field(default_factory=set)
    imported: dict[str, str] = field(default_factory=dict)
    own_macros: set[str] = field(default_factory=set)
    filters: set[str] = field(default_factory=set)
    forbidden: list[str] = field(default_factory=list)


def templates_of(folder: Path) -> dict[str, str]:
    """The templates of a plugin: path below `templates/` → text. folder: where the plugin's files are."""
    files = sorted((folder / "templates").rglob("*.html"))
    return {file.relative_to(folder / "templates").as_posix(): file.read_text(encoding="utf-8") for file in files}


@cache
def read(text: str) -> Template:
    """Read a template; what is found is shared. Raises jinja2.TemplateSyntaxError."""
    found, tree = Template(), _READ.parse(text)
    found.forbidden = [words for pattern, words in FORBIDDEN if pattern.search(_REMARK.sub("", text))]
    found.own_macros = {one.name for one in tree.find_all(nodes.Macro)}
    found.filters = {one.name for one in tree.find_all(nodes.Filter)}
    for brought in tree.find_all(nodes.Import):
        if isinstance(brought.template, nodes.Const):
            found.imported[brought.target] = brought.template.value
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            _note_call(found, call.node.name, call)
        elif isinstance(call.node, nodes.Getattr) and isinstance(call.node.node, nodes.Name):
            found.macros.add((call.node.node.name, call.node.attr))
    return found


def places_of(folders: Iterable[Path]) -> set[Place]:
    """All places that the templates of some plugins name."""
    return {place for folder in folders for text in templates_of(folder).values() for place in read(text).places}


def _note_call(found: Template, name: str, call: nodes.Call) -> None:
    if not call.args:
        return
    if name == "_":
        found.words |= {one.value for one in _texts(call.args[0])}
    elif name in ("static", "script"):
        found.statics |= {one.value for one in _texts(call.args[0])}
    elif name in KINDS and isinstance(call.args[0], nodes.Const):
        given = ("rows",) if name == "columns" else tuple(sorted(one.key for one in call.kwargs))
        found.places.add(Place(name, call.args[0].value, given))


def _texts(node: nodes.Node) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node
    elif isinstance(node, nodes.CondExpr):
        yield from _texts(node.expr1)
        if node.expr2 is not None:
            yield from _texts(node.expr2)
