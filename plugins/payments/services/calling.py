"""What a call about a payment needs: its account, its gateway, a line, and what is known of it so far."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from msgspec import Struct

from kernel.auth import act
from kernel.db import Json, Moment, Prepared
from kernel.money import exponent
from kernel.work import Work
from plugins.payments.errors import AccountNotUsable
from plugins.payments.models import Account, Attempt, Health, Money, Operation, SharedToken
from plugins.payments.schemas.gateways import Gateway, Known
from plugins.payments.services.accounts import gateway_named
from plugins.payments.services.health import CallKind
from plugins.payments.services.line import AccountLine
from plugins.payments.services.paths import notify_url
from plugins.payments.services.requesting import ASK
from plugins.payments.services.tokens import KnownToken

T = TypeVar("T")
_A, _C, _M, _O = Attempt.__table__, Account.__table__, Money.__table__, Operation.__table__
_H, _T = Health.__table__, SharedToken.__table__
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
_each = _O.alias()
_newest = (
    sa.select(_each.c.id)
    .where(_each.c.business_id == _A.c.business_id, _each.c.attempt_id == _A.c.id, _each.c.kind == ASK)
    .order_by(_each.c.id.desc())
    .limit(1)
    .correlate(_A)
    .scalar_subquery()
)
_MATTER: Final = Prepared(
    sa.select(
        _A,
        _O.c.id.label("request_id"),
        _O.c.state.label("request_state"),
        _O.c.created_at.label("request_created_at"),
        _O.c.sent_at.label("request_sent_at"),
        *(_C.c[name].label(f"account_{name}") for name in ("label", "mode", "config", "generation")),
        _H.c.closed_until,
        _T.c.sealed,
        _T.c.lapses_at,
    )
    .select_from(
        _A.outerjoin(_O, sa.and_(_O.c.business_id == _A.c.business_id, _O.c.id == _newest))
        .outerjoin(_C, sa.and_(_C.c.business_id == _A.c.business_id, _C.c.id == _A.c.account_id))
        .outerjoin(
            _H,
            sa.and_(
                _H.c.business_id == _A.c.business_id,
                _H.c.account_id == _A.c.account_id,
                _H.c.kind == sa.bindparam("call", type_=sa.Text()),
            ),
        )
        .outerjoin(_T, sa.and_(_T.c.business_id == _A.c.business_id, _T.c.account_id == _A.c.account_id))
    )
    .where(_A.c.business_id == _business, _A.c.id == _payment, _A.c.gateway.is_not(None))
)
"""A payment with all that bears on a call about it, so that it is read at once."""
_operation = sa.bindparam("operation_id", type_=sa.Uuid())
_this_as_it_was = sa.and_(
    _O.c.business_id == _business, _O.c.id == _operation, _O.c.state == sa.bindparam("before", type_=sa.Text())
)
_SEND: Final = Prepared(
    sa.update(Operation)
    .where(_this_as_it_was)
    .values(state="sent", sent_at=sa.bindparam("now", type_=Moment))
    .returning(_O.c.id)
)
_END: Final = Prepared(
    sa.update(Operation)
    .where(_this_as_it_was)
    .values(
        state=sa.bindparam("after", type_=sa.Text()),
        ended_at=sa.bindparam("now", type_=Moment),
        fault=sa.bindparam("why", type_=Json),
    )
    .returning(_O.c.id)
)
STALE: Final = dt.timedelta(seconds=90)
"""Longer than the job that makes a call may take: whoever sent something so long ago has died."""


class Request(Struct, frozen=True):
    """The operation by which a payment was asked for."""

    id: uuid.UUID
    state: str
    created_at: dt.datetime
    sent_at: dt.datetime | None


class AccountRow(Struct, frozen=True):
    """An account as far as a call needs it. config: as stored."""

    id: uuid.UUID
    label: str
    mode: Any
    config: dict[str, Any]
    generation: int


class Matter(Struct, frozen=True):
    """A payment by a gateway, and what bears on a call about it: None where there is no such thing.

    closed_until: until when its gateway is left alone with calls of the kind that was named.
    """

    row: Any
    request: Request | None
    account: AccountRow | None
    closed_until: dt.datetime | None
    token: KnownToken | None


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


async def matter_of(work: Work, payment_id: uuid.UUID, call: CallKind) -> Matter | None:
    """A payment by a gateway and what bears on a call of a kind about it; None where there is no such payment."""
    row = await work.one(_MATTER, payment_id=payment_id, call=call)
    if row is None:
        return None
    request = account = token = None
    if row.request_id is not None:
        request = Request(row.request_id, row.request_state, row.request_created_at, row.request_sent_at)
    if row.account_mode is not None:
        account = AccountRow(
            row.account_id, row.account_label, row.account_mode, row.account_config, row.account_generation
        )
    if row.sealed is not None and row.lapses_at is not None:
        token = KnownToken(bytes(row.sealed), row.lapses_at)
    return Matter(row, request, account, row.closed_until, token)


async def way_of(work: Work, row: Any) -> Way:
    """The way to a payment's provider, on or off. Raises UnknownGateway, AccountNotUsable, SealBroken."""
    return _way(work, row, await work.one(_ACCOUNT, account_id=row.account_id), None)


def way_to(work: Work, matter: Matter) -> Way:
    """As `way_of`, of what was read already."""
    return _way(work, matter.row, matter.account, matter.token)


def _way(work: Work, row: Any, account: Any, token: KnownToken | None) -> Way:
    deployment = work.deployment
    gateway = gateway_named(deployment, row.gateway)
    if account is None:
        raise AccountNotUsable("The account of this payment is gone")
    everything = notify_url(deployment, work.business_id, "account", account.id, account.generation)
    region = work.shop.region
    line = AccountLine(deployment, work.business_id, account, gateway, region=region, notify=everything, token=token)
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


async def say_sent(work: Work, operation_id: uuid.UUID, before: str) -> bool:
    """Say of an operation that it is sent now; False where somebody else did. Of two at once one does."""
    return await work.one(_SEND, operation_id=operation_id, before=before, now=work.now) is not None


async def end_operation(
    work: Work, operation_id: uuid.UUID, before: str, after: str, fault: dict[str, Any] | None = None
) -> bool:
    """Say how an operation ended, now; False where somebody else did. Of two at once one does."""
    said = {"operation_id": operation_id, "before": before, "after": after, "why": fault}
    return await work.one(_END, **said, now=work.now) is not None


def deed_after(work: Work, name: str) -> Callable[[Callable[[Work], Awaitable[T]]], Awaitable[T]]:
    """How a call, made with no transaction open, writes down what came of it: in deeds of the same business."""
    deployment, business_id = work.deployment, work.business_id

    async def run(deed: Callable[[Work], Awaitable[T]]) -> T:
        return await act(deployment, business_id, deed, deed=name, audited=False)

    return run
