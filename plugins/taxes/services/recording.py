"""Tax classes as a recorded test makes them: those of the region's pack by their code, others by their rate."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from kernel.app.recording import Recording
from kernel.money import format_micro, parse_micro
from kernel.work import Work
from plugins.taxes.models import TaxClass
from plugins.taxes.rules.dated import spread
from plugins.taxes.schemas.packs import PackClass
from plugins.taxes.schemas.values import TaxComponent, Treatment
from plugins.taxes.services.packs import pack_of, usual, usual_components
from plugins.taxes.services.treatments import treatments


async def record_classes(work: Work, recording: Recording) -> None:
    """Name the classes that are wanted. A class bears in the test what it bore on the day of the document."""
    wanted = recording.wanted("tax_class")
    if not wanted or recording.at is None:
        return
    on = recording.at.astimezone(work.shop.tz).date()
    bears = await treatments(work, [one.id for one in wanted], on)
    codes = await _codes(work)
    pack = {one.code: one for one in pack_of(work.shop.region).classes}
    usual_default = usual(work.shop.region)
    for thing in wanted:
        treatment = bears[thing.id]
        code = codes.get(treatment.class_id) if treatment.class_id else None
        if code in pack and _rate_in(pack[code], on) == _rate(treatment):
            if thing.id is None and code == usual_default:
                thing.expression = "None"
            else:
                recording.make(thing, f"tax {code}", "plugins.taxes.testing:tax_class", code)
        elif treatment.class_id is not None:
            rate = format_micro(_rate(treatment))
            said = {"category": treatment.category, "components": _parts(treatment, work.shop.region)}
            recording.make(thing, f"tax {code}", "plugins.taxes.testing:a_tax_class", rate, treatment.name, **said)
        else:
            thing.expression = "None"


async def _codes(work: Work) -> dict[uuid.UUID, str]:
    found = await work.execute(sa.select(TaxClass.id, TaxClass.code).where(TaxClass.business_id == work.business_id))
    return {row.id: row.code for row in found.all()}


def _parts(treatment: Treatment, region: str) -> list[dict[str, Any]] | None:
    """Its taxes as on the wire; None where they are what a plain rate becomes in the region."""
    parts = usual_components(region)
    divides = not _rate(treatment) % len(parts)
    if not treatment.components or (divides and treatment.components == spread(_rate(treatment), parts)):
        return None
    return [_part(one) for one in treatment.components]


def _part(one: TaxComponent) -> dict[str, Any]:
    figures = {"rate": format_micro(one.rate)} if one.kind == "percent" else {"amount": format_micro(one.amount_micro)}
    more = {"twin": one.twin, "included": one.included, "affects_base": one.affects_base or None}
    return {
        "code": one.code,
        "kind": one.kind,
        **figures,
        **{key: said for key, said in more.items() if said is not None},
    }


def _rate(treatment: Treatment) -> int:
    return sum(one.rate for one in treatment.components)


def _rate_in(known: PackClass, on: dt.date) -> int | None:
    """The percentage of a class of the pack on a day, scaled; None where it has no rate then."""
    for rate in known.rates:
        if rate.valid_from <= on and (rate.valid_to is None or on <= rate.valid_to):
            return sum(parse_micro(one.rate) for one in rate.components)
    return None
