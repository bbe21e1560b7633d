"""Tax classes made and changed. Rates are only ever added; what has been in force stays as it was."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, among, new_id
from kernel.errors import Invalid, NotFound
from kernel.money import format_micro, format_price, parse_micro
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work, business_date
from plugins.taxes.errors import CodeTaken, HistoryFixed
from plugins.taxes.models import TaxClass, TaxRate
from plugins.taxes.rules import code_from, spread
from plugins.taxes.schemas.values import TaxComponent, Treatment
from plugins.taxes.schemas.wire import (
    ClassIn,
    ClassOut,
    ClassPatch,
    ClassQuery,
    ComponentIn,
    ComponentOut,
    RateIn,
    RateOut,
)
from plugins.taxes.services.packs import component_of, stored, usual_components
from plugins.taxes.services.treatments import read_components

_RATES = Prepared(
    sa.select(TaxRate.class_id, TaxRate.region, TaxRate.valid_from, TaxRate.valid_to, TaxRate.components, TaxRate.codes)
    .where(TaxRate.business_id == sa.bindparam("business_id"), among(TaxRate.class_id, "class_ids"))
    .order_by(TaxRate.region, TaxRate.valid_from)
)


async def add_class(work: Work, data: ClassIn) -> TaxClass:
    """Add a class with its rates. Raises CodeTaken, and Invalid for a taxed class without a rate."""
    if not data.rates and data.category in ("standard", "reduced"):
        raise Invalid.at("/rates", "A taxed class needs a rate")
    if data.is_default:
        await _clear_default(work)
    row = TaxClass(
        business_id=work.business_id,
        id=new_id(),
        code=await _free_code(work, data),
        name=data.name,
        category=data.category,
        is_default=data.is_default,
        version=1,
    )
    work.session.add(row)
    await work.session.flush()
    await _add_rates(work, row, data.rates)
    work.audit(subject=f"tax_class:{row.id}")
    return row


async def change_class(work: Work, id_: uuid.UUID, patch: ClassPatch) -> TaxClass:
    """Rename a class, make it the default, add rates. Raises NotFound, HistoryFixed, Invalid."""
    row = await work.session.get(TaxClass, (work.business_id, id_), with_for_update={"key_share": True})
    if row is None:
        raise NotFound
    work.check_version(row.version)
    if isinstance(patch.name, str):
        row.name = patch.name
    if isinstance(patch.is_default, bool) and patch.is_default is not row.is_default:
        if patch.is_default:
            await _clear_default(work)
        row.is_default = patch.is_default
    row.version += 1
    await work.session.flush()
    await _add_rates(work, row, patch.rates)
    work.audit(subject=f"tax_class:{id_}", rates=[f"{one.region} {one.valid_from}" for one in patch.rates])
    return row


async def read_class(work: Work, id_: uuid.UUID) -> tuple[ClassOut, int]:
    """One class with its rates, and its version. Raises NotFound."""
    row = await work.get(TaxClass, id_)
    (said,) = await _answers(work, [row])
    return said, row.version


async def list_classes(work: Work, query: ClassQuery) -> Page[ClassOut]:
    """A page of classes by code."""
    statement = sa.select(*TaxClass.__table__.c).where(TaxClass.business_id == work.business_id)
    if query.category is not None:
        statement = statement.where(TaxClass.category == query.category)
    found = await page(work, statement, query, order=[TaxClass.code, TaxClass.id], make=lambda row: row)
    return Page(await _answers(work, found.items), found.next_cursor, found.total)


async def _clear_default(work: Work) -> None:
    """The class that was the default is it no longer; its version rises, for its answer changes."""
    changed = await work.execute(
        sa.update(TaxClass)
        .where(TaxClass.business_id == work.business_id, TaxClass.is_default.is_(True))
        .values(is_default=False, version=TaxClass.version + 1)
        .returning(TaxClass.id)
    )
    for id_ in changed.scalars():
        work.changed(TaxClass, id_, {"is_default": True}, {"is_default": False})


async def _free_code(work: Work, data: ClassIn) -> str:
    """The code asked for, or one made from the name, with a number behind it where that is taken."""
    found = await work.execute(sa.select(TaxClass.code).where(TaxClass.business_id == work.business_id))
    taken = set(found.scalars())
    if data.code is not None:
        if data.code in taken:
            raise CodeTaken(data.code)
        return data.code
    return code_from(data.name, taken)


async def _add_rates(work: Work, row: TaxClass, rates: Sequence[RateIn]) -> None:
    found = await work.execute(
        sa.select(TaxRate.region, TaxRate.valid_from).where(
            TaxRate.business_id == work.business_id, TaxRate.class_id == row.id
        )
    )
    begun: dict[str, list[dt.date]] = {}
    for known in found.all():
        begun.setdefault(known.region, []).append(known.valid_from)
    for place, one in sorted(enumerate(rates), key=lambda placed: placed[1].valid_from):
        components = _components(row, one, f"/rates/{place}")
        await _end_last(work, row, one, begun.setdefault(one.region, []), f"/rates/{place}/valid_from")
        begun[one.region].append(one.valid_from)
        work.session.add(
            TaxRate(
                business_id=work.business_id,
                id=new_id(),
                class_id=row.id,
                region=one.region,
                valid_from=one.valid_from,
                valid_to=None,
                components=[stored(part) for part in components],
                codes={},
            )
        )
        await work.session.flush()


async def _end_last(work: Work, row: TaxClass, one: RateIn, begun: list[dt.date], pointer: str) -> None:
    """The last rate ends the day before; one that is yet to begin gives way to another of the same day."""
    if not begun:
        return
    last = max(begun)
    in_region = sa.and_(
        TaxRate.business_id == work.business_id, TaxRate.class_id == row.id, TaxRate.region == one.region
    )
    if one.valid_from == last and last > business_date(work.now, work.shop.tz):
        gone = await work.execute(
            sa.delete(TaxRate)
            .where(in_region, TaxRate.valid_from == last)
            .returning(TaxRate.id, TaxRate.region, TaxRate.valid_from, TaxRate.components)
        )
        for rate in gone:
            work.changed(TaxRate, rate.id, rate._mapping, None)
        return
    if one.valid_from <= last:
        raise HistoryFixed(pointer, last)
    until = one.valid_from - dt.timedelta(days=1)
    ended = await work.execute(
        sa.update(TaxRate).where(in_region, TaxRate.valid_from == last).values(valid_to=until).returning(TaxRate.id)
    )
    for id_ in ended.scalars():
        work.changed(TaxRate, id_, {"valid_to": None}, {"valid_to": until})


def _components(row: TaxClass, one: RateIn, pointer: str) -> tuple[TaxComponent, ...]:
    """The taxes of a rate, proved to make a lawful treatment. Raises Invalid."""
    untaxed = row.category in ("exempt", "out_of_scope")
    if one.rate is not None and one.components is not None:
        raise Invalid.at(pointer, "Give either a rate or components, not both")
    if one.rate is None and one.components is None and not untaxed:
        raise Invalid.at(pointer, "Give a rate or components", code="required")
    try:
        if one.components is not None:
            found = tuple(_component(part) for part in one.components)
        else:
            rate = parse_micro(one.rate or "0")
            found = () if untaxed and not rate else spread(rate, usual_components(one.region))
        Treatment(None, row.name, row.category, found)  # type: ignore[arg-type]
    except ValueError as fault:
        raise Invalid.at(pointer, str(fault)) from fault
    return found


def _component(part: ComponentIn) -> TaxComponent:
    if part.kind == "per_unit" and part.rate != "0":
        raise ValueError(f"tax {part.code} is an amount per unit, not a percentage too")
    if part.kind == "percent" and part.amount != "0":
        raise ValueError(f"tax {part.code} is a percentage, not an amount per unit too")
    return component_of(part)


async def _answers(work: Work, rows: Sequence[Any]) -> list[ClassOut]:
    ids = [row.id for row in rows]
    rates: dict[uuid.UUID, list[RateOut]] = {}
    for rate in await work.fetch(_RATES, class_ids=ids) if ids else ():
        rates.setdefault(rate.class_id, []).append(_rate_out(work, rate))
    return [ClassOut(row.id, row.code, row.name, row.category, row.is_default, rates.get(row.id, [])) for row in rows]


def _rate_out(work: Work, rate: Any) -> RateOut:
    parts = read_components(rate.components)
    return RateOut(
        rate.region,
        format_micro(sum(part.rate for part in parts)),
        rate.valid_from,
        rate.valid_to,
        [
            ComponentOut(
                part.code,
                part.kind,
                format_micro(part.rate),
                format_price(part.amount_micro, work.shop.exponent),
                part.twin,
                part.included,
                part.affects_base,
            )
            for part in parts
        ],
        rate.codes,
    )
