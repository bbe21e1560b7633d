"""Verifying a chain: works out every hash anew and names the first row that is not what was sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.audit.anchors import Anchor, anchors_of
from kernel.audit.canonical import COLUMNS, START, first_id, link, made_at
from kernel.audit.sealing import GRACE
from kernel.db import Prepared
from kernel.db.tables import Audit, AuditSeal
from kernel.work import Work

_A, _S = Audit.__table__.c, AuditSeal.__table__.c
_business = sa.bindparam("business_id", type_=sa.Uuid())
_AT_ONCE = 1000
_CHAIN = Prepared(
    sa.select(
        _S.number.label("seal_number"),
        _S.audit_id.label("sealed_id"),
        _S.hash.label("seal_hash"),
        _S.sealed_at.label("seal_at"),
        *COLUMNS,
    )
    .select_from(
        AuditSeal.__table__.outerjoin(Audit.__table__, sa.and_(_A.business_id == _S.business_id, _A.id == _S.audit_id))
    )
    .where(_S.business_id == _business, _S.number > sa.bindparam("after", type_=sa.BigInteger()))
    .order_by(_S.number)
    .limit(_AT_ONCE)
)
_unsealed = ~sa.exists().where(_S.business_id == _A.business_id, _S.audit_id == _A.id)
_SLIPPED_IN = Prepared(
    sa.select(_A.id)
    .where(_A.business_id == _business, _A.id < sa.bindparam("floor", type_=sa.Uuid()), _unsealed)
    .order_by(_A.id)
    .limit(1)
)
_WAITING = Prepared(sa.select(sa.func.count().label("rows")).where(_A.business_id == _business, _unsealed))


class Tampering(msgspec.Struct, frozen=True):
    """What is wrong: the kind (altered, deleted, inserted, truncated), at which number, which row, in words."""

    kind: str
    number: int
    row: str
    words: str


class Report(msgspec.Struct, frozen=True):
    """What verifying a chain found. `waiting`: rows that are not sealed yet; `first` of None: nothing is wrong."""

    business: str
    sealed: int
    waiting: int
    anchors: int
    head: str
    first: Tampering | None


async def verify(work: Work, anchors: Iterable[Anchor] = ()) -> Report:
    """Verify the chain of a business against itself, its stored anchors and those given."""
    known = [*await anchors_of(work), *(one for one in anchors if one.business_id == work.business_id)]
    by_number: dict[int, list[Anchor]] = {}
    for one in known:
        by_number.setdefault(one.number, []).append(one)
    number, before, newest, first = 0, START, first_id(dt.datetime.fromtimestamp(0, dt.UTC)), None
    async for row in _chain(work):
        number += 1
        first = _fault_of(row, number, before, newest) or _against(by_number.get(number, ()), bytes(row.seal_hash))
        if first:
            break
        before, newest = bytes(row.seal_hash), max(newest, row.sealed_id)
    if first is None:
        first = await _slipped_in(work, newest, number) or _too_short(known, number)
    waiting = await work.one(_WAITING)
    shop = work.standing.shop
    return Report(shop.slug if shop else "", number, waiting.rows if waiting else 0, len(known), before.hex(), first)


async def _chain(work: Work) -> AsyncIterator[Any]:
    after = 0
    while True:
        rows = await work.fetch(_CHAIN, after=after)
        for row in rows:
            yield row
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].seal_number


def _fault_of(row: Any, number: int, before: bytes, newest: Any) -> Tampering | None:
    at = str(row.sealed_id)
    if row.seal_number != number:
        return Tampering("deleted", number, "", f"seal {number} is missing; the next one is {row.seal_number}")
    if row.id is None:
        return Tampering("deleted", number, at, f"row {at}, sealed as number {number}, is gone")
    if link(before, number, row.seal_at, _audit_row(row)) != bytes(row.seal_hash):
        words = f"row {at}, sealed as number {number}, is not what was sealed: altered, or put in another's place"
        return Tampering("altered", number, at, words)
    if made_at(row.sealed_id) + GRACE < made_at(newest):
        words = f"row {at} came to light as number {number}, after rows more than {GRACE} younger had been sealed"
        return Tampering("inserted", number, at, words)
    return None


def _against(anchors: Iterable[Anchor], hash_: bytes) -> Tampering | None:
    for one in anchors:
        if one.hash != hash_.hex():
            words = f"number {one.number} was {one.hash} when {one.day} was anchored, and is {hash_.hex()}"
            return Tampering("altered", one.number, "", f"the chain up to here was written anew: {words}")
    return None


def _too_short(anchors: Iterable[Anchor], number: int) -> Tampering | None:
    longest = max((one for one in anchors if one.number > number), key=lambda one: one.number, default=None)
    if longest is None:
        return None
    words = f"the chain ends at {number}; when {longest.day} was anchored it had {longest.number} rows"
    return Tampering("truncated", number + 1, "", words)


async def _slipped_in(work: Work, newest: Any, number: int) -> Tampering | None:
    """A row that is not sealed although the chain is well past its time."""
    row = await work.one(_SLIPPED_IN, floor=first_id(made_at(newest) - GRACE))
    if row is None:
        return None
    words = f"row {row.id} is in no chain, although rows more than {GRACE} younger are"
    return Tampering("inserted", number + 1, str(row.id), words)


def _audit_row(row: Any) -> dict[str, Any]:
    """The audit row's part of a joined row."""
    return {column.name: getattr(row, column.name) for column in COLUMNS}
