"""Links and the turns at them."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "payment_links_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    op.create_table(
        "payment_links_link",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_number", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("least", sa.BigInteger(), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.Column("methods", Json, nullable=False),
        sa.Column("is_many", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("paid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("payments", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("end_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "amount > 0 AND least > 0 AND most >= least AND paid >= 0", name=op.f("ck_payment_links_link_amounts")
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payment_links_link")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_payment_links_link_business_id_number")),
    )
    op.create_index("ix_payment_links_link_subject", "payment_links_link", ["business_id", "subject_id"])
    op.create_table(
        "payment_links_turn",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("paid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("paid_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0 AND paid >= 0", name=op.f("ck_payment_links_turn_amounts")),
        sa.ForeignKeyConstraint(
            ["business_id", "link_id"],
            ["payment_links_link.business_id", "payment_links_link.id"],
            name=op.f("fk_payment_links_turn_business_id_link_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payment_links_turn")),
    )
    op.create_index("ix_payment_links_turn_link", "payment_links_turn", ["business_id", "link_id", "id"])
    tenant_table("payment_links_link")
    tenant_table("payment_links_turn")
