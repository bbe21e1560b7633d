"""Several products in a few words each, as a shop begins."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa

from kernel.wire import Page
from kernel.work import Work
from plugins.catalog.models import Product
from plugins.catalog.schemas.goods import ProductIn, ProductLine, ProductOut
from plugins.catalog.services import reading
from plugins.catalog.services.products import add_products

LONGEST: Final = 24
NAMELESS: Final = "ITEM"
"""For names that hold no letter or digit of ASCII."""


async def add_several(work: Work, lines: Sequence[ProductLine]) -> Page[ProductOut]:
    """Add products, all of them or none; those without a SKU get one made from their name. Raises as `add_products`."""
    skus = await _skus(work, lines)
    rows = await add_products(work, [_whole(*pair) for pair in zip(lines, skus, strict=True)], "/products")
    work.audit(products=len(rows), skus=skus[:20])
    return Page(await reading.read_products(work, [row.id for row in rows]))


def sku_of(name: str, taken: Collection[str]) -> str:
    """A SKU for a name, as `Rice 2kg` → `RICE-2KG`, with a number behind it where that is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    base = re.sub(r"[^A-Z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-") or NAMELESS
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found


async def _skus(work: Work, lines: Sequence[ProductLine]) -> list[str]:
    """The SKU of each line: as given, or one that no product has and no other line."""
    bases = {sku_of(line.name, ()) for line in lines if line.sku is None}
    near = [Product.sku.startswith(base, autoescape=True) for base in sorted(bases)]
    statement = sa.select(Product.sku).where(Product.business_id == work.business_id, sa.or_(sa.false(), *near))
    taken = {*(await work.execute(statement)).scalars(), *(line.sku for line in lines if line.sku is not None)}
    made: list[str] = []
    for line in lines:
        made.append(sku_of(line.name, taken) if line.sku is None else line.sku)
        taken.add(made[-1])
    return made


def _whole(line: ProductLine, sku: str) -> ProductIn:
    return ProductIn(
        sku=sku,
        name=line.name,
        price=line.price,
        unit=line.unit,
        kind=line.kind,
        cost_price=line.cost_price,
        barcodes=[*line.barcodes],
    )
