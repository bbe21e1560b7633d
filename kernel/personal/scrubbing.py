"""Taking a person out of documents and texts that were not made for their data alone; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

SHORTEST = 3
"""A value shorter than this stands for too much to be searched for."""
TELLING = 6
"""A value at least this long, not a number of a few digits, is somebody's wherever it stands."""


@dataclass(frozen=True)
class Traces:
    """What is looked for: the person's id, their former values, and by which keys a document holds their data.

    keys: name of the key that holds the id (`id`, `customer_id`) → key beside it → whether it gets the pseudonym.
    """

    id: str
    values: tuple[str, ...]
    keys: Mapping[str, Mapping[str, bool]]
    pseudonym: str

    @classmethod
    def of(cls, id_: str, values: Iterable[str], keys: Mapping[str, Mapping[str, bool]], pseudonym: str) -> Traces:
        """The longest values first, so that a name goes before its first word."""
        worth = {value for value in values if len(value) >= SHORTEST and value != pseudonym}
        return cls(id_, tuple(sorted(worth, key=len, reverse=True)), keys, pseudonym)

    @property
    def telling(self) -> list[str]:
        """What makes a row worth looking at: the id, and values that can hardly be anybody else's."""
        return [self.id, *(value for value in self.values if len(value) >= TELLING)]


def scrub(value: Any, traces: Traces) -> Any:
    """A document without the person: keys beside their id emptied, their values replaced wherever they stand."""
    if isinstance(value, str):
        return scrub_text(value, traces)
    if isinstance(value, list):
        return [scrub(one, traces) for one in value]
    if not isinstance(value, dict):
        return value
    theirs: dict[str, bool] = {}
    for name, beside in traces.keys.items():
        if value.get(name) == traces.id:
            theirs |= beside
    return {
        name: _emptied(inner, traces.pseudonym if theirs[name] else "") if name in theirs else scrub(inner, traces)
        for name, inner in value.items()
    }


def scrub_text(text: str, traces: Traces) -> str:
    """A text without the person's values, whole words only, however their letters are written."""
    for value in traces.values:
        if value.casefold() == text.casefold():
            return traces.pseudonym
        if value.casefold() in text.casefold():
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", traces.pseudonym, text, flags=re.IGNORECASE)
    return text


def scrub_stored(stored: Any, traces: Traces) -> Any:
    """A column's value, be it a document, a text, or a text that holds a document."""
    if not isinstance(stored, str):
        return scrub(stored, traces)
    if stored[:1] in ("{", "["):
        try:
            return msgspec.json.encode(scrub(msgspec.json.decode(stored), traces)).decode()
        except msgspec.DecodeError:
            pass
    return scrub_text(stored, traces)


def texts_in(value: Any) -> Iterable[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def _emptied(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return text
    return type(value)() if isinstance(value, dict | list) else None
