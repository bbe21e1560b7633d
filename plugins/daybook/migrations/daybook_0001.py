"""The book and its expenses."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "daybook_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The book and its expenses."""
    op.create_table(
        "daybook_entry",
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("register_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document_kind", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_daybook_entry")),
        sa.UniqueConstraint(
            "business_id",
            "document_kind",
            "document_id",
            "kind",
            name=op.f("uq_daybook_entry_business_id_document_kind_document_id_kind"),
        ),
    )
    op.create_index(
        "ix_daybook_entry_business_id_business_date", "daybook_entry", ["business_id", "business_date"], unique=False
    )
    op.create_table(
        "daybook_expense",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_daybook_expense")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_daybook_expense_business_id_number")),
        sa.UniqueConstraint("business_id", "reverses_id", name=op.f("uq_daybook_expense_business_id_reverses_id")),
    )
    tenant_table("daybook_entry", append_only=True)
    tenant_table("daybook_expense", append_only=True)
