"""The probe's tables."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Owned, Versioned, owned_key
from kernel.work import Tally


class Level(Base):
    """Stock of a product at a place."""

    __tablename__ = "probe_stock_level"
    __table_args__ = (sa.CheckConstraint("on_hand >= 0 OR product = 'free'", name="not_negative"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0, server_default="0")


class Limit(Base):
    """How often something may still be used. Its key's name needs quoting."""

    __tablename__ = "probe_stock_limit"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    order: Mapped[str] = mapped_column(primary_key=True)
    left: Mapped[int]
    most: Mapped[int]


class Paper(Owned, Versioned, Base):
    """A numbered paper. `end` needs quoting; `told` may hold the number inside a document."""

    __tablename__ = "probe_stock_paper"
    __table_args__ = (sa.UniqueConstraint("business_id", "number"),)

    number: Mapped[str]
    words: Mapped[str] = mapped_column(default="", server_default="")
    end: Mapped[int] = mapped_column(default=0, server_default="0")
    told: Mapped[dict[str, Any] | None]
    at: Mapped[dt.datetime | None]


class PaperLine(Owned, Base):
    """A line of a paper."""

    __tablename__ = "probe_stock_line"
    __table_args__ = (owned_key("paper_id", "probe_stock_paper"),)

    paper_id: Mapped[uuid.UUID]
    words: Mapped[str]


class Move(Owned, Base):
    """The book: never edited."""

    __tablename__ = "probe_stock_move"
    __table_args__ = ({"info": {"append_only": True}},)

    product: Mapped[str]
    amount: Mapped[int]


LIMITS = Tally(sa.inspect(Limit).local_table, ("order",), "left", "t.left", 10)  # type: ignore[arg-type]
LEVELS = Tally(sa.inspect(Level).local_table, ("product", "place"), "on_hand", "t.on_hand - t.reserved", 20)  # type: ignore[arg-type]
