"""Coupons as they are listed and taken away in tables, each with how far it is used."""

from __future__ import annotations

import datetime as dt
import tempfile
from typing import IO, Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import structs

from kernel.auth import look
from kernel.errors import NotFound
from kernel.web import Scene, as_table, page, table_line
from kernel.wire import Download, Page
from kernel.work import Work
from plugins.discounts.models import Coupon, Left, Promotion, Use
from plugins.discounts.rules.codes import code_key
from plugins.discounts.schemas.coupons import CouponExport, CouponOut, CouponQuery

COLUMNS: Final = (
    *("code", "promotion", "state", "uses", "remaining", "per_customer", "per_day"),
    *("expires_at", "created_at", "batch_id"),
)
"""Columns of a table of coupons."""
_AT_ONCE: Final = 1000
_IN_MEMORY: Final = 1_048_576
_C, _P, _L, _U = Coupon.__table__.c, Promotion.__table__.c, Left.__table__.c, Use.__table__.c


async def list_coupons(work: Work, query: CouponQuery) -> Page[CouponOut]:
    """Coupons, in the order in which they were made."""
    statement = _chosen(work, query)
    if query.code is not None:
        statement = statement.where(_C.key == code_key(query.code))
    return await page(work, statement, query, order=[_C.id], make=_out)


async def find_coupon(work: Work, coupon_id: UUID, more: int = 0) -> tuple[CouponOut, int]:
    """A coupon and its version. more: how often more it will be good by the end of this deed. Raises NotFound."""
    found = await work.execute(_shown(work, more).where(_C.id == coupon_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return _out(row), row.version


async def export_coupons(scene: Scene, query: CouponExport) -> Download:
    """Coupons as a file, in one snapshot; that it was taken stands in the trail."""

    async def note(work: Work) -> str:
        work.audit(subject="coupons", format=query.format)
        return f"coupons-{work.shop.slug}-{work.now:%Y%m%d}"

    name = await scene.deed(note)
    lines = await look(scene.deployment, scene.standing.business_id, lambda work: _gather(work, query))
    return await as_table(lines, query.format, name)


def _shown(work: Work, more: int = 0) -> sa.Select[Any]:
    """All coupons of the business. more: to add to what is left of each."""
    left = sa.and_(_L.business_id == _C.business_id, _L.subject_id == _C.id, _L.holder_id == _C.id)
    of = sa.and_(_P.business_id == _C.business_id, _P.id == _C.promotion_id)
    remaining = sa.case((_C.uses.is_not(None), _L.remaining + more))
    return (
        sa.select(
            *Coupon.__table__.c,
            remaining.label("remaining"),
            _state(work.now, remaining).label("state"),
            _P.name.label("promotion"),
        )
        .select_from(Coupon.__table__.join(Promotion.__table__, of).outerjoin(Left.__table__, left))
        .where(_C.business_id == work.business_id)
    )


def _state(now: dt.datetime, remaining: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """What a coupon is, the first that holds; see `schemas.coupons.CouponState`."""
    used = sa.exists().where(_U.business_id == _C.business_id, _U.coupon_id == _C.id)
    return sa.case(
        (_C.is_active.is_(False), "withdrawn"),
        (sa.or_(_C.expires_at <= now, _P.state == "ended", _P.ends_at <= now), "expired"),
        (remaining == 0, "used_up"),
        (remaining < _C.uses, "partly_used"),
        (sa.and_(_C.uses.is_(None), used), "partly_used"),
        else_="unused",
    )


def _chosen(work: Work, query: CouponExport | CouponQuery) -> sa.Select[Any]:
    statement = _shown(work)
    for name in ("promotion_id", "batch_id"):
        if (wanted := getattr(query, name)) is not None:
            statement = statement.where(_C[name] == wanted)
    if query.state is not None:
        statement = statement.where(statement.selected_columns["state"] == query.state)
    return statement


async def _gather(work: Work, query: CouponExport) -> IO[bytes]:
    """Page by page into a file, so that memory does not grow with the coupons."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by who sends it
    file.write(table_line(COLUMNS, query.format))
    chosen, after = _chosen(work, query).order_by(_C.id).limit(_AT_ONCE), UUID(int=0)
    while rows := (await work.execute(chosen.where(_C.id > after))).all():
        for row in rows:
            cells = structs.asdict(_out(row)) | {"promotion": row.promotion}
            file.write(table_line([_cell(work, cells[name]) for name in COLUMNS], query.format))
        after = rows[-1].id
    file.seek(0)
    return file


def _cell(work: Work, value: Any) -> Any:
    """A value as a table has it: times by the clock of the business."""
    if isinstance(value, dt.datetime):
        return value.astimezone(work.shop.tz).strftime("%Y-%m-%d %H:%M")
    return "" if value is None else str(value)


def _out(row: Any) -> CouponOut:
    return CouponOut(
        row.id,
        row.promotion_id,
        row.batch_id,
        row.code,
        row.customer_id,
        row.uses,
        row.remaining,
        row.per_customer,
        row.per_day,
        row.expires_at,
        row.is_active,
        row.created_at,
        row.state,
    )
