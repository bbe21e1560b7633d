"""The shelf's tables."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Owned, owned_key


class Paper(Owned, Base):
    """A paper that the law wants kept."""

    __tablename__ = "probe_shelf_paper"
    __table_args__ = (sa.UniqueConstraint("business_id", "number"), {"info": {"append_only": True}})

    number: Mapped[int]
    words: Mapped[str]
    day: Mapped[dt.date]
    at: Mapped[dt.datetime | None]
    told: Mapped[dict[str, Any] | None]
    stamp: Mapped[bytes] = mapped_column(sa.LargeBinary)
    rate: Mapped[Decimal] = mapped_column(sa.Numeric(20, 6))
    is_final: Mapped[bool]


class Line(Owned, Base):
    """A line of a paper."""

    __tablename__ = "probe_shelf_line"
    __table_args__ = (owned_key("paper_id", "probe_shelf_paper"), {"info": {"append_only": True}})

    paper_id: Mapped[uuid.UUID]
    words: Mapped[str]


class Note(Owned, Base):
    """A note, below another."""

    __tablename__ = "probe_shelf_note"
    __table_args__ = (
        owned_key("above_id", "probe_shelf_note"),
        owned_key("paper_id", "probe_shelf_paper"),
        sa.Index("ix_probe_shelf_note_words", "business_id", "words"),
        sa.CheckConstraint("words <> ''", name="words"),
    )

    above_id: Mapped[uuid.UUID | None]
    paper_id: Mapped[uuid.UUID | None]
    words: Mapped[str]
    weight: Mapped[int] = mapped_column(default=1, server_default="1")


class Shade(Base):
    """Something of the whole deployment's."""

    __tablename__ = "probe_shelf_shade"
    __table_args__ = ({"info": {"global": True}},)

    code: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str]
