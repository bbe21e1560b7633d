"""Shelves with many products for measuring: names as a large shop has them, written straight to the tables."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import uuid_utils.compat
from sqlalchemy.ext.asyncio import create_async_engine

from plugins.catalog.models import Barcode, Product, SearchKey, SearchWord
from plugins.catalog.rules.goods import check_digit, search_keys, search_label, search_terms

_SEED = 20261121
# fmt: off
_NOUNS = (
    "Milk Chocolate", "Dark Chocolate", "Basmati Rice", "Wheat Flour", "Maize Flour", "Cooking Oil", "Green Tea",
    "Instant Coffee", "Bath Soap", "Washing Powder", "Tooth Paste", "Hair Oil", "Ginger Biscuits", "Salted Crisps",
    "Tomato Sauce", "Peanut Butter", "Orange Juice", "Mineral Water", "Baby Wipes", "Paper Towels", "Light Bulb",
    "Steel Pan", "Cotton Shirt", "Exercise Book", "Ball Pen", "Chicken Stock",
)
_SIZES = ("50g", "100g", "200g", "250g", "400g", "500g", "1kg", "2kg", "5kg", "250ml", "500ml", "1l", "2l", "6pcs")
_START = ("b", "br", "c", "ch", "d", "f", "g", "h", "j", "k", "kr", "l", "m", "n", "p", "r", "s", "sh", "t", "v", "z")
_MIDDLE = ("a", "e", "i", "o", "u", "ai", "ou")
# fmt: on
_CHUNK = 5000


@dataclass(frozen=True)
class Shelves:
    """What was written: SKUs, barcodes and names, in one order."""

    skus: list[str]
    codes: list[str]
    names: list[str]


async def fill(url: str, business: uuid.UUID, count: int) -> Shelves:
    """Write products of a business, with a barcode each, and what they are found by."""
    chance = random.Random(_SEED)
    names = list(_names(chance, count))
    skus = [f"SKU-{number:06d}" for number in range(count)]
    codes = [digits + check_digit(digits) for digits in (f"616{number:09d}" for number in range(count))]
    engine = create_async_engine(url)
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    async with engine.begin() as connection:
        for start in range(0, count, _CHUNK):
            products, barcodes, keys = [], [], []
            for name, sku, code in list(zip(names, skus, codes, strict=True))[start : start + _CHUNK]:
                id_ = uuid_utils.compat.uuid7()
                products.append(_product(business, id_, sku, name, now))
                barcodes.append(
                    {"business_id": business, "id": uuid_utils.compat.uuid7(), "code": code, "product_id": id_}
                )
                base = {"business_id": business, "product_id": id_, "label": search_label(name)}
                keys += [base | {"key": key} for key in search_keys(name, sku, [code])]
            for table, rows in ((Product, products), (Barcode, barcodes), (SearchKey, keys)):
                await connection.execute(sa.insert(table), rows)
        words = {word for name in names for word in search_terms(name)}
        rows = [{"business_id": business, "word": word} for word in words]
        await connection.execute(sa.insert(SearchWord), rows)
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.exec_driver_sql("ANALYZE")
    await engine.dispose()
    return Shelves(skus, codes, names)


def _names(chance: random.Random, count: int) -> Iterator[str]:
    brands = sorted({_word(chance) for _ in range(4000)})
    kinds = sorted({_word(chance) for _ in range(2000)})
    for _ in range(count):
        noun = chance.choice(_NOUNS)
        yield f"{chance.choice(brands)} {noun} {chance.choice(kinds)} {chance.choice(_SIZES)}"


def _word(chance: random.Random) -> str:
    parts = [chance.choice(_START) + chance.choice(_MIDDLE) for _ in range(chance.randint(2, 4))]
    return "".join(parts).title()


def _product(business: uuid.UUID, id_: uuid.UUID, sku: str, name: str, now: dt.datetime) -> dict[str, Any]:
    return {
        "business_id": business,
        "id": id_,
        "sku": sku,
        "name": name,
        "description": "",
        "kind": "goods",
        "unit": "piece",
        "price": 100_000_000,
        "track_stock": True,
        "allow_negative_stock": False,
        "is_active": True,
        "has_barcode": True,
        "ext": {},
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }
