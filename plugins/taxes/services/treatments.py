"""How lines are taxed on a day: the classes of the business with their rates, kept until somebody changes them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from kernel.db import Configured, Prepared, Rows, among
from kernel.work import Work
from plugins.taxes.errors import NoRate, UnknownTaxClass
from plugins.taxes.models import TaxClass, TaxRate
from plugins.taxes.schemas.values import TaxComponent, Treatment

NO_TAX = Treatment(None, "No tax", "out_of_scope", ())
"""Of products without a class where the business has no default."""

_TAXED = frozenset({"standard", "reduced"})
_TREATMENTS = Configured(
    sa.select(TaxClass.id, TaxClass.name, TaxClass.category, TaxClass.is_default, TaxRate.components)
    .outerjoin(
        TaxRate,
        sa.and_(
            TaxRate.business_id == TaxClass.business_id,
            TaxRate.class_id == TaxClass.id,
            TaxRate.region == sa.bindparam("region"),
            TaxRate.valid_from <= sa.bindparam("on"),
            sa.or_(TaxRate.valid_to.is_(None), TaxRate.valid_to >= sa.bindparam("on")),
        ),
    )
    .where(TaxClass.business_id == sa.bindparam("business_id"))
)
_KNOWN = Prepared(
    sa.select(TaxClass.id).where(TaxClass.business_id == sa.bindparam("business_id"), among(TaxClass.id, "class_ids"))
)


async def treatments(
    work: Work, class_ids: Iterable[uuid.UUID | None], on: dt.date
) -> dict[uuid.UUID | None, Treatment]:
    """The treatment of each class on a day, in the shop's region; None stands for the default class.

    Raises NoRate for a taxed class without a rate on that day, UnknownTaxClass for an id that is none.
    """
    known = await work.recall(_TREATMENTS, _by_class, region=work.shop.region, on=on)
    return {key: _treatment(work, key, known, on) for key in set(class_ids)}


async def known_classes(work: Work, class_ids: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of these ids are classes of this business."""
    ids = list(set(class_ids))
    if not ids:
        return frozenset()
    return frozenset(row.id for row in await work.fetch(_KNOWN, class_ids=ids))


async def classes_by_code(work: Work) -> dict[str, uuid.UUID]:
    """Every class of the business: code → id."""
    found = await work.execute(sa.select(TaxClass.code, TaxClass.id).where(TaxClass.business_id == work.business_id))
    return {row.code: row.id for row in found.all()}


def read_components(stored: Sequence[Mapping[str, Any]]) -> tuple[TaxComponent, ...]:
    """The components of a rate, as its column holds them."""
    return tuple(
        TaxComponent(
            one["code"],
            one["rate"],
            one["kind"],
            one["amount_micro"],
            one["twin"],
            one.get("included"),
            one.get("affects_base", False),
        )
        for one in stored
    )


_Known = Mapping[uuid.UUID | None, Treatment | str]


def _by_class(rows: Rows) -> _Known:
    """Class → its treatment, or its name where it lacks a rate; None stands for the default class."""
    found: dict[uuid.UUID | None, Treatment | str] = {None: NO_TAX}
    for row in rows:
        lacks_rate = row.components is None and row.category in _TAXED
        treatment = Treatment(row.id, row.name, row.category, read_components(row.components or ()))
        found[row.id] = row.name if lacks_rate else treatment
        if row.is_default:
            found[None] = found[row.id]
    return found


def _treatment(work: Work, key: uuid.UUID | None, known: _Known, on: dt.date) -> Treatment:
    treatment = known.get(key)
    if treatment is None:
        raise UnknownTaxClass(f"There is no tax class {key}")
    if isinstance(treatment, str):
        raise NoRate(treatment, work.shop.region, on)
    return treatment
