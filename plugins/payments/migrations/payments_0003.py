"""Payments know when their provider was asked; a reference at a provider stands for one payment of the account."""

import datetime as dt

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
    _schedule_the_sweeper()


def _schedule_the_sweeper() -> None:
    """Where payments is on already and has no schedule: its first one comes with what it sweeps up after."""
    names = ("business_id", "job", "cron", "next_run")
    schedule = sa.table("kernel_schedule", *map(sa.column, names))
    plugins = sa.table("kernel_business_plugin", *map(sa.column, ("business_id", "plugin", "state")))
    said = (sa.literal("payments.sweep"), sa.literal("*/5 * * * *"), sa.literal(dt.datetime.now(dt.UTC), Moment))
    has_one = sa.exists().where(schedule.c.business_id == plugins.c.business_id, schedule.c.job == "payments.sweep")
    on = sa.select(plugins.c.business_id, *said).where(
        plugins.c.plugin == "payments", plugins.c.state.in_(("enabled", "draining")), ~has_one
    )
    _force(False)
    op.execute(sa.insert(schedule).from_select(names, on))
    _force(True)


def _force(on: bool) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE kernel_business_plugin {'' if on else 'NO '}FORCE ROW LEVEL SECURITY")
