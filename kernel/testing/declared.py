"""Two more generated pages: the fields of a manifest, and every error by its code."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

from kernel.errors import DukaError
from kernel.plugin import Limit, Permission, Picture, Plugin
from kernel.registry import Registry
from kernel.testing.surface.sources import source_of

_SAID = re.compile(r"(?:^|(?<=\. ))((?:[a-z]+, )*[a-z]+): ", re.MULTILINE)
_UNLOADED = ("kernel.cli", "kernel.kit", "kernel.testing", "kernel.tests", "kernel.migrations")
"""Parts of the kernel that no request passes through."""


def manifest_page() -> str:
    """The fields of a manifest with types, defaults and what they mean."""
    lines = [
        "# The manifest",
        "",
        "Written from the code. A plugin's `__init__.py` holds a docstring and `PLUGIN = Plugin(…)` and imports",
        "`kernel.plugin` only, so that reading it runs none of the plugin's code. What it says is checked.",
    ]
    for kind in (Plugin, Permission, Limit, Picture):
        first, _, _ = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
        lines += [
            "",
            f"## `{kind.__name__}`",
            "",
            first,
            "",
            "| field | type | default | meaning |",
            "|---|---|---|---|",
        ]
        meanings = meanings_of(kind)
        for one in dataclasses.fields(kind):
            default = _default(one)
            typed = str(one.type).replace("|", "\\|")
            lines.append(f"| `{one.name}` | `{typed}` | {default} | {meanings.get(one.name, '')} |")
    return "\n".join(lines) + "\n"


def meanings_of(kind: type[object]) -> dict[str, str]:
    """Field → what the docstring of its class says after `field:` or `field, field:`."""
    text = inspect.cleandoc(kind.__doc__ or "")
    marks = list(_SAID.finditer(text))
    found = {}
    for mark, after in zip(marks, [*marks[1:], None], strict=False):
        words = text[mark.end() : after.start() if after else len(text)]
        for name in mark[1].split(", "):
            found[name] = " ".join(words.split()).rstrip(".;")
    return found


def errors_page(registry: Registry) -> str:
    """Every error: code, status, title, when it is given, and whose it is."""
    lines = [
        "# Error codes",
        "",
        "Written from the code. Every refusal is a problem document (RFC 9457) whose `code` is one of these; codes and",
        "statuses are promised ([compatibility](../compatibility.md)). `errors` in it says where in the request.",
        "",
        "| code | status | title | when | of |",
        "|---|---|---|---|---|",
    ]
    for of, one in sorted(_errors(registry), key=lambda said: (said[1].code, said[0], said[1].__name__)):
        when, _, _ = inspect.cleandoc(one.__doc__ or "").partition("\n\n")
        lines.append(f"| `{one.code}` | {one.status} | {one.title} | {' '.join(when.split())} | {of} |")
    return "\n".join(lines) + "\n"


def _errors(registry: Registry) -> Iterator[tuple[str, type[DukaError]]]:
    for found in pkgutil.walk_packages(_kernel_path(), "kernel."):
        if not found.name.startswith(_UNLOADED) and _declares_errors(found.name):
            importlib.import_module(found.name)
    owners = {one.package: name for name, one in registry.plugins.items()}
    for kind in _below(DukaError):
        top = ".".join(kind.__module__.split(".")[:2])
        if kind.__module__.startswith("kernel.") and not kind.__module__.startswith(_UNLOADED):
            yield "the kernel", kind
        elif top in owners:
            yield owners[top], kind


def _kernel_path() -> list[str]:
    return list(importlib.import_module("kernel").__path__)


def _declares_errors(module: str) -> bool:
    """Whether a module of the kernel may hold classes of errors; others are not loaded for it."""
    tree = source_of(module)
    return tree is not None and any(type(node).__name__ == "ClassDef" for node in tree.body)


def _below(kind: type[DukaError]) -> Iterator[type[DukaError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _default(one: dataclasses.Field[object]) -> str:
    if one.default is not dataclasses.MISSING:
        return f"`{one.default!r}`"
    return "" if one.default_factory is dataclasses.MISSING else "`{}`"
