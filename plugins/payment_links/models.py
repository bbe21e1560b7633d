"""Payment links, and the turns that payers take at them."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, kept, names, personal

_ASKED = "who asked for money is kept as long as the books"


class Link(Owned, Versioned, Base):
    """What somebody is asked to pay by an address. Amounts in minor units.

    `amount` is empty where the payer says how much, from `least` to `most`. `subject`: the document that is paid, this
    link itself where it is for none. `generation` is part of its address: raising it makes those before worthless.
    `state`: `open`, then `paid` or `cancelled`; that its time is over follows from `expires_at`. `paid` and `payments`
    grow by what comes.
    """

    __tablename__ = "payment_links_link"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "number"),
        sa.Index("ix_payment_links_link_subject", "business_id", "subject_id"),
        sa.CheckConstraint("amount > 0 AND least > 0 AND most >= least AND paid >= 0", name="amounts"),
    )

    number: Mapped[str]
    location_id: Mapped[uuid.UUID]
    customer_id: Mapped[uuid.UUID | None] = mapped_column(info=names("customer", whole=True))
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    subject_number: Mapped[str]
    words: Mapped[str] = mapped_column(info=personal("free_text", of="customer_id"))
    currency: Mapped[str]
    amount: Mapped[int | None]
    least: Mapped[int | None]
    most: Mapped[int | None]
    methods: Mapped[list[str]] = mapped_column(info=impersonal("codes of methods"))
    is_many: Mapped[bool]
    state: Mapped[str]
    expires_at: Mapped[dt.datetime]
    generation: Mapped[int] = mapped_column(default=1, server_default="1")
    paid: Mapped[int] = mapped_column(default=0, server_default="0")
    payments: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[dt.datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    created_by_name: Mapped[str] = mapped_column(info=kept("name", _ASKED, of="created_by"))
    ended_at: Mapped[dt.datetime | None]
    end_reason: Mapped[str] = mapped_column(default="", server_default="", info=personal("free_text", of="customer_id"))


class Turn(Owned, Base):
    """One payer's go at a link: of a link for one payment the only one, with its id; else each payer has their own.

    `amount`: what is asked for, empty until the payer has said it. `paid` is what came of it.
    """

    __tablename__ = "payment_links_turn"
    __table_args__ = (
        owned_key("link_id", "payment_links_link"),
        sa.Index("ix_payment_links_turn_link", "business_id", "link_id", "id"),
        sa.CheckConstraint("amount > 0 AND paid >= 0", name="amounts"),
    )

    link_id: Mapped[uuid.UUID]
    amount: Mapped[int | None]
    paid: Mapped[int] = mapped_column(default=0, server_default="0")
    started_at: Mapped[dt.datetime]
    paid_at: Mapped[dt.datetime | None]
