"""Terms of promotions, coupons, and what is left of both."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "discounts_0002"
down_revision = "discounts_0001"
requires: tuple[str, ...] = ()

FIGURES = {"percent": "percent", "amount_off": "amount", "set_price": "price"}
"""Kind of a promotion of before → the name of its one figure in the terms."""


def upgrade() -> None:
    """Terms of promotions, coupons, and what is left of both."""
    op.add_column("discounts_promotion", sa.Column("terms", Json, server_default="{}", nullable=False))
    op.add_column(
        "discounts_promotion", sa.Column("by_coupon", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("discounts_use", sa.Column("coupon_id", sa.Uuid(), nullable=True))
    _say_terms()
    _coupons()
    _limited()


def terms_of(kind: str, value: int, product_id: Any, category_id: Any) -> dict[str, Any]:
    """The terms that say what the columns of before said."""
    terms: dict[str, Any] = {"effect": {"kind": kind, FIGURES[kind]: value}}
    if product_id is not None:
        terms["goods"] = {"product_ids": [str(product_id)]}
    elif category_id is not None:
        terms["goods"] = {"category_ids": [str(category_id)]}
    return terms


def _say_terms() -> None:
    """Give every promotion its terms; the owner of the table sees all businesses for that long."""
    _force(False)
    connection = op.get_bind()
    ids = [sa.column(name, sa.Uuid()) for name in ("business_id", "id", "product_id", "category_id")]
    promotion = sa.table("discounts_promotion", *ids, sa.column("kind"), sa.column("value"), sa.column("terms", Json))
    said = [
        {"b": row.business_id, "i": row.id, "t": terms_of(row.kind, row.value, row.product_id, row.category_id)}
        for row in connection.execute(sa.select(promotion))
    ]
    same = (promotion.c.business_id == sa.bindparam("b"), promotion.c.id == sa.bindparam("i"))
    if said:
        connection.execute(sa.update(promotion).where(*same).values(terms=sa.bindparam("t")), said)
    _force(True)


def _force(on: bool) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE discounts_promotion {'' if on else 'NO '}FORCE ROW LEVEL SECURITY")


def _coupons() -> None:
    op.create_table(
        "discounts_coupon",
        sa.Column("promotion_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("uses", sa.BigInteger(), nullable=True),
        sa.Column("per_customer", sa.BigInteger(), nullable=True),
        sa.Column("per_day", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "promotion_id"],
            ["discounts_promotion.business_id", "discounts_promotion.id"],
            name=op.f("fk_discounts_coupon_business_id_promotion_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_discounts_coupon")),
        sa.UniqueConstraint("business_id", "key", name=op.f("uq_discounts_coupon_business_id_key")),
    )
    op.create_index("ix_discounts_coupon_promotion", "discounts_coupon", ["business_id", "promotion_id", "id"])
    op.create_index("ix_discounts_coupon_batch", "discounts_coupon", ["business_id", "batch_id", "id"])
    tenant_table("discounts_coupon")


def _limited() -> None:
    op.create_table(
        "discounts_left",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("remaining >= 0", name=op.f("ck_discounts_left_remaining")),
        sa.PrimaryKeyConstraint("business_id", "subject_id", "holder_id", name=op.f("pk_discounts_left")),
    )
    tenant_table("discounts_left")
    op.create_table(
        "discounts_claim",
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_discounts_claim")),
    )
    op.create_index("ix_discounts_claim_sale", "discounts_claim", ["business_id", "sale_id"])
    op.create_index("ix_discounts_claim_subject", "discounts_claim", ["business_id", "subject_id", "holder_id"])
    tenant_table("discounts_claim", append_only=True)
