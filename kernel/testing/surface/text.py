"""The surface as text, and the text read back."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from packaging.version import Version

Surface = Mapping[str, Sequence[str]]
"""Module → its lines; a line that begins with two spaces is a member of the class above it."""

HEAD = "# What plugin authors may rely on, written from the source; the promise: docs/compatibility.md."


def written(surface: Surface, version: str) -> str:
    """The text of a surface."""
    lines = [f"Duka {version}", HEAD]
    for module, said in surface.items():
        lines += ["", f"[{module}]", *said]
    return "\n".join(lines) + "\n"


def version_of(text: str) -> Version:
    """The version that a text is of."""
    return Version(text.partition("\n")[0].removeprefix("Duka "))


def parse(text: str) -> Surface:
    """The surface that a text holds."""
    found: dict[str, list[str]] = {}
    module = ""
    for line in text.splitlines()[2:]:
        if line.startswith("["):
            module = line.strip("[]")
            found[module] = []
        elif line:
            found[module].append(line)
    return found


def differences(kept: str, present: str) -> list[str]:
    """What differs between the text that is kept and that of the source, with what to do; nothing if they agree."""
    changed = [
        line
        for line in difflib.unified_diff(kept.splitlines(), present.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    return [*changed, "the public surface changed; run `make docs` and commit what it writes"] if changed else []
