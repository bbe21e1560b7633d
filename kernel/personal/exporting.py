"""Everything about one person as one JSON document, written table by table, so that its length costs no memory."""

from __future__ import annotations

import copy
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.db import Transaction
from kernel.db.personal import Impersonal, Names, Personal, Secret, class_of, person_tables
from kernel.errors import NotFound
from kernel.personal.places import Place, in_reach, places_of, tables_of
from kernel.registry import Registry
from kernel.work import NO_BUSINESS, Deployment, Work
from kernel.work.fields import hide_ext

BATCH = 500


async def check_there(work: Work, kind: str, person: uuid.UUID) -> None:
    """Raise NotFound unless the business has this person."""
    table = person_tables(tables_of(work.deployment.registry))[kind]
    there = await work.execute(sa.select(table.c.id).where(Place(table, "id", True).rows(work.business_id, person)))
    if there.first() is None:
        raise NotFound


async def archive(
    deployment: Deployment, kind: str, person: uuid.UUID, businesses: Sequence[uuid.UUID]
) -> AsyncIterator[bytes]:
    """The document in pieces: who, when, and every row of each place in each business (and above them, if named).

    Rows that are the person's own come whole, less secrets, digests, what the business pays and what is another
    person's; of rows in which they only did something, what says so. Each batch of rows is read in a moment of its
    own, so that a slow reader holds no connection.
    """
    places = places_of(kind, tables_of(deployment.registry))
    head = {"kind": kind, "id": person, "exported_at": deployment.clock()}
    yield msgspec.json.encode(head)[:-1] + b',"tables":['
    first = True
    for business in businesses:
        for place in places:
            if not in_reach(place.table, business):
                continue
            async for piece in _rows_of(deployment, place, business, person, b"" if first else b","):
                first = False
                yield piece
    yield b"]}"


async def _rows_of(
    deployment: Deployment, place: Place, business: uuid.UUID, person: uuid.UUID, before: bytes
) -> AsyncIterator[bytes]:
    """A table's rows as one JSON object; nothing where there are none."""
    columns, after = shown(place), None
    begun = False
    while True:
        async with deployment.database.reading(business) as transaction:
            rows, after = await _batch(
                transaction, place, columns, place.rows(business, person), after, deployment.registry
            )
        if rows and not begun:
            said: dict[str, Any] = {"table": str(place.table.name), "by": str(place.via)}
            if business != NO_BUSINESS:
                said["business_id"] = business
            yield before + msgspec.json.encode(said)[:-1] + b',"rows":['
        if rows:
            yield (b"," if begun else b"") + msgspec.json.encode(rows)[1:-1]
            begun = True
        if len(rows) < BATCH:
            break
    if begun:
        yield b"]}"


async def _batch(
    transaction: Transaction,
    place: Place,
    columns: Iterable[sa.Column[Any]],
    mine: sa.ColumnElement[bool],
    after: Sequence[Any] | None,
    registry: Registry,
) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """The next rows by primary key, and the key of the last."""
    keys = list(place.table.primary_key.columns)
    statement = sa.select(*columns, *(key.label(f"_key{n}") for n, key in enumerate(keys))).where(mine)
    if after is not None:
        behind = [sa.literal(value, key.type) for value, key in zip(after, keys, strict=True)]
        statement = statement.where(sa.tuple_(*keys) > sa.tuple_(*behind))
    found = (await transaction.execute(statement.order_by(*keys).limit(BATCH))).mappings().all()
    rows = [{str(column.name): row[column.name] for column in columns} for row in found]
    for column in columns:
        if (subject := column.info.get("extends")) is not None:
            for row in rows:
                row[str(column.name)] = ext = copy.deepcopy(row[str(column.name)])
                hide_ext(ext, subject, lambda _permission: False, registry)
    return rows, [found[-1][f"_key{n}"] for n in range(len(keys))] if found else None


def shown(place: Place) -> list[sa.Column[Any]]:
    """The columns of a place that are for the person's eyes."""
    return [column for column in place.table.columns if _is_shown(column, place)]


def _is_shown(column: sa.Column[Any], place: Place) -> bool:
    if column.primary_key or column.name == place.via:
        return not isinstance(column.type, sa.LargeBinary)
    match class_of(column):
        case Personal(of=of):
            return of == place.via
        case Secret() | Names() | None:
            return False
        case Impersonal(hidden=True):
            return False
    return place.whole or issubclass(column.type.python_type, dt.date)
