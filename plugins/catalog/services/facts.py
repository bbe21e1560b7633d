"""What other plugins are told of products."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct, field

from plugins.catalog.rules.prices import Based, Listed


class SellablePack(Struct, frozen=True):
    """A pack that a barcode named: units in it, and the price of one whole pack (None: factor times the price)."""

    id: UUID
    name: str
    factor: int
    price: int | None


class Sellable(Struct, frozen=True):
    """What a sale needs to know of a product. Prices are those of one unit, scaled by `money.MICRO`.

    category_ids: from the product's category up to the root. barcode and pack: what it was asked by; `mrp`, scaled as
    prices are, is then that of the code, and of the whole pack. Products that are no longer active are told of, too.
    listed, based: its prices on the lists that are in force for who buys, and those that these take from others;
    `list_price` chooses.
    """

    product_id: UUID
    sku: str
    name: str
    unit: str
    decimals: int
    price: int
    wholesale_price: int | None
    cost_price: int | None
    category_ids: tuple[UUID, ...]
    brand_id: UUID | None
    tax_class_id: UUID | None
    mrp: int | None
    track_stock: bool
    allow_negative_stock: bool
    is_active: bool
    barcode: str | None = None
    pack: SellablePack | None = None
    listed: tuple[Listed, ...] = ()
    tags: tuple[str, ...] = ()
    based: tuple[Based, ...] = ()


class Found(Struct, frozen=True):
    """The products that were asked for and exist: by id, and by the code as it was given."""

    by_id: dict[UUID, Sellable]
    by_barcode: dict[str, Sellable]


class ProductName(Struct, frozen=True):
    """How a product is called, for lists and documents."""

    id: UUID
    sku: str
    name: str
    unit: str
    decimals: int


class StockFacts(Struct, frozen=True):
    """What stock-keeping needs to know of a product; quantities and costs scaled by `money.MICRO`.

    ext: what each plugin keeps with the product.
    """

    id: UUID
    sku: str
    name: str
    unit: str
    decimals: int
    track_stock: bool
    allow_negative_stock: bool
    is_active: bool
    min_stock: int | None
    cost_price: int | None
    ext: dict[str, Any] = field(default_factory=dict)
