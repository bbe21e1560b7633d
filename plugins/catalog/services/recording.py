"""Products as a recorded test makes them: at the price at which they were sold, in stock or not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.app.recording import Recording, Thing
from kernel.money import MICRO, format_micro
from kernel.work import Work
from plugins.catalog.models import Brand, Category
from plugins.catalog.services.facts import Found, Sellable
from plugins.catalog.services.lookup import sellables

BUILDERS = "plugins.catalog.testing"


async def record_products(work: Work, recording: Recording) -> None:
    """Make what is wanted of catalog. A product's facts: `sold`, a list of `price` (scaled), `rule` and `barcode`."""
    things = {one.id: one for one in recording.wanted("product") if one.id is not None}
    codes = [sold["barcode"] for one in things.values() for sold in one.facts.get("sold", ()) if sold["barcode"]]
    found = await sellables(work, list(things), codes)
    goods = {id_: good for id_, good in found.by_id.items() if id_ in things}
    await _categories(work, recording, goods)
    await _brands(work, recording, goods)
    for id_, good in goods.items():
        fields = _prices(good, things[id_], found)
        for name, kind, value in (
            ("category_id", "category", good.category_ids[0] if good.category_ids else None),
            ("brand_id", "brand", good.brand_id),
        ):
            fields[name] = recording.want(kind, value) if value else None
        fields["tax_class_id"] = recording.want("tax_class", good.tax_class_id)
        price = fields.pop("price")
        more = {
            "unit": None if good.unit == "piece" else good.unit,
            "name": good.name,
            "allow_negative_stock": True,
            "tags": list(good.tags) or None,
        }
        recording.make(things[id_], good.sku, f"{BUILDERS}:a_product", good.sku, price, **more, **fields)
    for id_ in goods:
        for sold in things[id_].facts.get("sold", ()):
            if _on_list(sold, found):
                listed, said = recording.want("price", None), (sold["rule"], format_micro(sold["price"]))
                of = {"product_id": things[id_], "barcode": sold["barcode"]}
                recording.make(listed, sold["rule"], f"{BUILDERS}:a_listed_price", *said, **of)


def _on_list(sold: dict[str, Any], found: Found) -> bool:
    """Whether a price was that of a list: its rule is neither a channel nor the name of the pack that was sold."""
    by_code = found.by_barcode.get(sold["barcode"] or "")
    pack = by_code.pack if by_code else None
    return sold["rule"] not in ("retail", "wholesale") and (pack is None or sold["rule"] != pack.name)


def _prices(good: Sellable, thing: Thing, found: Found) -> dict[str, Any]:
    """Its prices as they were: those of today where nothing was sold at them."""
    price, wholesale, packs = good.price, good.wholesale_price, []
    for sold in thing.facts.get("sold", ()):
        by_code = found.by_barcode.get(sold["barcode"] or "")
        pack = by_code.pack if by_code else None
        if pack is not None:
            own = sold["price"] if sold["rule"] == pack.name else None
            if own is None and not _on_list(sold, found):
                price = sold["price"] * MICRO // pack.factor
            packs.append(
                {
                    "name": pack.name,
                    "factor": format_micro(pack.factor),
                    "price": format_micro(own) if own is not None else None,
                    "barcode": sold["barcode"],
                }
            )
        elif sold["rule"] == "wholesale":
            wholesale = sold["price"]
        elif sold["rule"] == "retail":
            price = sold["price"]
    plain = sorted(
        {sold["barcode"] for sold in thing.facts.get("sold", ()) if sold["barcode"]} - {one["barcode"] for one in packs}
    )
    return {
        "price": format_micro(price),
        "wholesale_price": None if wholesale is None else format_micro(wholesale),
        "mrp": None if good.mrp is None else format_micro(good.mrp),
        "packs": packs or None,
        "barcodes": plain or None,
    }


async def _categories(work: Work, recording: Recording, goods: dict[UUID, Sellable]) -> None:
    """Their categories up to the root, and those that were wanted, each after the one above it."""
    ids = {id_ for good in goods.values() for id_ in good.category_ids} | {
        one.id for one in recording.wanted("category")
    }
    rows = await work.execute(
        sa.select(Category.id, Category.name, Category.parent_id)
        .where(Category.business_id == work.business_id, Category.id.in_(ids))
        .order_by(sa.func.length(Category.path), Category.path)
    )
    for row in rows.all():
        parent = recording.want("category", row.parent_id) if row.parent_id in ids else None
        recording.make(
            recording.want("category", row.id), row.name, f"{BUILDERS}:a_category", row.name, parent_id=parent
        )


async def _brands(work: Work, recording: Recording, goods: dict[UUID, Sellable]) -> None:
    ids = {good.brand_id for good in goods.values() if good.brand_id}
    rows = await work.execute(
        sa.select(Brand.id, Brand.name)
        .where(Brand.business_id == work.business_id, Brand.id.in_(ids))
        .order_by(Brand.name)
    )
    for row in rows.all():
        recording.make(recording.want("brand", row.id), row.name, f"{BUILDERS}:a_brand", row.name)
