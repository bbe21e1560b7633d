"""Money that is there already becomes a sale's: claimed in the deed of the sale, by one sale only."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from kernel.errors import Fault, NotFound
from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.payments.errors import AlreadyClaimed, PaymentNotWhole
from plugins.payments.models import Account, Money
from plugins.payments.rules import UNVERIFIED, Fact, is_word_only, project
from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.schemas.told import CapturedPayment, Place, Subject, Taken
from plugins.payments.services.declaring import declare_attempt
from plugins.payments.services.events import note_event
from plugins.payments.services.reviews import open_review

_A, _M = Account.__table__.c, Money.__table__.c


async def claim_money(work: Work, subject: Subject, taken: Taken, place: Place, pointer: str) -> CapturedPayment:
    """Declare a payment by money that came without being asked for; the document takes `taken.amount` of it.

    All of it is captured, and a person is asked about what is over. pointer: where the payment stands in the request.
    Raises NotFound, AlreadyClaimed, and PaymentNotWhole for money of another provider or currency, or too little of it.
    """
    money = await _money_to_claim(work, taken, pointer)
    fact = Fact("captured", money.known_by, money.money_key, money.amount, money.currency, money.money_key)
    standing = project(taken.amount, money.currency, [fact])
    attempt_id = declare_attempt(
        work,
        subject,
        taken,
        place,
        captured=money.amount,
        state=standing.state,
        flags=sorted({*standing.flags, UNVERIFIED} if is_word_only([fact]) else standing.flags),
        applied=taken.amount,
        mode=money.mode,
        account_id=money.account_id,
        provider_ids=money.provider_ids,
        reference=money.money_key,
    )
    note_event(work, attempt_id, _as_said(money), money.known_by)
    _count(work, money, attempt_id, money.amount - taken.amount)
    return CapturedPayment(
        attempt_id,
        subject,
        taken.method.code,
        taken.method.kind,
        money.amount,
        None,
        0,
        money.currency,
        exponent(money.currency),
        money.money_key,
        place.location_id,
        place.register_id,
        place.customer_id,
        place.business_date,
        place.at or work.now,
        work.actor.id,
        work.actor.name,
        surplus=money.amount - taken.amount,
        unverified=is_word_only([fact]),
    )


async def _money_to_claim(work: Work, taken: Taken, pointer: str) -> Any:
    """The row of the money that a payment claims, with gateway and mode of its account."""
    found = (
        sa.select(Money.__table__, _A.gateway, _A.mode)
        .join(Account.__table__, sa.and_(_A.business_id == _M.business_id, _A.id == _M.account_id))
        .where(_M.business_id == work.business_id, _M.id == taken.claims)
    )
    row = (await work.execute(found)).one_or_none()
    if row is None:
        raise NotFound.at(f"{pointer}/claims", "There is no such money")
    if row.attempt_id is not None or row.state != "unclaimed":
        raise AlreadyClaimed(faults=[Fault(f"{pointer}/claims", AlreadyClaimed.code)])
    if row.gateway != taken.method.gateway or row.currency != work.shop.currency:
        raise PaymentNotWhole.at(f"{pointer}/claims", f"This is no money of {taken.method.title} in your currency")
    if taken.amount > row.amount:
        said = format_amount(row.amount, exponent(row.currency))
        raise PaymentNotWhole.at(f"{pointer}/amount", f"No more than {said} of it is there", available=said)
    return row


def _as_said(money: Any) -> GatewayFact:
    return GatewayFact(
        kind="captured",
        key=money.money_key,
        money_key=money.money_key,
        amount=money.amount,
        currency=money.currency,
        fee=money.fee,
        ids=money.provider_ids or {},
    )


def _count(work: Work, money: Any, attempt_id: uuid.UUID, over: int) -> None:
    """Count money for a payment once its row is there: of two that claim it at once the second raises AlreadyClaimed.

    over: how much of it the payment's document does not take.
    """

    async def count() -> None:
        free = sa.update(Money).where(
            _M.business_id == work.business_id,
            _M.id == money.id,
            _M.attempt_id.is_(None),
            _M.state == "unclaimed",
        )
        claimed = await work.execute(free.values(attempt_id=attempt_id, claimed_at=work.now, state="credited"))
        if not claimed.rowcount:
            raise AlreadyClaimed
        if over:
            await open_review(
                work,
                "overpaid",
                attempt_id,
                attempt_id=attempt_id,
                money_id=money.id,
                amount=over,
                currency=money.currency,
                words="More came than the sale took of it",
            )

    work.afterwards(count)
