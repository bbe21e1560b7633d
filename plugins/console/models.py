"""How people have arranged their dashboards and lists, and the views of lists that they saved."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Json, Owned, Versioned
from kernel.db.personal import carries, impersonal, names, personal


class Arrangement(Versioned, Base):
    """A person's dashboard in a business. cards: in their order, as `schemas.dashboard.Arranged` has them."""

    __tablename__ = "console_arrangement"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("user", whole=True))
    cards: Mapped[list[dict[str, Any]]] = mapped_column(Json, info=impersonal("names of cards"))
    changed_at: Mapped[dt.datetime]


class View(Owned, Versioned, Base):
    """A view of a list: what it is filtered and sorted by, under a name, for its maker or for all who see the list.

    query: filter → text. columns: as `schemas.views.ColumnKept` has them, None as each reader has them.
    """

    __tablename__ = "console_view"
    __table_args__ = (sa.Index("ix_console_view_list", "business_id", "list_name", "made_by"),)

    list_name: Mapped[str] = mapped_column(info=impersonal("the name of a list"))
    name: Mapped[str] = mapped_column(info=personal("free_text", of="made_by", telling=False))
    query: Mapped[dict[str, str]] = mapped_column(Json, info=carries("what was searched for may be a name"))
    columns: Mapped[list[dict[str, Any]] | None] = mapped_column(Json, info=impersonal("names of columns"))
    is_shared: Mapped[bool]
    made_by: Mapped[uuid.UUID] = mapped_column(info=names("user", whole=True))
    made_at: Mapped[dt.datetime]


class ListChoice(Versioned, Base):
    """What a person has chosen of a list. columns: id of a view, or "", → columns; opens_with: a view."""

    __tablename__ = "console_list_choice"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("user", whole=True))
    list_name: Mapped[str] = mapped_column(primary_key=True, info=impersonal("the name of a list"))
    columns: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("ids of views, names of columns"))
    opens_with: Mapped[uuid.UUID | None]
    changed_at: Mapped[dt.datetime]
