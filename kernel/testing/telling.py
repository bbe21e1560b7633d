"""What the server tells people, read from the code without running it: titles of faults, and sentences.

A sentence is what stands in a call that makes a fault (`Invalid.at("/name", "It is taken")`), or one of the words of a
Struct or dataclass (`Obligation("open", "Sales that wait", 3)`). What is filled in becomes a place: f"Row {row.number}"
is told as `Row {number}`.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from kernel.errors import DukaError, SettingsFault
from kernel.web.sentences import LEAST, Sentences, taken_apart

WORDS: Final = frozenset({"words", "detail", "finish", "reason", "asks"})
"""Fields that hold sentences of a plugin's own."""
INSIDE: Final = frozenset(
    {"tests", "testing", "migrations", "cli", "kit", "simulator", "simulators", "demo", "migrate", "__main__"}
)
"""Parts of a package that tell people at a page nothing."""
UNHEARD: Final = (
    *("kernel.registry", "kernel.ordering", "kernel.sealing", "kernel.hooks", "kernel.audit.verifying"),
    *("kernel.app.importing", "kernel.app.portable", "kernel.app.restore", "kernel.app.home", "kernel.app.backup"),
    *("kernel.work.heeding", "kernel.web.asking", "kernel.web.body", "kernel.web.headers", "kernel.web.listing"),
    "kernel.web.streams",
)
"""Modules of the kernel that tell whoever gives commands, or whose program sends what no page would."""
_SENTENCE: Final = re.compile(r"[A-Z{].*\s", re.DOTALL)


def modules_of(package: str) -> Iterator[ModuleType]:
    """The modules of a package that tell people something."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not INSIDE & set(found.name.split(".")) and not found.name.startswith(UNHEARD):
            yield importlib.import_module(found.name)


def titles_told(package: str) -> dict[str, str]:
    """The faults that a package names: code → title."""
    found = {
        kind.code: kind.title
        for module in modules_of(package)
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, DukaError) and kind.__module__ == module.__name__
    }
    return dict(sorted(found.items()))


def sentences_told(package: str) -> dict[str, str]:
    """The sentences that a package tells, with a name for each place: sentence → where it stands."""
    manifest = getattr(importlib.import_module(package), "PLUGIN", None)
    declared = (*manifest.permissions, *manifest.limits, *manifest.pictures) if manifest else ()
    found = {one.words: package for one in declared}
    for module in modules_of(package):
        file = Path(str(module.__file__))
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                for sentence in _told_by(call, vars(module)):
                    found.setdefault(sentence, f"{module.__name__}:{call.lineno}")
    return found


class Known:
    """The sentences that a language has words for. told: English → said."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._shapes, self._sentences = {taken_apart(one).pieces for one in told}, Sentences(told)

    def has(self, sentence: str) -> bool:
        """Whether a sentence is among them, whatever its places are called; one that is all places needs no words."""
        one = taken_apart(sentence)
        if one.pieces in self._shapes or (one.names and one.letters < LEAST):
            return True
        return self._sentences.said(sentence) != sentence


def untold(package: str, folder: Path, shared: Iterable[Path] = ()) -> dict[str, list[str]]:
    """What a package tells and has no words for, by language: codes of titles, and sentences.

    folder: its `locale/`; every language that has a file there is looked at. shared: folders of others whose sentences
    it may count on, such as the kernel's.
    """
    found: dict[str, list[str]] = {}
    titles, sentences = titles_told(package), sentences_told(package)
    for file in sorted(folder.glob("*.json")):
        known = [
            json.loads(one.read_text("utf-8"))
            for one in (file, *(each / file.name for each in shared))
            if one.is_file()
        ]
        codes = {code for one in known for code in one.get("titles", {})}
        told = {
            english: said
            for one in known
            for kind in ("words", "details")
            for english, said in one.get(kind, {}).items()
        }
        missing = [code for code in titles if code not in codes]
        has = Known(told).has
        missing += [one for one in sentences if not has(one)]
        if missing:
            found[file.stem] = missing
    return found


def _told_by(call: ast.Call, known: Mapping[str, Any]) -> Iterator[str]:
    kind = _made_by(call.func, known)
    if kind is None:
        return
    if issubclass(kind, Exception):
        given = [*call.args, *(one.value for one in call.keywords if one.arg not in ("code", "headers"))]
    else:
        given = [one for name, one in _bound(kind, call) if name in WORDS]
    for one in (text for node in given for text in _texts(node)):
        if _SENTENCE.match(one) or (" " in one and not issubclass(kind, Exception)):
            yield one


def _made_by(function: ast.expr, known: Mapping[str, Any]) -> type | None:
    """The class that a call makes one of: `Invalid(…)`, `Invalid.at(…)`, `errors.Invalid(…)`."""
    found: Any = None
    match function:
        case ast.Name(name):
            found = known.get(name)
        case ast.Attribute(ast.Name(name), attribute):
            found = known.get(name)
            found = getattr(found, attribute, None) if isinstance(found, ModuleType) else found
    if not inspect.isclass(found) or found.__module__ == "builtins" or issubclass(found, SettingsFault):
        return None
    is_words = dataclasses.is_dataclass(found) or issubclass(found, msgspec.Struct)
    is_fault = issubclass(found, DukaError | ValueError)
    return found if is_words or is_fault else None


def _bound(kind: type, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    names = [one.name for one in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    names = names or list(getattr(kind, "__struct_fields__", ()))
    yield from zip(names, call.args, strict=False)
    yield from ((one.arg, one.value) for one in call.keywords if one.arg)


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.JoinedStr(values):
            yield _with_places(values)
        case ast.IfExp(_, yes, no):
            yield from (*_texts(yes), *_texts(no))


def _with_places(values: list[ast.expr]) -> str:
    told, taken = "", set[str]()
    for one in values:
        if isinstance(one, ast.FormattedValue):
            name = _name(one.value)
            while name in taken:
                name += "_"
            taken.add(name)
            told += "{" + name + "}"
        elif isinstance(one, ast.Constant):
            told += str(one.value).replace("{", "{{").replace("}", "}}")
    return told


def _name(value: ast.expr) -> str:
    match value:
        case ast.Name(name) | ast.Attribute(_, name):
            return name.lower()
        case ast.Call(_, [first, *_]):
            return _name(first)
        case ast.Subscript(inner):
            return _name(inner)
    return "it"
