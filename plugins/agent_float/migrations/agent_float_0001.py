"""Lines, what stands on them, transactions with their entries, and closings."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "agent_float_0001"
down_revision = None
requires: tuple[str, ...] = ()
FURTHEST = 4 * 10**18


def upgrade() -> None:
    op.create_table(
        "agent_float_line",
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_agent_float_line")),
        sa.UniqueConstraint("business_id", "code", name=op.f("uq_agent_float_line_business_id_code")),
    )
    op.create_index("ix_agent_float_line_location", "agent_float_line", ["business_id", "location_id"])
    op.create_table(
        "agent_float_balance",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("locked_through", sa.Date(), nullable=True),
        sa.CheckConstraint(
            f"amount BETWEEN {-FURTHEST} AND {FURTHEST}", name=op.f("ck_agent_float_balance_amount_in_range")
        ),
        _to_line("agent_float_balance"),
        sa.PrimaryKeyConstraint("business_id", "line_id", name=op.f("pk_agent_float_balance")),
    )
    op.create_table(
        "agent_float_transaction",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("commission", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "amount > 0 AND commission >= 0 AND fee >= 0", name=op.f("ck_agent_float_transaction_amounts")
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_agent_float_transaction")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_agent_float_transaction_business_id_number")),
        sa.UniqueConstraint(
            "business_id", "reverses_id", name=op.f("uq_agent_float_transaction_business_id_reverses_id")
        ),
    )
    op.create_index("ix_agent_float_transaction_day", "agent_float_transaction", ["business_id", "business_date", "id"])
    op.create_table(
        "agent_float_entry",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_agent_float_entry_amount")),
        sa.ForeignKeyConstraint(
            ["business_id", "transaction_id"],
            ["agent_float_transaction.business_id", "agent_float_transaction.id"],
            name=op.f("fk_agent_float_entry_business_id_transaction_id"),
        ),
        _to_line("agent_float_entry"),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_agent_float_entry")),
    )
    op.create_index("ix_agent_float_entry_transaction", "agent_float_entry", ["business_id", "transaction_id"])
    op.create_index("ix_agent_float_entry_line", "agent_float_entry", ["business_id", "line_id", "id"])
    op.create_index("ix_agent_float_entry_day", "agent_float_entry", ["business_id", "line_id", "business_date"])
    op.create_table(
        "agent_float_closing",
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("variance", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _to_line("agent_float_closing"),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_agent_float_closing")),
        sa.UniqueConstraint(
            "business_id",
            "line_id",
            "business_date",
            name=op.f("uq_agent_float_closing_business_id_line_id_business_date"),
        ),
    )
    op.create_index("ix_agent_float_closing_day", "agent_float_closing", ["business_id", "business_date", "id"])
    tenant_table("agent_float_line")
    tenant_table("agent_float_balance")
    tenant_table("agent_float_transaction", append_only=True)
    tenant_table("agent_float_entry", append_only=True)
    tenant_table("agent_float_closing", append_only=True)


def _to_line(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["business_id", "line_id"],
        ["agent_float_line.business_id", "agent_float_line.id"],
        name=op.f(f"fk_{table}_business_id_line_id"),
    )
