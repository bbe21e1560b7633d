"""How an account's gateway fares, over all processes: one that is down is left alone for a while.

Five calls in a row that found nobody there, or a server that failed, close it; then one call at a time tries again.
What a provider declines says that it is well. Each kind of call keeps its own count.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kernel.db import Moment, Prepared, upsert
from kernel.work import Work
from plugins.payments.errors import GatewayUnavailable
from plugins.payments.models import Health
from plugins.payments.schemas.gateways import Gateway, GatewayFailed
from plugins.payments.services.cleaning import storable
from plugins.payments.services.timing import FAILURES, pause

CallKind = Literal["ask", "find", "cancel", "refund", "find_refund"]
TRIAL: Final = dt.timedelta(seconds=60)
"""Longer than a call may take: the one that tries whether a gateway is back has died by then."""
_OFTEN: Final = dt.timedelta(minutes=1)
"""That all is well is written down so often."""
_H = Health.__table__.c
_KEY: Final = ("business_id", "account_id", "kind")
_STANDING = Prepared(
    sa.select(_H.closed_until).where(
        _H.business_id == sa.bindparam("business_id"),
        _H.account_id == sa.bindparam("account_id", type_=sa.Uuid()),
        _H.kind == sa.bindparam("kind", type_=sa.Text()),
    )
)


def _well(insert: Any) -> Prepared:
    """That all is well, written where that is news."""
    now, long_ago = sa.bindparam("now", type_=Moment), sa.bindparam("long_ago", type_=Moment)
    key = {name: sa.bindparam(name, type_=_H[name].type) for name in _KEY}
    fresh = insert(Health).values(**key, failed_in_a_row=0, closings=0, last_well_at=now)
    news = sa.or_(
        _H.failed_in_a_row > 0, _H.closed_until.is_not(None), _H.last_well_at.is_(None), _H.last_well_at < long_ago
    )
    changes = {"failed_in_a_row": 0, "closed_until": sa.null(), "closings": 0, "last_well_at": now}
    return Prepared(fresh.on_conflict_do_update(index_elements=_KEY, set_=changes, where=news))


_WELL: Final = {True: _well(postgresql.insert), False: _well(sqlite.insert)}


async def check_open(work: Work, account_id: uuid.UUID, gateway: Gateway, others: Sequence[str]) -> None:
    """Refuse a payment at the till whose gateway is closed now. others: the methods that may be used instead."""
    until = await _closed_until(work, account_id, "ask")
    if until is not None and until > work.now:
        raise GatewayUnavailable(f"{gateway.title} does not answer just now", gateway.name, "closed", others)


async def admit(work: Work, account_id: uuid.UUID, kind: CallKind) -> dt.datetime | None:
    """Whether a call may be made: None, or when to try again. After a pause one caller of several is let through."""
    return await admit_at(work, account_id, kind, await _closed_until(work, account_id, kind))


async def admit_at(work: Work, account_id: uuid.UUID, kind: CallKind, until: dt.datetime | None) -> dt.datetime | None:
    """As `admit`, where it was read in this deed until when the gateway is left alone."""
    if until is None:
        return None
    if until > work.now:
        return until
    trial = sa.update(Health).where(_of(work, account_id, kind), _H.closed_until == until)
    values = {"closed_until": work.now + TRIAL, "failed_in_a_row": FAILURES - 1}
    return None if (await work.execute(trial.values(values))).rowcount else work.now + TRIAL


async def note(work: Work, account_id: uuid.UUID, kind: CallKind, failed: GatewayFailed | None = None) -> None:
    """Note how a call went. A time-out says neither that the gateway is well nor that it is down."""
    if failed is None or failed.fault.kind not in ("provider_down", "timeout"):
        await _note_well(work, account_id, kind)
    elif failed.fault.kind == "provider_down":
        await _note_down(work, account_id, kind, failed)


async def _note_well(work: Work, account_id: uuid.UUID, kind: CallKind) -> None:
    said = {"account_id": account_id, "kind": kind, "now": work.now, "long_ago": work.now - _OFTEN}
    await work.fetch(_WELL[work.deployment.database.is_postgres], **said)


async def _note_down(work: Work, account_id: uuid.UUID, kind: CallKind, failed: GatewayFailed) -> None:
    fault = storable(failed.fault)
    said = _row(work, account_id, kind, failed_in_a_row=1, last_failed_at=work.now, last_fault=fault)
    counted = said.on_conflict_do_update(
        index_elements=_KEY,
        set_={"failed_in_a_row": _H.failed_in_a_row + 1, "last_failed_at": work.now, "last_fault": fault},
    ).returning(_H.failed_in_a_row, _H.closings)
    row = (await work.execute(counted)).one()
    if row.failed_in_a_row == FAILURES:  # those that were under way meanwhile close it no further
        closed = sa.update(Health).where(_of(work, account_id, kind))
        values = {"closed_until": work.now + pause(row.closings), "closings": row.closings + 1}
        await work.execute(closed.values(values))


async def _closed_until(work: Work, account_id: uuid.UUID, kind: CallKind) -> dt.datetime | None:
    row = await work.one(_STANDING, account_id=account_id, kind=kind)
    return None if row is None else row.closed_until


def _of(work: Work, account_id: uuid.UUID, kind: CallKind) -> sa.ColumnElement[bool]:
    return sa.and_(_H.business_id == work.business_id, _H.account_id == account_id, _H.kind == kind)


def _row(work: Work, account_id: uuid.UUID, kind: CallKind, **values: Any) -> Any:
    key = {"business_id": work.business_id, "account_id": account_id, "kind": kind}
    return upsert(work.deployment.database, Health).values(**key, closings=0, **values)
