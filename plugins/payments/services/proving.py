"""What a statement shows: it proves the money that a person saw, brings what nobody saw, and misses what never came."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.models import Attempt, Money
from plugins.payments.rules import UNVERIFIED
from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.services.cleaning import split
from plugins.payments.services.finding import find_payment
from plugins.payments.services.hearing import hear
from plugins.payments.services.money import note_money
from plugins.payments.services.reviews import open_review

_A, _M = Attempt.__table__.c, Money.__table__.c
_AT_ONCE: Final = 500


async def hear_statement(work: Work, account_id: uuid.UUID, facts: Sequence[GatewayFact]) -> list[uuid.UUID | None]:
    """Take in lines of a statement of an account, as facts; returns the payment of each, or None.

    Money that belongs to no payment stands in the tray. Said twice, a line changes nothing. facts: `captured` with
    number, amount and currency, and what gives money back; one with an amount that cannot be is passed over.
    """
    await work.write()
    found: list[uuid.UUID | None] = []
    for said in facts:
        sound, _ = split([said])
        found.append(await _hear_line(work, account_id, sound[0]) if sound else None)
    return found


async def _hear_line(work: Work, account_id: uuid.UUID, fact: GatewayFact) -> uuid.UUID | None:
    payment_id = await find_payment(work, account_id, fact)
    if payment_id is not None:
        await hear(work, payment_id, [fact], "statement")
        await work.flush()
    elif fact.kind == "captured" and fact.money_key and fact.amount is not None:
        await note_money(work, account_id, fact, "statement", fact.amount, work.shop.currency)
    return payment_id


async def ask_about_unverified(work: Work, account_id: uuid.UUID, before: dt.datetime) -> int:
    """Ask a person about payments whose money only a person has seen, before an instant; returns how many were found.

    For who has read the statements up to then. A later statement that shows the money answers the question.
    """
    await work.write()
    unproved = (
        sa.select(_A.id, _A.captured, _A.currency, _M.money_key)
        .join(Money.__table__, sa.and_(_M.business_id == _A.business_id, _M.attempt_id == _A.id))
        .where(
            _A.business_id == work.business_id,
            _A.account_id == account_id,
            _M.known_by == "hand",
            _M.claimed_at < before,
        )
        .order_by(_A.id)
        .limit(_AT_ONCE)
    )
    rows = (await work.execute(unproved)).all()
    for row in rows:
        await open_review(
            work,
            UNVERIFIED,
            row.id,
            attempt_id=row.id,
            amount=row.captured,
            currency=row.currency,
            words=f"Somebody said that it came as {row.money_key}, and no statement shows it",
        )
    return len(rows)
