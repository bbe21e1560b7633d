"""The fields of a business, recalled with its configuration: asking for them costs no round trip."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from kernel.custom.values import Field
from kernel.db import Configured, Rows
from kernel.db.custom import entity_tables
from kernel.db.tables import CustomField
from kernel.work import Work

_FIELDS = Configured(
    sa.select(
        CustomField.id,
        CustomField.entity,
        CustomField.key,
        CustomField.label,
        CustomField.kind,
        CustomField.is_required,
        CustomField.choices,
        CustomField.refers_to,
    )
    .where(CustomField.business_id == sa.bindparam("business_id"), CustomField.is_archived.is_(False))
    .order_by(CustomField.position, CustomField.id)
)


async def custom_fields(work: Work, entity: str) -> tuple[Field, ...]:
    """The fields of an entity that are in use, in the order in which they are shown."""
    return (await all_fields(work)).get(entity, ())


async def all_fields(work: Work) -> Mapping[str, tuple[Field, ...]]:
    """Entity → its fields that are in use."""
    return await work.recall(_FIELDS, _by_entity)


def entities(work: Work) -> dict[str, sa.Table]:
    """Entity → its table, of all that take fields and whose plugin is on."""
    return {entity: table for entity, table in entity_tables().items() if work.enabled(entity.partition(".")[0])}


def _by_entity(rows: Rows) -> Mapping[str, tuple[Field, ...]]:
    found: dict[str, tuple[Field, ...]] = {}
    for row in rows:
        one = Field(
            row.id, row.entity, row.key, row.label, row.kind, row.is_required, tuple(row.choices), row.refers_to
        )
        found[one.entity] = (*found.get(one.entity, ()), one)
    return found
