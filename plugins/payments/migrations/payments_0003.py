"""Payments know when their provider was asked; a reference at a provider stands for one payment of the account."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment

revision = "payments_0003"
down_revision = "payments_0002"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Payments know when their provider was asked; a reference at a provider stands for one payment of the account."""
    op.add_column("payments_attempt", sa.Column("asked_at", Moment, nullable=True))
    op.create_index(
        "uq_payments_attempt_reference",
        "payments_attempt",
        ["business_id", "account_id", "merchant_ref"],
        unique=True,
        sqlite_where=sa.text("merchant_ref IS NOT NULL"),
        postgresql_where=sa.text("merchant_ref IS NOT NULL"),
    )
