"""What a column holds of people: said where the column is declared, read by whoever exports, erases or checks.

Each of these makes the `info` of a column: `name: Mapped[str] = mapped_column(info=personal("name"))`. A column that
says nothing must be provably impersonal (ids, money, times, flags, codes); `faults` names those that are neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

__all__ = ["Erasing", "Info", "Kind", "carries", "impersonal", "kept", "names", "personal", "secret"]

Kind = Literal["name", "contact", "address", "tax_number", "free_text", "behaviour"]
Erasing = Literal["blank", "pseudonym", "keep"]
INFO = "personal"
PERSON = "person"
"""In a table's `info`: its rows are people of this kind, known by their `id`."""


@dataclass(frozen=True)
class Personal:
    """Somebody's data. of: the column of the same row that says whose; empty: nobody's id stands beside it.

    erasing: what becomes of it; `keep` gives its reason in `why`. telling: its value is looked for elsewhere too.
    """

    kind: Kind
    of: str
    erasing: Erasing
    why: str = ""
    telling: bool = True


@dataclass(frozen=True)
class Names:
    """The id of a person of a kind. whole: the row is theirs; otherwise they only did something with it."""

    person: str
    whole: bool


@dataclass(frozen=True)
class Carries:
    """May carry anybody's data inside: erasing searches it for the person's id and values."""

    why: str


@dataclass(frozen=True)
class Secret:
    """A password's hash, a key, a seed: never exported, and worthless once its owner is erased."""

    of: str


@dataclass(frozen=True)
class Impersonal:
    """Nobody's data, and why. hidden: the business's own, never part of what is handed to a person."""

    why: str
    hidden: bool = False


Class = Personal | Names | Carries | Secret | Impersonal
Info = dict[Any, Any]


def personal(
    kind: Kind, *, of: str = "id", erasing: Literal["blank", "pseudonym"] = "blank", telling: bool = True
) -> Info:
    """Somebody's data, to be blanked or replaced by a pseudonym when they are erased.

    telling: documents are searched for its value as well. Not so what many people share, such as a size or a birthday.
    """
    return {INFO: Personal(kind, of, erasing, telling=telling)}


def kept(kind: Kind, why: str, *, of: str = "") -> Info:
    """Somebody's data that stays when they are erased, because a law wants it: why."""
    return {INFO: Personal(kind, of, "keep", why)}


def names(person: str, *, whole: bool = False) -> Info:
    """The id of a person."""
    return {INFO: Names(person, whole)}


def carries(why: str) -> Info:
    """Anybody's data may stand inside."""
    return {INFO: Carries(why)}


def secret(*, of: str = "") -> Info:
    """Something by which one signs in, or its hash."""
    return {INFO: Secret(of)}


def impersonal(why: str, *, hidden: bool = False) -> Info:
    """Nobody's data."""
    return {INFO: Impersonal(why, hidden)}


_CODES = frozenset(
    {
        *("kind", "status", "state", "number", "code", "sku", "barcode", "currency", "region", "zone", "unit"),
        *("method", "mode", "direction", "channel", "account", "plugin", "version", "cron", "route"),
    }
)
"""Names that mean a code wherever they stand."""
_CODE_ENDS = re.compile(r".+_(kind|number)\Z")
_PEOPLE = re.compile(r"(?:.*_)?(?:by|by_id|user_id|customer_id|cashier_id|actor_id|person_id|principal)\Z")
"""Columns of ids that can only be ids of people."""
_HOLDS_ANYTHING = (sa.String, sa.JSON, sa.LargeBinary)


def class_of(column: sa.Column[Any]) -> Class | None:
    """What a column is declared to be, or provably is; None when nobody can tell."""
    declared = column.info.get(INFO)
    if isinstance(declared, Class):
        return declared
    if "cost" in column.name:
        return Impersonal("what the business pays", hidden=True)
    if isinstance(column.type, sa.LargeBinary) and (column.name == "hash" or column.name.endswith("_hash")):
        return Impersonal("a digest", hidden=True)
    if not isinstance(column.type, _HOLDS_ANYTHING):
        return Impersonal("an id, an amount, a time or a flag")
    is_code = column.name in _CODES or (_CODE_ENDS.match(column.name) and column.name != "tax_number")
    return Impersonal("a code") if is_code and not isinstance(column.type, sa.JSON) else None


def person_tables(tables: Iterable[sa.Table]) -> dict[str, sa.Table]:
    """Kind of person → the table of such people."""
    return {table.info[PERSON]: table for table in tables if PERSON in table.info}


def faults(tables: Iterable[sa.Table]) -> list[str]:
    """Every column that is not classed, or whose class cannot be carried out; one sentence each."""
    tables = list(tables)
    people = person_tables(tables)
    return [
        f"{table.name}.{column.name}: {said}"
        for table in tables
        for column in table.columns
        for said in _faults_of(table, column, people)
    ]


def _faults_of(table: sa.Table, column: sa.Column[Any], people: Mapping[str, sa.Table]) -> Iterator[str]:
    match class_of(column):
        case None:
            yield "nobody has said whether it holds personal data; see kernel/db/personal.py"
        case Names(person):
            if person not in people:
                yield f"names a {person}, but no table says that its rows are such people"
        case Personal() as said:
            yield from _faults_of_personal(table, column, said)
        case Secret(of) if of and of not in table.c:
            yield f"belongs to {of}, which is no column of {table.name}"
        case _:
            pass
    if isinstance(column.type, sa.Uuid) and not isinstance(column.info.get(INFO), Names) and _is_person(column, people):
        yield 'is the id of a person: declare it with names("…")'


def _is_person(column: sa.Column[Any], people: Mapping[str, sa.Table]) -> bool:
    if column.table.info.get(PERSON) and column.name == "id":
        return False
    points_at_one = any(key.column.table in people.values() and key.column.name == "id" for key in column.foreign_keys)
    return points_at_one or _PEOPLE.match(column.name) is not None


def _faults_of_personal(table: sa.Table, column: sa.Column[Any], said: Personal) -> Iterator[str]:
    if said.of and said.of not in table.c:
        yield f"is of {said.of}, which is no column of {table.name}"
    if said.erasing == "keep":
        if not said.why:
            yield "is kept without a reason"
        return
    if table.info.get("append_only"):
        yield "stands in an append-only table, so it can only be kept, with a reason, or not be stored at all"
    if not isinstance(column.type, sa.String | sa.JSON):
        yield "only texts and documents can be erased by themselves"
    if said.erasing == "pseudonym" and isinstance(column.type, sa.JSON):
        yield "a document is blanked; it cannot be a pseudonym"
    unique = column.unique or column.primary_key
    if said.erasing == "blank" and unique and not column.nullable:
        yield "is unique, so two people erased would collide: make it a pseudonym"
