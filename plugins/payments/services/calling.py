"""What a call about a payment needs: its account, its gateway, a line, and what is known of it so far."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from msgspec import Struct

from kernel.auth import act
from kernel.db import Prepared
from kernel.money import exponent
from kernel.work import Work
from plugins.payments.errors import AccountNotUsable
from plugins.payments.models import Account, Attempt, Money, Operation
from plugins.payments.schemas.gateways import Gateway, Known
from plugins.payments.services.accounts import gateway_named
from plugins.payments.services.line import AccountLine
from plugins.payments.services.paths import notify_url
from plugins.payments.services.requesting import ASK

T = TypeVar("T")
_A, _C, _M, _O = Attempt.__table__, Account.__table__, Money.__table__, Operation.__table__
_business = sa.bindparam("business_id", type_=sa.Uuid())
_payment = sa.bindparam("payment_id", type_=sa.Uuid())
_PAYMENT: Final = Prepared(
    sa.select(_A).where(_A.c.business_id == _business, _A.c.id == _payment, _A.c.gateway.is_not(None))
)
_REQUEST: Final = Prepared(
    sa.select(_O)
    .where(_O.c.business_id == _business, _O.c.attempt_id == _payment, _O.c.kind == ASK)
    .order_by(_O.c.id.desc())
    .limit(1)
)
_ACCOUNT: Final = Prepared(
    sa.select(_C).where(_C.c.business_id == _business, _C.c.id == sa.bindparam("account_id", type_=sa.Uuid()))
)
STALE: Final = dt.timedelta(seconds=90)
"""Longer than the job that makes a call may take: whoever sent something so long ago has died."""


class Way(Struct, frozen=True):
    """The way to the provider of a payment. notify: where it leaves word of this payment."""

    gateway: Gateway
    line: AccountLine
    notify: str
    account_id: uuid.UUID


async def payment_row(work: Work, payment_id: uuid.UUID) -> Any | None:
    """The row of a payment by a gateway; None where there is none."""
    return await work.one(_PAYMENT, payment_id=payment_id)


async def request_of(work: Work, payment_id: uuid.UUID) -> Any | None:
    """The operation by which a payment was asked for; None for money that came unasked."""
    return await work.one(_REQUEST, payment_id=payment_id)


async def way_of(work: Work, row: Any) -> Way:
    """The way to a payment's provider, on or off. Raises UnknownGateway, AccountNotUsable, SealBroken."""
    deployment = work.deployment
    gateway = gateway_named(deployment, row.gateway)
    account = await work.one(_ACCOUNT, account_id=row.account_id)
    if account is None:
        raise AccountNotUsable("The account of this payment is gone")
    everything = notify_url(deployment, work.business_id, "account", account.id, account.generation)
    line = AccountLine(deployment, work.business_id, account, gateway, region=work.shop.region, notify=everything)
    return Way(gateway, line, notify_url(deployment, work.business_id, "payment", row.id), account.id)


async def known_of(work: Work, row: Any, asked_at: dt.datetime) -> Known:
    """What is known of a payment that was asked for."""
    keys: tuple[str, ...] = ()
    if row.captured:
        here = sa.and_(_M.c.business_id == work.business_id, _M.c.attempt_id == row.id)
        keys = tuple(one.money_key for one in await work.execute(sa.select(_M.c.money_key).where(here)))
    return Known(
        reference=row.merchant_ref or "",
        amount=row.amount,
        currency=row.currency,
        exponent=exponent(row.currency),
        asked_at=asked_at,
        ids=row.provider_ids or {},
        money_keys=keys,
        phone=row.payer_phone,
    )


async def change_payment(work: Work, payment_id: uuid.UUID, *where: Any, **values: Any) -> bool:
    """Change columns of a payment that are no projection of its facts; whether it was as `where` says."""
    here = sa.and_(_A.c.business_id == work.business_id, _A.c.id == payment_id, *where)
    return bool((await work.execute(sa.update(Attempt).where(here).values(values))).rowcount)


async def end_operation(work: Work, operation_id: uuid.UUID, before: str, after: str, **values: Any) -> bool:
    """Move an operation on; False where somebody else did. Of two at once one does."""
    here = sa.and_(_O.c.business_id == work.business_id, _O.c.id == operation_id, _O.c.state == before)
    return bool((await work.execute(sa.update(Operation).where(here).values(state=after, **values))).rowcount)


def deed_after(work: Work, name: str) -> Callable[[Callable[[Work], Awaitable[T]]], Awaitable[T]]:
    """How a call, made with no transaction open, writes down what came of it: in deeds of the same business."""
    deployment, business_id = work.deployment, work.business_id

    async def run(deed: Callable[[Work], Awaitable[T]]) -> T:
        return await act(deployment, business_id, deed, deed=name, audited=False)

    return run
