"""Money of which nobody but a person can say that it came: seen on the shop's own phone, noted by its number.

It counts at once, and as unverified until a statement shows it. The same number never counts twice at an account.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa
from msgspec import structs

from kernel.money import MICRO_DIGITS, exponent, format_amount, show_amount
from kernel.work import Work, need_approval
from plugins.payments.errors import AlreadyClaimed, NotAwaited, NotByHand, PaymentNotWhole, UnknownMethod
from plugins.payments.models import Money
from plugins.payments.schemas.answers import IncomingOut
from plugins.payments.schemas.by_hand import IncomingIn, SeenIn
from plugins.payments.schemas.gateways import Gateway, GatewayFact
from plugins.payments.services.accounts import account_for, gateway_named, gateway_of, known_methods
from plugins.payments.services.asking import amount_at
from plugins.payments.services.hearing import hear
from plugins.payments.services.incoming import incoming_out, tray
from plugins.payments.services.money import note_money
from plugins.payments.services.places import place_named
from plugins.payments.services.requesting import held_payment

LARGEST: Final = "payments.confirmed_amount"
"""The limit on what a person may say has come, of one payment."""
_M = Money.__table__.c


async def confirm_by_hand(work: Work, payment_id: uuid.UUID, said: SeenIn) -> None:
    """Take a person's word that the money of a request is there, under a number; of two who use one number one wins.

    Money that stands in the tray under that number is this money, and its amount counts. Raises NotFound, NotAwaited,
    NotByHand, AlreadyClaimed, ApprovalRequired, and PaymentNotWhole for a number or an amount that cannot be.
    """
    row = await held_payment(work, payment_id)
    gateway = gateway_named(work.deployment, row.gateway)
    _check_by_hand(gateway)
    number = _number(gateway, said.reference)
    amount = row.amount if said.amount is None else amount_at(said.amount, exponent(row.currency), "/amount")
    fact = GatewayFact(kind="captured", key=f"hand:{number}", money_key=number, amount=amount, currency=row.currency)
    await note_money(work, row.account_id, fact, "hand", amount, row.currency)
    money = await _held(work, row.account_id, number)
    _check_free(money, row)
    amount = _amount_of(money, None if said.amount is None else amount)
    if row.captured and not said.again:
        raise NotAwaited(f"Its money has come, as {row.reference}; `again` says that it was paid once more")
    await _check_limit(work, amount, row.currency, row.subject_number, row.location_id, row.register_id)
    await hear(work, row.id, [structs.replace(fact, amount=amount)], money.known_by)
    work.audit(
        subject=f"payment:{row.id}",
        location_id=row.location_id,
        register_id=row.register_id,
        number=number,
        amount=format_amount(amount, exponent(row.currency)),
        seen_by_hand=True,
    )


async def note_incoming(work: Work, said: IncomingIn) -> IncomingOut:
    """Put money into the tray that came unasked, on a person's word.

    Raises NotFound for a place, UnknownMethod, NotByHand, GatewayUnavailable, AlreadyClaimed, ApprovalRequired.
    """
    await work.write()
    await place_named(work, said.location_id, said.register_id)
    method = known_methods(work).get(said.method)
    if method is None or method.gateway is None:
        raise UnknownMethod.at("/method", "No gateway stands behind this way of paying", code="unknown-method")
    gateway = gateway_of(work, method)
    _check_by_hand(gateway)
    number = _number(gateway, said.reference)
    amount = amount_at(said.amount, work.shop.exponent, "/amount")
    account = await account_for(work, gateway, amount, said.location_id, said.register_id)
    await _check_limit(work, amount, work.shop.currency, number, said.location_id, said.register_id)
    fact = GatewayFact(kind="captured", key=f"hand:{number}", money_key=number, amount=amount, reference=said.words)
    if not await note_money(work, account.id, fact, "hand", amount, work.shop.currency):
        raise AlreadyClaimed(f"The money {number} is known already")
    row = (await work.execute(tray(work).where(_M.account_id == account.id, _M.money_key == number))).one()
    work.audit(subject=f"money:{row.id}", location_id=said.location_id, register_id=said.register_id, number=number)
    return incoming_out(row)


def _check_by_hand(gateway: Gateway) -> None:
    if not gateway.capabilities.confirmed_by_hand:
        raise NotByHand(f"{gateway.title} says itself when money has come; ask it")


def _number(gateway: Gateway, said: str) -> str:
    try:
        return gateway.number(said)
    except ValueError as fault:
        raise PaymentNotWhole.at("/reference", str(fault) or "This is no number of a payment", code="number") from fault


async def _held(work: Work, account_id: uuid.UUID, number: str) -> Any:
    """Money of an account by its number, held to the end of the deed, so that of two who claim it one is second."""
    here = sa.and_(_M.business_id == work.business_id, _M.account_id == account_id, _M.money_key == number)
    return (await work.execute(sa.select(Money.__table__).where(here).with_for_update())).one()


def _check_free(money: Any, row: Any) -> None:
    if money.attempt_id == row.id:
        raise NotAwaited(f"Its money has come, as {money.money_key}")
    if money.attempt_id is not None:
        raise AlreadyClaimed(f"The money {money.money_key} is counted for another payment")
    if money.state != "unclaimed":
        raise AlreadyClaimed(f"The money {money.money_key} was set aside as no sale's")


def _amount_of(money: Any, said: int | None) -> int:
    """What is known of the amount of money in the tray. Raises PaymentNotWhole where a person says otherwise."""
    known: int = money.amount
    if said not in (None, known):
        shown = format_amount(known, exponent(money.currency))
        raise PaymentNotWhole.at("/amount", f"{shown} is known to have come under this number", available=shown)
    return known


async def _check_limit(
    work: Work, amount: int, currency: str, about: str, location_id: uuid.UUID, register_id: uuid.UUID | None
) -> None:
    shown = show_amount(amount, currency, work.shop.region)
    await need_approval(
        work,
        LARGEST,
        amount * 10 ** (MICRO_DIGITS - exponent(currency)),
        words=f"Say that {shown} has come for {about}",
        location_id=location_id,
        register_id=register_id,
    )
