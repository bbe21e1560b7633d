"""Promotions, and what each of them took off the lines of sales."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, names


class Promotion(Owned, Versioned, Base):
    """A rule that lowers the price of a product, or of all goods in a category and below it.

    `value` is in the unit of its kind: percent scaled by MICRO, minor units off each unit sold, or a unit price scaled
    by MICRO. It runs from `starts_at` up to, not including, `ends_at`, and only while its state is active.
    """

    __tablename__ = "discounts_promotion"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "name"),
        sa.CheckConstraint("value >= 0", name="value"),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="span"),
        sa.CheckConstraint("(target = 'product') = (product_id IS NOT NULL)", name="product"),
        sa.CheckConstraint("(target = 'category') = (category_id IS NOT NULL)", name="category"),
        sa.Index("ix_discounts_promotion_product", "business_id", "state", "product_id"),
        sa.Index("ix_discounts_promotion_category", "business_id", "state", "category_id"),
        {"info": CONFIGURATION},
    )

    name: Mapped[str] = mapped_column(info=impersonal("the promotion's"))
    kind: Mapped[str]
    value: Mapped[int]
    target: Mapped[str] = mapped_column(info=impersonal("a code"))
    product_id: Mapped[uuid.UUID | None]
    category_id: Mapped[uuid.UUID | None]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]
    priority: Mapped[int] = mapped_column(default=0)
    exclusive: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="draft")
    created_at: Mapped[dt.datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    activated_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]


class Use(Owned, Base):
    """What a promotion took off one line of a sale, in minor units; a voided sale gives it back by a negative row."""

    __tablename__ = "discounts_use"
    __table_args__ = (
        owned_key("promotion_id", "discounts_promotion"),
        sa.Index("ix_discounts_use_sale", "business_id", "sale_id"),
        sa.Index("ix_discounts_use_promotion", "business_id", "promotion_id"),
        {"info": {"append_only": True}},
    )

    promotion_id: Mapped[uuid.UUID]
    sale_id: Mapped[uuid.UUID]
    line: Mapped[int]
    amount: Mapped[int]
    at: Mapped[dt.datetime]
