"""Promotions and their coupons, what is left of those that are limited, and what they took off the lines of sales."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Json, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, names
from kernel.work import Tally


class Promotion(Owned, Versioned, Base):
    """A rule that lowers prices. `terms` say what it does, on which goods, when and how often (`schemas.terms`).

    The other columns are what lists and carts ask for. `value` is the one figure of a simple kind (percent and unit
    prices scaled by MICRO, amounts in minor units), 0 for the others; `target` is "goods" where `product_id` and
    `category_id` do not say it. It runs from `starts_at` up to, not including, `ends_at`, while its state is active.
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
    terms: Mapped[dict[str, Any]] = mapped_column(
        Json, info=impersonal("figures, codes and ids of goods, places and groups"), server_default="{}"
    )
    by_coupon: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]
    priority: Mapped[int] = mapped_column(default=0)
    exclusive: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="draft")
    created_at: Mapped[dt.datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    activated_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]


class Coupon(Owned, Versioned, Base):
    """A code that asks for a promotion. `code` as it is printed, `key` as it is compared: capitals and digits only.

    uses, per_customer, per_day: how often it is good, None without end. Those made together share `batch_id`.
    """

    __tablename__ = "discounts_coupon"
    __table_args__ = (
        owned_key("promotion_id", "discounts_promotion"),
        sa.UniqueConstraint("business_id", "key"),
        sa.Index("ix_discounts_coupon_promotion", "business_id", "promotion_id", "id"),
        sa.Index("ix_discounts_coupon_batch", "business_id", "batch_id", "id"),
    )

    promotion_id: Mapped[uuid.UUID]
    batch_id: Mapped[uuid.UUID]
    code: Mapped[str]
    key: Mapped[str] = mapped_column(info=impersonal("a code"))
    customer_id: Mapped[uuid.UUID | None] = mapped_column(info=names("customer"))
    uses: Mapped[int | None]
    per_customer: Mapped[int | None]
    per_day: Mapped[int | None]
    expires_at: Mapped[dt.datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))


class Left(Base):
    """What is left of a promotion or a coupon, for a holder: itself (in all), a customer, a day, or its money."""

    __tablename__ = "discounts_left"
    __table_args__ = (sa.CheckConstraint("remaining >= 0", name="remaining"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    holder_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    remaining: Mapped[int]


class Claim(Owned, Base):
    """What a sale took of something limited; given back by the same below zero."""

    __tablename__ = "discounts_claim"
    __table_args__ = (
        sa.Index("ix_discounts_claim_sale", "business_id", "sale_id"),
        sa.Index("ix_discounts_claim_subject", "business_id", "subject_id", "holder_id"),
        {"info": {"append_only": True}},
    )

    sale_id: Mapped[uuid.UUID]
    subject_id: Mapped[uuid.UUID]
    holder_id: Mapped[uuid.UUID]
    amount: Mapped[int]
    at: Mapped[dt.datetime]


class Use(Owned, Base):
    """What a promotion took off one line of a sale, in minor units; a voided sale gives it back by a negative row."""

    __tablename__ = "discounts_use"
    __table_args__ = (
        owned_key("promotion_id", "discounts_promotion"),
        sa.Index("ix_discounts_use_sale", "business_id", "sale_id"),
        sa.Index("ix_discounts_use_promotion", "business_id", "promotion_id"),
        sa.Index(
            "ix_discounts_use_coupon",
            *("business_id", "coupon_id"),
            postgresql_where=sa.text("coupon_id IS NOT NULL"),
            sqlite_where=sa.text("coupon_id IS NOT NULL"),
        ),
        {"info": {"append_only": True}},
    )

    promotion_id: Mapped[uuid.UUID]
    sale_id: Mapped[uuid.UUID]
    line: Mapped[int]
    amount: Mapped[int]
    at: Mapped[dt.datetime]
    coupon_id: Mapped[uuid.UUID | None]


LEFT: Final = Tally(Base.metadata.tables["discounts_left"], ("subject_id", "holder_id"), "remaining", "t.remaining", 10)
"""The one way in which something limited is taken and given back."""
MONEY: Final = uuid.UUID(int=1)
"""The holder of what is left of a promotion's budget, in minor units."""
