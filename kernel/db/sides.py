"""Side tables: what a plugin adds to another plugin's things, one row each, in typed columns of its own.

    class Card(SideRow, Base):
        __tablename__ = "stamps_card"
        __table_args__ = side_of("customers.customer", "customers_customer", plugin="stamps")

        number: Mapped[str] = mapped_column(info=personal("contact", of="owner_id"))

Its columns are the fields of the Struct that the plugin's `EXTENSIONS` name for the subject. They travel in the owner's
`ext`; the owner writes and reads them through `kernel.work.sides`, whatever plugin they are of.
"""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base, owned_key

__all__ = ["SideRow", "side_columns", "side_of", "side_tables"]

SIDE = "side"
_KEY = ("business_id", "owner_id")


class SideRow:
    """One thing of another plugin's, and what this plugin adds to it. owner_id: the thing's."""

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


def side_of(subject: str, owner: str, *more: Any, plugin: str) -> tuple[Any, ...]:
    """The `__table_args__` of a side table. owner: the subject's table. more: constraints and indexes besides."""
    return (owned_key("owner_id", owner), *more, {"info": {SIDE: (subject, plugin)}})


def side_tables(subject: str) -> dict[str, sa.Table]:
    """Plugin → its table on the side of a subject, by name."""
    beside = [table for table in Base.metadata.tables.values() if SIDE in table.info]
    said = [(table.info[SIDE], table) for table in sorted(beside, key=lambda table: table.name)]
    return {plugin: table for (whose, plugin), table in said if whose == subject}


def side_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that are not its key: the fields of the Struct."""
    return [column for column in table.columns if column.name not in _KEY]


def subjects_of(plugin: str) -> dict[str, sa.Table]:
    """Subject → the side table that a plugin keeps for it."""
    found = (table for table in Base.metadata.tables.values() if SIDE in table.info)
    return {table.info[SIDE][0]: table for table in found if table.info[SIDE][1] == plugin}


def plugin_beside(table: str) -> str | None:
    """The plugin whose side table this is; None for any other table."""
    found = Base.metadata.tables.get(table)
    return found.info[SIDE][1] if found is not None and SIDE in found.info else None
