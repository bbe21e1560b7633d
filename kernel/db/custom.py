"""Tables of what a business adds to things by fields of its own: the values with the thing, their keys for filters.

An entity that takes such fields has a column of values, field → value, and a table of keys:

    custom: Mapped[dict[str, Any]] = mapped_column(Json, server_default="{}", info=custom_values("catalog.product") | …)

    class ProductKey(CustomKey, Base):
        __tablename__ = "catalog_product_key"
        __table_args__ = custom_keys("catalog.product", "catalog_product")
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base, owned_key

__all__ = ["CustomKey", "SortedText", "custom_keys", "custom_values", "entity_tables", "key_tables"]

VALUES, KEYS = "custom_values", "custom_keys"

SortedText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Texts ordered by code point on both databases."""


class CustomKey:
    """A value of a field of the business's own, so written that equal values are equal and ranges sort.

    kind: the field's, held by the reference to it: while there are values, the database refuses to change it.
    """

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    field_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]


def custom_values(entity: str) -> dict[Any, Any]:
    """The `info` of the column that holds the values of an entity such as `catalog.product`."""
    return {VALUES: entity}


def custom_keys(entity: str, owner: str) -> tuple[Any, ...]:
    """The `__table_args__` of the table of keys. owner: the entity's table."""
    return (
        owned_key("owner_id", owner),
        sa.ForeignKeyConstraint(
            ["business_id", "field_id", "kind"],
            ["kernel_custom_field.business_id", "kernel_custom_field.id", "kernel_custom_field.kind"],
        ),
        sa.Index(None, "business_id", "field_id", "key", "owner_id"),
        {"info": {KEYS: entity}},
    )


def entity_tables(tables: Iterable[sa.Table] | None = None) -> dict[str, sa.Table]:
    """Entity → its table, of all that take fields of a business's own."""
    known = Base.metadata.tables.values() if tables is None else tables
    return {column.info[VALUES]: table for table in known for column in table.columns if VALUES in column.info}


def key_tables() -> dict[str, sa.Table]:
    """Entity → its table of keys."""
    return {table.info[KEYS]: table for table in Base.metadata.tables.values() if KEYS in table.info}
