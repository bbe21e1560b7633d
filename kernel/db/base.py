"""What every table shares: names of constraints, types that mean the same on both databases, the owning business."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
import uuid_utils.compat
from advanced_alchemy.types import DateTimeUTC
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; jsonb on PostgreSQL."""
Flag = sa.Boolean(create_constraint=False)
Moment = DateTimeUTC(timezone=True)
"""An instant, UTC on both databases."""

CONFIGURATION = {"configuration": True}
"""`info` of a table whose rows say how later deeds are done, and change seldom: rates, promotions, places."""


def is_configuration(table: Any) -> bool:
    """Whether a table, or whatever else a statement reads or writes, holds configuration."""
    return bool(table.info.get("configuration")) if isinstance(table, sa.Table) else False


def table_of(model: Any) -> sa.Table:
    """The table of a model; a table as it is."""
    table: sa.Table = model if isinstance(model, sa.Table) else model.__table__
    return table


def new_id() -> uuid.UUID:
    """A UUIDv7: unique everywhere, and ordered by time of making."""
    return uuid_utils.compat.uuid7()


class Base(DeclarativeBase):
    """The parent of every model. A table is owned by a business, or global and named so in `info`.

    `__table_args__` may carry `{"info": {"append_only": True}}` for books that are never edited.
    """

    metadata = sa.MetaData(naming_convention=NAMES)
    type_annotation_map = {
        uuid.UUID: sa.Uuid(),
        int: sa.BigInteger(),
        str: sa.Text(),
        bool: Flag,
        dt.datetime: Moment,
        dt.date: sa.Date(),
        dict[str, Any]: Json,
        list[str]: Json,
    }


class Owned:
    """A row of one business. The key starts with the business, so no reference can cross to another."""

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)


class Versioned:
    """A row that people edit: its version is the ETag, raised by every change.

    The ORM writes it only while its version is still the one that was read; otherwise the deed runs again, and finds
    out that the caller's If-Match is stale.
    """

    version: Mapped[int] = mapped_column(default=1, server_default="1")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version, "version_id_generator": False}


def owned_key(column: str, table: str, *, name: str | None = None) -> sa.ForeignKeyConstraint:
    """A foreign key (business_id, column) → (business_id, id) of a table, so that it stays within the business."""
    return sa.ForeignKeyConstraint(["business_id", column], [f"{table}.business_id", f"{table}.id"], name=name)
