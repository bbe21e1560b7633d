"""Values on their way in and out: read by the fields of the business, kept with their owner, answered with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.custom.fields import custom_fields, entities
from kernel.custom.values import Field, Value, WrongValue, key_of, read_value
from kernel.db import Prepared, among
from kernel.db.custom import key_tables
from kernel.errors import Fault, Invalid, NotFound
from kernel.work import Work

Values = Mapping[str, Any]


async def new_values(work: Work, entity: str, many: Sequence[Values], bases: Sequence[str]) -> list[dict[str, Value]]:
    """What is stored of new things: their `custom` as requests give it. bases: where each thing stands in the body.

    Raises Invalid at what is unknown, missing or wrong, NotFound at a reference that names nothing of this business.
    """
    fields = await custom_fields(work, entity)
    if not fields and not any(many):
        return [{} for _ in many]
    read = [_read(fields, {}, given, f"{base}/custom") for given, base in zip(many, bases, strict=True)]
    for values, base in zip(read, bases, strict=True):
        _refuse_missing([one for one in fields if one.is_required and one.key not in values], f"{base}/custom")
    await _check_references(work, fields, list(zip(many, bases, strict=True)))
    return read


async def changed_values(work: Work, entity: str, former: Values, given: Values) -> dict[str, Value]:
    """What is stored once some values are given anew; null takes one away, the others stay. Raises as `new_values`."""
    return (await changed_of_many(work, entity, [(former, given)], [""]))[0]


async def changed_of_many(
    work: Work, entity: str, many: Sequence[tuple[Values, Values]], bases: Sequence[str]
) -> list[dict[str, Value]]:
    """The same of several things: what each has, and what is given. bases: where each stands in the body."""
    fields = await custom_fields(work, entity)
    found = []
    for (former, given), base in zip(many, bases, strict=True):
        values = _read(fields, former, given, f"{base}/custom")
        missing = [one for one in fields if one.is_required and one.key in given.keys() - values]
        _refuse_missing(missing, f"{base}/custom")
        found.append(values)
    await _check_references(work, fields, [(given, base) for (_, given), base in zip(many, bases, strict=True)])
    return found


async def write_keys(work: Work, entity: str, owners: Sequence[tuple[UUID, Values]], *, are_new: bool = False) -> None:
    """Write by what filters find things; for every deed that has changed their values. owners: ids and values."""
    fields = await custom_fields(work, entity)
    if not fields or not owners:
        return
    keys = key_tables()[entity]
    if not are_new:
        mine = sa.and_(
            keys.c.business_id == work.business_id,
            keys.c.owner_id.in_([id_ for id_, _ in owners]),
            keys.c.field_id.in_([one.id for one in fields]),
        )
        await work.execute(sa.delete(keys).where(mine))
    rows = [{"business_id": work.business_id} | row for id_, values in owners for row in _keys(fields, id_, values)]
    if rows:
        await work.execute(sa.insert(keys), rows)


def declare_keys(work: Work, fields: Sequence[Field], owner_id: UUID, values: Values) -> None:
    """Declare by what filters find a new thing whose own row is declared: written with the rest, in no round trip more.

    fields: those of the entity, as `custom_fields` answered before the deed began to write.
    """
    for row in _keys(fields, owner_id, values):
        work.insert(key_tables()[fields[0].entity], row)


def shown_values(fields: Sequence[Field], stored: Values) -> dict[str, Any]:
    """The `custom` of an answer: every field in use, None where nothing is set."""
    return {one.key: stored.get(one.key) for one in fields}


def _keys(fields: Sequence[Field], owner_id: UUID, values: Values) -> list[dict[str, Any]]:
    return [
        {"owner_id": owner_id, "field_id": one.id, "kind": one.kind, "key": key_of(one.kind, values[one.key])}
        for one in fields
        if one.key in values
    ]


def _read(fields: Sequence[Field], former: Values, given: Values, base: str) -> dict[str, Value]:
    known = {one.key: one for one in fields}
    values = dict(former)
    for key, said in given.items():
        here = f"{base}/{key[:60].replace('~', '~0').replace('/', '~1')}"
        if key not in known:
            raise Invalid.at(here, "There is no such field", code="unknown")
        if said is None:
            values.pop(key, None)
            continue
        try:
            values[key] = read_value(known[key], said)
        except WrongValue as fault:
            raise Invalid.at(here, str(fault)) from fault
    return values


def _refuse_missing(missing: Sequence[Field], base: str) -> None:
    if missing:
        faults = [Fault(f"{base}/{one.key}", "required", f"{one.label} is required") for one in missing]
        raise Invalid(faults[0].detail, faults=faults)


async def _check_references(work: Work, fields: Sequence[Field], given: Sequence[tuple[Values, str]]) -> None:
    """Raise NotFound at the first id that names nothing: one question for each entity that is referred to."""
    wanted: dict[str, dict[UUID, str]] = {}
    for one in fields:
        for values, base in given if one.refers_to else ():
            if isinstance(said := values.get(one.key), str):
                wanted.setdefault(one.refers_to or "", {}).setdefault(UUID(said), f"{base}/custom/{one.key}")
    for entity, ids in wanted.items():
        there = await known_ids(work, entity, ids)
        if missing := [pointer for id_, pointer in ids.items() if id_ not in there]:
            raise NotFound.at(missing[0], "There is no such thing")


async def known_ids(work: Work, entity: str, ids: Mapping[UUID, Any]) -> set[UUID]:
    """Which ids name something of this business that the actor may see; none where the entity's plugin is off."""
    table = entities(work).get(entity)
    if table is None:
        return set()
    if entity not in _THERE:
        here = sa.and_(table.c.business_id == sa.bindparam("business_id", type_=sa.Uuid()), among(table.c.id, "ids"))
        location = table.c.get("location_id", sa.null())
        _THERE[entity] = Prepared(sa.select(table.c.id, location.label("location_id")).where(here))
    rows = await work.fetch(_THERE[entity], ids=list(ids))
    return {row.id for row in rows if work.actor.works_at(row.location_id)}


_THERE: dict[str, Prepared] = {}
"""Entity → the question which of some ids are there."""
