"""Values of a business's own fields: what each kind takes, how it is stored, and the key by which filters find it.

A number is stored as its shortest decimal text, a date as ISO 8601, a reference as the id's text, a flag as itself.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any, Final, Literal

from msgspec import Struct

from kernel.money import MICRO, format_micro, parse_micro

Kind = Literal["text", "number", "date", "choice", "reference", "bool"]
Value = str | bool

MOST_LETTERS: Final = 500
"""In one text: its key must fit into an index of the database."""
RANGED: Final = frozenset({"number", "date"})
"""Kinds that a filter may ask for from and to."""
_TEXT: Final = re.compile(r"[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?", re.DOTALL)
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MIDNIGHT: Final = re.compile(r"T00:00(:00(\.0+)?)?\Z")
_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_YES, _NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n"})
_SHIFT: Final = 10**12 * MICRO
"""Added to numbers, so that their keys sort below zero too."""


class Field(Struct, frozen=True):
    """A field of a business's own, as its values are read by it."""

    id: uuid.UUID
    entity: str
    key: str
    label: str
    kind: Kind
    is_required: bool
    choices: tuple[str, ...]
    refers_to: str | None


class WrongValue(ValueError):
    """The field does not take the value. The message never repeats it."""


def read_value(field: Field, said: Any) -> Value:
    """A JSON value as it is stored. Raises WrongValue."""
    if field.kind == "bool":
        if not isinstance(said, bool):
            raise WrongValue("Must be true or false")
        return said
    if not isinstance(said, str):
        raise WrongValue("Must be a text" if field.kind != "number" else 'Must be a decimal text, such as "2.5"')
    return _READ[field.kind](field, said)


def read_text(field: Field, said: str) -> Value:
    """What a cell of a table or a query string says, as it is stored. Raises WrongValue."""
    text = said.strip(" ")
    if field.kind == "bool":
        if text.lower() not in _YES | _NO:
            raise WrongValue("Write yes or no")
        return text.lower() in _YES
    return read_value(field, _MIDNIGHT.sub("", text) if field.kind == "date" else text)


def key_of(kind: Kind, value: Value) -> str:
    """The key of a stored value: equal for equal values, and in the order of numbers and dates."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{_scaled(value) + _SHIFT:019d}" if kind == "number" else value


def written(value: Value | None) -> str:
    """A stored value in a cell of a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or ""


def _text(_field: Field, said: str) -> str:
    if len(said) > MOST_LETTERS:
        raise WrongValue(f"At most {MOST_LETTERS} letters")
    if not _TEXT.fullmatch(said):
        raise WrongValue("One line, not empty, without spaces at its ends")
    return said


def _number(_field: Field, said: str) -> str:
    if not _NUMBER.fullmatch(said):
        raise WrongValue('Must be a decimal such as "-12.5": twelve digits and six decimals at most')
    return format_micro(_scaled(said))


def _scaled(said: str) -> int:
    """Scaled by MICRO; less than nothing and minus zero too."""
    return -parse_micro(said[1:]) if said.startswith("-") else parse_micro(said)


def _date(_field: Field, said: str) -> str:
    if not _DATE.fullmatch(said):
        raise WrongValue("Must be a date, YYYY-MM-DD")
    try:
        return dt.date.fromisoformat(said).isoformat()
    except ValueError as fault:
        raise WrongValue("There is no such day") from fault


def _choice(field: Field, said: str) -> str:
    if said not in field.choices:
        raise WrongValue(f"Must be one of {', '.join(field.choices)}"[:200])
    return said


def _reference(_field: Field, said: str) -> str:
    if not _ID.fullmatch(said):
        raise WrongValue("Must be an id")
    return str(uuid.UUID(said))


_READ: Final = {"text": _text, "number": _number, "date": _date, "choice": _choice, "reference": _reference}
