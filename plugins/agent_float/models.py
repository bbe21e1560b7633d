"""Lines and what stands on them; transactions, their entries, and how days were closed."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, kept, names
from kernel.work import Tally

FURTHEST = 4 * 10**18
"""As far as a balance may go either way, in minor units."""
_BOOKED = "an agent's book shows who served whom, to the provider and to the authorities, as long as the law says"


class AgentLine(Owned, Versioned, Base):
    """A pot of money at a location: a provider's float on a SIM or till, a cash drawer, or a bank account.

    `kind`: `float`, `cash` or `bank`. A bank account is not counted, and may stand below nothing here.
    """

    __tablename__ = "agent_float_line"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "code"),
        sa.Index("ix_agent_float_line_location", "business_id", "location_id"),
        {"info": CONFIGURATION},
    )

    location_id: Mapped[uuid.UUID]
    code: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the line's"))
    kind: Mapped[str]
    provider: Mapped[str] = mapped_column(info=impersonal("who issues the float, such as M-PESA"))
    account: Mapped[str] = mapped_column(info=impersonal("the business's own agent number, till or account"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())


class Balance(Base):
    """What stands on a line: the running sum of its entries, changed only through BALANCE. Minor units.

    `locked_through`: the last business day that was closed; nothing moves on it or before.
    """

    __tablename__ = "agent_float_balance"
    __table_args__ = (
        owned_key("line_id", "agent_float_line"),
        sa.CheckConstraint(f"amount BETWEEN {-FURTHEST} AND {FURTHEST}", name="amount_in_range"),
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_through: Mapped[dt.date | None]


class Transaction(Owned, Base):
    """One event: a deposit, a withdrawal, a transfer, commission, capital, a difference at closing, or a reversal.

    Never changed; taken back by its mirror image. `commission`: what the provider owes for it; it moves nothing by
    itself. `fee`: what a transfer cost, on top, off the line it came from. `reference`: the provider's own number.
    """

    __tablename__ = "agent_float_transaction"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "number"),
        sa.UniqueConstraint("business_id", "reverses_id"),
        sa.Index("ix_agent_float_transaction_day", "business_id", "business_date", "id"),
        sa.CheckConstraint("amount > 0 AND commission >= 0 AND fee >= 0", name="amounts"),
        {"info": {"append_only": True}},
    )

    number: Mapped[str]
    kind: Mapped[str]
    location_id: Mapped[uuid.UUID]
    business_date: Mapped[dt.date]
    at: Mapped[dt.datetime]
    amount: Mapped[int]
    commission: Mapped[int]
    fee: Mapped[int]
    currency: Mapped[str]
    phone: Mapped[str] = mapped_column(info=kept("contact", _BOOKED))
    reference: Mapped[str] = mapped_column(info=kept("behaviour", _BOOKED))
    note: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="by"))
    reverses_id: Mapped[uuid.UUID | None]


class Entry(Owned, Base):
    """What a transaction moves on one line: in (positive) or out (negative), in minor units."""

    __tablename__ = "agent_float_entry"
    __table_args__ = (
        owned_key("transaction_id", "agent_float_transaction"),
        owned_key("line_id", "agent_float_line"),
        sa.Index("ix_agent_float_entry_transaction", "business_id", "transaction_id"),
        sa.Index("ix_agent_float_entry_line", "business_id", "line_id", "id"),
        sa.Index("ix_agent_float_entry_day", "business_id", "line_id", "business_date"),
        sa.CheckConstraint("amount <> 0", name="amount"),
        {"info": {"append_only": True}},
    )

    transaction_id: Mapped[uuid.UUID]
    line_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    amount: Mapped[int]
    business_date: Mapped[dt.date]
    at: Mapped[dt.datetime]


class Closing(Owned, Base):
    """How a line's day ended: what was expected, what was counted, and why they differ.

    `opening` is what was counted at the closing before. The difference is booked on the same day, so that the next day
    opens with what was counted. A line is closed once a business day.
    """

    __tablename__ = "agent_float_closing"
    __table_args__ = (
        owned_key("line_id", "agent_float_line"),
        sa.UniqueConstraint("business_id", "line_id", "business_date"),
        sa.Index("ix_agent_float_closing_day", "business_id", "business_date", "id"),
        {"info": {"append_only": True}},
    )

    line_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID]
    business_date: Mapped[dt.date]
    opening: Mapped[int]
    expected: Mapped[int]
    counted: Mapped[int]
    variance: Mapped[int]
    reason: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    at: Mapped[dt.datetime]
    by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="by"))


BALANCE = Tally(
    Base.metadata.tables["agent_float_balance"], key=("line_id",), column="amount", room="t.amount", rank=30
)
"""The one way a balance changes: by declared amounts, under the global lock order."""
