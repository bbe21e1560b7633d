"""Asking a payer for money by a gateway: declared with the document, sent by a job once that is committed."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.db import new_id
from kernel.money import format_amount
from kernel.work import Work
from plugins.payments.errors import NotAwaited, PaymentUnderWay, UnknownMethod
from plugins.payments.hooks import money_wanted
from plugins.payments.models import Attempt, Event, Operation
from plugins.payments.rules import FINAL
from plugins.payments.schemas.answers import PaymentOut
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.schemas.told import Place, Subject, Taken
from plugins.payments.services import health
from plugins.payments.services.accounts import account_for, gateway_of, known_methods
from plugins.payments.services.asking import check_span, read_phone
from plugins.payments.services.declaring import declare_attempt
from plugins.payments.services.rows import hold, subject_of, today_at

START: Final = "payments.start"
"""The job that sends a request for money. Payload: `payment_id`."""
ASKING: Final = "payments.ask"
"""The job that asks a provider how a payment stands. Payload: `payment_id`; `asks`: the question that was planned."""
ASK: Final = "ask"
"""The kind of operation that asks a payer for money."""
_A = Attempt.__table__
_E = Event.__table__.c
_GOING: Final = ("created", "pending", "requires_action")
_ANSWERED: Final = sa.exists().where(_E.business_id == _A.c.business_id, _E.attempt_id == _A.c.id, _E.source == "query")
"""Whether the provider has answered a question about a payment."""


async def request_payment(work: Work, subject: Subject, taken: Taken, place: Place) -> PaymentOut:
    """Declare a payment that a payer is asked for once this deed is committed.

    taken.phone: as the gateway wants it. Raises GatewayUnavailable, AccountNotUsable, PaymentUnderWay.
    """
    await work.write()
    gateway = gateway_of(work, taken.method)
    account = await account_for(work, gateway, taken.amount, place.location_id, place.register_id)
    others = [code for code, one in known_methods(work).items() if one.gateway != gateway.name]
    await health.check_open(work, account.id, gateway, others)
    await _check_payer(work, subject, taken.phone)
    payment_id = _declare(work, subject, taken, place, gateway, account)
    digits = work.shop.exponent
    nothing = format_amount(0, digits)
    return PaymentOut(
        payment_id,
        taken.method.code,
        format_amount(taken.amount, digits),
        None,
        nothing,
        "created",
        None,
        nothing,
        expires_at=work.now + dt.timedelta(seconds=gateway.capabilities.lives_s),
        captured=nothing,
        surplus=nothing,
    )


async def request_again(work: Work, payment_id: uuid.UUID, phone: str | None) -> uuid.UUID:
    """Ask anew for a payment that came to nothing, as far as its provider says; returns the new payment's id.

    phone: another than the first time, as typed. Of one whose end is unknown the provider must have been asked. Raises
    NotFound, PaymentUnderWay, NotAwaited for money that nobody wants any more, and what `request_payment` raises.
    """
    row = await held_payment(work, payment_id)
    if row.captured or not (row.state in FINAL or await _is_unknown_to_provider(work, row)):
        raise PaymentUnderWay(f"The payment is {row.state}; ask the provider about it first")
    subject = subject_of(row)
    wanted = await work.tell(money_wanted, work=work, subject=subject, amount=row.amount)
    if wanted and wanted[0].value < row.amount:
        raise NotAwaited("The document waits for this money no more")
    method = known_methods(work).get(row.method)
    if method is None or method.gateway is None:
        raise UnknownMethod(f"{row.method} is not on any more")
    gateway = gateway_of(work, method)
    check_span(work, gateway, row.amount, "/amount")
    whose = row.payer_phone if phone is None else read_phone(work, gateway, phone, "/phone")
    work.begin("payments")
    today = await today_at(work, row.location_id)
    place = Place(row.location_id, row.register_id, today, row.customer_id)
    made = await request_payment(work, subject, Taken(method, row.amount, awaited=True, phone=whose), place)
    work.audit(
        subject=f"payment:{made.id}", location_id=row.location_id, register_id=row.register_id, after=str(row.id)
    )
    return made.id


def have_asked(work: Work, payment_id: uuid.UUID) -> None:
    """Have a payment's provider asked about it once this is committed, whatever the plan says."""
    work.later(ASKING, {"payment_id": str(payment_id)})


async def held_payment(work: Work, payment_id: uuid.UUID) -> Any:
    """The row of a payment by a gateway, held to the end of the deed. Raises NotFound, NotAwaited for any other."""
    row = await hold(work, payment_id)
    work.see_location(row.location_id)
    if row.gateway is None:
        raise NotAwaited("No provider was asked for this payment")
    return row


async def _is_unknown_to_provider(work: Work, row: Any) -> bool:
    """Whether the end of a payment is unknown although the provider answered a question about it."""
    here = sa.and_(_A.c.business_id == work.business_id, _A.c.id == row.id, _A.c.state == "unknown", _ANSWERED)
    return (await work.execute(sa.select(_A.c.id).where(here))).one_or_none() is not None


async def _check_payer(work: Work, subject: Subject, phone: str | None) -> None:
    """Let one request live for a document and a payer. Of two at once the second sees the first."""
    if work.deployment.database.is_postgres:
        said = f"payments.payer/{work.business_id}/{subject.id}/{phone}".encode()
        key = int.from_bytes(hashlib.sha256(said).digest()[:8], signed=True)
        await work.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    payer = _A.c.payer_phone == phone if phone is not None else _A.c.payer_phone.is_(None)
    if (await work.execute(_living(work, subject).where(payer).limit(1))).one_or_none() is not None:
        raise PaymentUnderWay("The payer was asked for this already; ask the provider how it stands")


async def under_way(work: Work, subject: Subject) -> uuid.UUID | None:
    """The newest request for a document that may still be paid: one that lives, or whose provider was not asked yet."""
    found = _living(work, subject).order_by(_A.c.id.desc()).limit(1)
    id_: uuid.UUID | None = (await work.execute(found)).scalar_one_or_none()
    return id_


def _living(work: Work, subject: Subject) -> sa.Select[Any]:
    unasked = sa.and_(_A.c.state == "unknown", ~_ANSWERED)
    return sa.select(_A.c.id).where(
        _A.c.business_id == work.business_id,
        _A.c.subject_id == subject.id,
        _A.c.subject_kind == subject.kind,
        _A.c.gateway.is_not(None),
        sa.or_(_A.c.state.in_(_GOING), unasked),
    )


def _declare(work: Work, subject: Subject, taken: Taken, place: Place, gateway: Gateway, account: Any) -> uuid.UUID:
    can = gateway.capabilities
    payment_id = declare_attempt(
        work,
        subject,
        taken,
        place,
        captured=0,
        state="created",
        mode=account.mode,
        account_id=account.id,
        payer_phone=taken.phone,
        reference=None,
        expires_at=work.now + dt.timedelta(seconds=can.lives_s),
        next_ask_at=work.now + dt.timedelta(seconds=can.asks_after_s[0] if can.asks_after_s else 0),
    )
    operation = {"id": new_id(), "attempt_id": payment_id, "kind": ASK, "state": "planned", "created_at": work.now}
    work.insert(Operation, operation)
    work.later(START, {"payment_id": str(payment_id)})
    return payment_id
