"""Defining fields: added, changed, archived. What is stored under a field is never lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from kernel.custom.fields import entities
from kernel.custom.values import Kind
from kernel.db import new_id
from kernel.db.custom import key_tables
from kernel.db.tables import Business, CustomField
from kernel.errors import Conflict, Invalid, NotFound
from kernel.work import Work

MOST_FIELDS: Final = 50
"""In use on one entity."""
MOST_EVER: Final = 200
"""On one entity, those archived too."""


class CustomFieldInUse(Conflict):
    """Values are stored that the changed field could not hold."""

    code, title = "custom-field-in-use", "The field has values"


class TooManyCustomFields(Conflict):
    """One entity carries only so many fields."""

    code, title = "too-many-custom-fields", "There are too many fields"


async def define_field(work: Work, *, id_: UUID | None, key: str, entity: str, **values: Any) -> CustomField:
    """Add a field. Raises Invalid, NotFound for an entity that takes none, TooManyCustomFields.

    The database refuses a key that is taken, by an archived field too.
    """
    _check_entity(work, entity, "/entity")
    row = CustomField(
        id=id_ or new_id(), key=key, entity=entity, is_archived=False, created_at=work.now, version=1, **values
    )
    _check(work, row)
    await _check_count(work, entity)
    work.session.add(row)
    await work.session.flush()
    work.audit(subject=f"custom_field:{row.id}", entity=entity, key=key)
    return row


async def change_field(work: Work, id_: UUID, changes: dict[str, Any]) -> CustomField:
    """Change a field. Raises NotFound, Invalid, PreconditionFailed, and CustomFieldInUse where values would not fit."""
    row = await work.get(CustomField, id_, to_change=True)
    work.check_version(row.version)
    before = {name: getattr(row, name) for name in ("kind", "refers_to", "choices", "is_archived")}
    for name, value in changes.items():
        setattr(row, name, value)
    _check(work, row)
    if before["is_archived"] and not row.is_archived:
        await _check_count(work, row.entity, again=True)
    await _refuse_misfits(work, row, before)
    await _written(work, row, sorted(changes))
    return row


async def archive_field(work: Work, id_: UUID) -> None:
    """Show a field nowhere any more; its values stay, and come back with it. Raises NotFound."""
    row = await work.get(CustomField, id_, to_change=True)
    if not row.is_archived:
        row.is_archived = True
        await _written(work, row, ["is_archived"])


async def _written(work: Work, row: CustomField, changed: Sequence[str]) -> None:
    row.version += 1
    await work.session.flush()
    work.audit(subject=f"custom_field:{row.id}", changed=changed)


def _check_entity(work: Work, entity: str, pointer: str) -> None:
    known = entities(work)
    if entity not in known:
        there = ", ".join(sorted(known)) or "nothing that is on"
        raise NotFound.at(pointer, f"Fields are taken by {there}")


def _check(work: Work, row: CustomField) -> None:
    """Raise Invalid unless what the field says of itself goes together."""
    if (row.kind == "choice") != bool(row.choices):
        said = "A choice needs what to choose from" if row.kind == "choice" else "Only a choice has choices"
        raise Invalid.at("/choices", said)
    if len(set(row.choices)) != len(row.choices):
        raise Invalid.at("/choices", "Name each once", code="duplicate")
    if (row.kind == "reference") != (row.refers_to is not None):
        said = "A reference needs to say to what" if row.kind == "reference" else "Only a reference refers to anything"
        raise Invalid.at("/refers_to", said)
    if row.refers_to is not None:
        _check_entity(work, row.refers_to, "/refers_to")


async def _check_count(work: Work, entity: str, *, again: bool = False) -> None:
    """Raise TooManyCustomFields where there is no room. Deeds that add fields do so one after the other."""
    await work.execute(sa.select(Business.id).where(Business.id == work.business_id).with_for_update())
    in_use = sa.func.count().filter(CustomField.is_archived.is_(False))
    here = sa.and_(CustomField.business_id == work.business_id, CustomField.entity == entity)
    row = (await work.execute(sa.select(in_use.label("in_use"), sa.func.count().label("ever")).where(here))).one()
    if row.in_use >= MOST_FIELDS or (row.ever >= MOST_EVER and not again):
        raise TooManyCustomFields(f"At most {MOST_FIELDS} in use, and {MOST_EVER} with those archived")


async def _refuse_misfits(work: Work, row: CustomField, before: dict[str, Any]) -> None:
    """Raise CustomFieldInUse where stored values are of another kind, of another entity, or of a choice that goes."""
    kind: Kind = before["kind"]
    gone = sorted(set(before["choices"]) - set(row.choices))
    if row.kind != kind or row.refers_to != before["refers_to"]:
        if await _has_values(work, row):
            raise CustomFieldInUse("Its kind stays as long as values are stored; archive it and add another")
    elif gone and await _has_values(work, row, gone):
        raise CustomFieldInUse("A choice that is stored somewhere stays")


async def _has_values(work: Work, row: CustomField, among: Sequence[str] = ()) -> bool:
    keys = key_tables()[row.entity].c
    asked = sa.select(sa.literal(1)).where(keys.business_id == work.business_id, keys.field_id == row.id)
    if among:
        asked = asked.where(keys.key.in_(among))
    return (await work.execute(asked.limit(1))).first() is not None
