"""What travels when many products are changed at once: which, what becomes of them, and what that comes to."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Quantity, UnitPrice
from kernel.wire import Code, Name, Request, Search, custom, extends, needs
from plugins.catalog.schemas.goods import ENTITY, Custom, Format, GivenCost, HsnCode, Tag, Tags
from plugins.catalog.schemas.prices import Change

MOST = 1_000
"""Products of one change."""
PRICES = "catalog.prices"


class PriceBy(Request, frozen=True, kw_only=True):
    """A price by what it is now: so many percent more, or less, rounded once to a multiple of `round_to`.

    Without that to the smallest coin of the business's currency.
    """

    percent: Change
    round_to: UnitPrice | None = None


class ProductChange(Request, frozen=True, kw_only=True):
    """What becomes of a product; what is left out stays. A price is a figure, or a change of what it is now.

    Prices need the permission `catalog.prices`, as wherever many are set at once. Of `custom` only the fields named
    change; null takes a value away.
    """

    price: Annotated[UnitPrice | PriceBy | UnsetType, needs(PRICES)] = UNSET
    wholesale_price: Annotated[UnitPrice | PriceBy | UnsetType | None, needs(PRICES)] = UNSET
    cost_price: GivenCost = UNSET
    mrp: UnitPrice | UnsetType | None = UNSET
    category_id: UUID | UnsetType | None = UNSET
    brand_id: UUID | UnsetType | None = UNSET
    tax_class_id: UUID | UnsetType | None = UNSET
    hsn_code: HsnCode | UnsetType | None = UNSET
    min_stock: Quantity | UnsetType | None = UNSET
    track_stock: bool | UnsetType = UNSET
    allow_negative_stock: bool | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    add_tags: Tags = []
    remove_tags: Tags = []
    custom: Custom = {}


class PickedProduct(Request, frozen=True, kw_only=True):
    """A product that is to change, at the version that was seen. `change` is its own, over that of all."""

    product_id: UUID
    version: Annotated[int, Meta(ge=1, le=2**31 - 1, description="As its ETag has it.", examples=[3])]
    change: ProductChange | UnsetType = UNSET


class ProductsEdit(Request, frozen=True, kw_only=True):
    """Products to change, all or none, and what becomes of each.

    regardless: whatever their versions are by now, as `If-Match: *`.
    """

    products: Annotated[list[PickedProduct], Meta(min_length=1, max_length=MOST)]
    change: ProductChange = ProductChange()
    regardless: bool = False


class ProductsFilter(Request, frozen=True, kw_only=True):
    """What the list of products is filtered by, under the same names."""

    q: Search | None = None
    category_id: UUID | None = None
    brand_id: UUID | None = None
    tax_class_id: UUID | None = None
    tag: Tag | None = None
    is_active: bool | None = None
    has_category: bool | None = None
    has_barcode: bool | None = None
    price_from: UnitPrice | None = None
    price_to: UnitPrice | None = None


By = Annotated[
    dict[str, Annotated[str, Meta(max_length=200)]],
    Meta(max_length=20, description="As the list's `custom.<field>` or `ext.<plugin>.<field>`: what stands behind."),
]


class ProductsMatching(ProductsFilter, frozen=True, kw_only=True):
    """Which products: those that the list of products shows by these filters."""

    custom: By = {}
    ext: By = {}


class ProductsLook(Request, frozen=True, kw_only=True):
    """Products by their ids, or those that filters let through, up to 1,000; and what would become of them."""

    product_ids: Annotated[list[UUID], Meta(max_length=MOST)] = []
    matching: ProductsMatching | None = None
    change: ProductChange = ProductChange()


class SeenProduct(Struct, frozen=True):
    """A product and its version, to change it by."""

    product_id: UUID
    version: Annotated[int, Meta(examples=[3])]


Shown = str | bool | list[str] | None


class FieldChange(Struct, frozen=True):
    """A field as it is and as it would be; `custom.<field>` for one of the shop's own."""

    field: Annotated[str, Meta(examples=["price"])]
    before: Shown
    after: Shown


class ChangedProduct(Struct, frozen=True):
    """A product and what would become of it."""

    product_id: UUID
    sku: Code
    name: Name
    fields: list[FieldChange]


class ProductsPreview(Struct, frozen=True, kw_only=True):
    """What a change would do. `first`: up to 100 of the products that it changes; `more`: others match, too."""

    products: list[SeenProduct]
    more: bool
    changed: Annotated[int, Meta(examples=[12])]
    first: list[ChangedProduct]


class ProductsEdited(Struct, frozen=True, kw_only=True):
    """How many products were changed, and how many were so already; under `id` it stands in the audit trail."""

    id: UUID
    changed: Annotated[int, Meta(examples=[12])]
    unchanged: Annotated[int, Meta(examples=[0])]


class KeptEdit(Struct, frozen=True, kw_only=True):
    """A change of many products, kept until `undo_until`.

    `undoes_id`: the change that this one took back; `undo_id`: the one that took this one back, which it does once.
    """

    id: UUID
    made_at: dt.datetime
    made_by: UUID | None
    made_by_name: Annotated[str, Meta(examples=["Njeri"])]
    changed: Annotated[int, Meta(description="Products.", examples=[12])]
    fields: Annotated[list[str], Meta(description="What changed of some of them.", examples=[["price", "tags"]])]
    undoes_id: UUID | None
    undo_id: UUID | None
    undo_until: dt.datetime


class MovedProduct(Struct, frozen=True):
    """A product that has changed since."""

    product_id: UUID
    sku: Code
    name: Name


class UndoLook(Struct, frozen=True, kw_only=True):
    """What undoing a change would do. `first`: up to 100 of the products; `moved`: those that have changed since."""

    edit: KeptEdit
    changed: Annotated[int, Meta(examples=[12])]
    first: list[ChangedProduct]
    moved: list[MovedProduct]


class UndoEdit(Request, frozen=True, kw_only=True):
    """A change to undo. regardless: also where products have changed since, which are then as they were before it."""

    regardless: bool = False


class ExportQuery(ProductsFilter, frozen=True, kw_only=True):
    """Which kind of file, of which products: those that filters let through, all without one.

    `q` finds as in the list, but for words with letters left out.
    """

    format: Format = "csv"
    custom: Annotated[dict[str, str], custom(ENTITY)] = {}
    ext: Annotated[dict[str, str], extends(ENTITY)] = {}
