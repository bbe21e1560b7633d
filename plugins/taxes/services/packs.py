"""Region packs: read once, loaded into a business that has no classes yet."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

import msgspec
import sqlalchemy as sa

from kernel.db import new_id
from kernel.money import parse_micro
from kernel.work import Work
from plugins.taxes.models import TaxClass, TaxRate
from plugins.taxes.schemas.packs import PackClass, PackComponent, RegionPack
from plugins.taxes.schemas.values import TaxComponent, TaxPolicy
from plugins.taxes.schemas.wire import ComponentIn, ConfirmOut, PackOut

GENERIC = "generic"


@lru_cache(maxsize=256)
def pack_of(region: str) -> RegionPack:
    """The pack of a region, or the neutral one where Duka ships none. Read once in a process."""
    name = region if re.fullmatch(r"[A-Z]{2}", region) else GENERIC
    file = files("plugins.taxes") / "data" / f"{name}.json"
    if not file.is_file():
        file = files("plugins.taxes") / "data" / f"{GENERIC}.json"
    return msgspec.json.decode(file.read_bytes(), type=RegionPack)


def policy_of(work: Work) -> TaxPolicy:
    """What the shop's region says of all lines."""
    return _policy(work.shop.region, work.shop.exponent)


def mrp_binds(region: str) -> bool:
    """Whether nothing may be sold there above its maximum retail price."""
    return pack_of(region).mrp_binds


def usual_components(region: str) -> tuple[PackComponent, ...]:
    """The taxes a plain percentage is made of in a region: VAT in Kenya, CGST and SGST in India."""
    for one in pack_of(region).classes:
        if one.rates[-1].components:
            return one.rates[-1].components
    return (PackComponent("TAX", "0"),)


def usual(region: str) -> str | None:
    """The code of the class that a new business of a region has as its default: the first that is standard."""
    return next((one.code for one in pack_of(region).classes if one.category == "standard"), None)


def told_pack(region: str) -> PackOut:
    """What Duka knows of tax in a region, in words for its people."""
    pack = pack_of(region)
    return PackOut(
        region,
        pack.region != region,
        pack.prices_include_tax,
        pack.by_place,
        pack.note,
        list(pack.sources),
        [ConfirmOut(one.matter, one.why) for one in pack.confirm],
    )


async def load_pack(work: Work) -> None:
    """Give the business its region's classes and rates, if it has no classes at all.

    The default is the pack's first class of the category standard: what a shop enters there acts on every product
    that names no class.
    """
    existing = await work.execute(sa.select(TaxClass.id).where(TaxClass.business_id == work.business_id).limit(1))
    if existing.first() is not None:
        return
    pack = pack_of(work.shop.region)
    default = usual(work.shop.region)
    ids = {one.code: new_id() for one in pack.classes}
    await work.execute(
        sa.insert(TaxClass),
        [
            {
                "business_id": work.business_id,
                "id": ids[one.code],
                "code": one.code,
                "name": one.name,
                "category": one.category,
                "is_default": one.code == default,
                "version": 1,
            }
            for one in pack.classes
        ],
    )
    await work.execute(
        sa.insert(TaxRate),
        [
            {"business_id": work.business_id, "class_id": ids[one.code], **row}
            for one in pack.classes
            for row in _rates(work, one)
        ],
    )


def component_of(part: PackComponent | ComponentIn) -> TaxComponent:
    """A tax as it is written in a pack or a request, as the rules take it."""
    return TaxComponent(
        part.code,
        parse_micro(part.rate),
        part.kind,
        parse_micro(part.amount),
        part.twin,
        part.included,
        part.affects_base,
    )


def stored(component: TaxComponent) -> dict[str, object]:
    """A component as it stands in the column of a rate."""
    return {
        "code": component.code,
        "rate": component.rate,
        "kind": component.kind,
        "amount_micro": component.amount_micro,
        "twin": component.twin,
        "included": component.included,
        "affects_base": component.affects_base,
    }


def _rates(work: Work, one: PackClass) -> list[dict[str, object]]:
    return [
        {
            "id": new_id(),
            "region": work.shop.region,
            "valid_from": rate.valid_from,
            "valid_to": rate.valid_to,
            "components": [stored(component_of(part)) for part in rate.components],
            "codes": dict(rate.codes),
        }
        for rate in one.rates
    ]


@lru_cache(maxsize=256)
def _policy(region: str, exponent: int) -> TaxPolicy:
    pack = pack_of(region)
    return TaxPolicy(pack.prices_include_tax, pack.rounding, exponent)
