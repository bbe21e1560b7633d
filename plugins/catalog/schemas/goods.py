"""What travels: products with their packs and barcodes, categories, brands. Figures are decimal strings."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Quantity, UnitPrice
from kernel.wire import Code, Ext, ListQuery, Name, Request, Search, Text, custom, extends, needs

Cost = Annotated[UnitPrice | None, needs("catalog.see_cost")]
"""A cost price: seen and set only by those who may."""
GivenCost = Annotated[UnitPrice | UnsetType | None, needs("catalog.see_cost")]
"""A cost price of a request, which may leave it out."""

Unit = Literal["piece", "kg", "g", "litre", "ml", "metre", "pack", "hour"]
"""What a product is counted or measured in."""

Kind = Literal["goods", "service"]

ENTITY = "catalog.product"
"""What products are called by who extends them, and by the fields of a shop's own."""
Custom = Annotated[dict[str, Any], custom(ENTITY)]
"""Field of the shop's own → value."""

BarcodeText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="EAN, UPC and GTIN must end in their check digit; other codes are up to 48 printable characters.",
        examples=["6161100000018"],
    ),
]
HsnCode = Annotated[
    str,
    Meta(pattern=r"\A[0-9]{4,8}\Z", description="Customs code of goods or services (India).", examples=["10063020"]),
]
Factor = Annotated[
    str,
    Meta(
        pattern=r"\A(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?\Z",
        max_length=13,
        description="Units of the product in one pack; above zero, and never changed.",
        examples=["12"],
    ),
]
PackName = Annotated[
    str,
    Meta(min_length=1, max_length=100, pattern=r"\A\S([^\x00-\x1f\x7f]*\S)?\Z", examples=["Carton of 12"]),
]

Tag = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"\A[^\s\x00-\x1f\x7f,;|#]([^\x00-\x1f\x7f,;|#]*[^\s\x00-\x1f\x7f,;|#])?\Z",
        description="A word or a few; kept without capitals.",
        examples=["gluten free"],
    ),
]
Tags = Annotated[list[Tag], Meta(max_length=20)]

# Categories and brands


class CategoryIn(Request, frozen=True, kw_only=True):
    """A category to add, below another or at the root."""

    id: UUID | None = None
    name: Name
    parent_id: UUID | None = None


class CategoryPatch(Request, frozen=True, kw_only=True):
    """What changes of a category; with `parent_id` it moves, and all below it."""

    name: Name | UnsetType = UNSET
    parent_id: UUID | UnsetType | None = UNSET


class CategoryOut(Struct, frozen=True):
    """A category; `path` leads from the root to itself."""

    id: UUID
    name: Name
    parent_id: UUID | None
    path: list[UUID]


class CategoryQuery(ListQuery, frozen=True, kw_only=True):
    """Which categories: with `parent_id` those directly below it."""

    parent_id: UUID | None = None


class BrandIn(Request, frozen=True, kw_only=True):
    """A brand to add."""

    id: UUID | None = None
    name: Name


class BrandPatch(Request, frozen=True, kw_only=True):
    """What changes of a brand."""

    name: Name | UnsetType = UNSET


class BrandOut(Struct, frozen=True):
    """A brand."""

    id: UUID
    name: Name


# Barcodes and packs


class BarcodeIn(Request, frozen=True, kw_only=True):
    """A barcode, with the maximum retail price printed beside it, if it differs from the product's."""

    code: BarcodeText
    mrp: UnitPrice | None = None


class NewBarcode(BarcodeIn, frozen=True, kw_only=True):
    """A barcode to add to a product, or to one of its packs; `mrp` is then of the whole pack."""

    pack_id: UUID | None = None


class BarcodeOut(Struct, frozen=True):
    """A barcode in its normal form."""

    code: BarcodeText
    mrp: UnitPrice | None
    pack_id: UUID | None


class PackIn(Request, frozen=True, kw_only=True):
    """A pack: so many units under a name, with a price and a barcode of its own if it has them."""

    name: PackName
    factor: Factor
    price: UnitPrice | None = None
    barcode: BarcodeText | None = None


class PackPatch(Request, frozen=True, kw_only=True):
    """What changes of a pack; its factor never does."""

    name: PackName | UnsetType = UNSET
    price: UnitPrice | UnsetType | None = UNSET


class PackOut(Struct, frozen=True):
    """A pack; without a price it costs its factor times the product's."""

    id: UUID
    name: PackName
    factor: Factor
    price: UnitPrice | None
    barcodes: list[BarcodeText]


# Images

IMAGE_SIZES = (96, 320, 1024)
"""The longest side of an image, in pixels."""


class ImageLinks(Struct, frozen=True):
    """Where a product's image is, by its longest side in pixels (96, 320, 1024); each may be kept for ever."""

    small: Annotated[str, Meta(examples=["/api/v1/catalog/products/…/image/96?v=…"])]
    medium: str
    large: str


class ImageQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which image: `v` as the product's links give it."""

    v: Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", examples=["9f86d081884c7d659a2feaa0c55ad015"])]


# Products


class ProductIn(Request, frozen=True, kw_only=True):
    """A product to add. A service has no stock. `cost_price` needs the permission to see costs."""

    id: UUID | None = None
    sku: Code
    name: Name
    description: Text = ""
    kind: Kind = "goods"
    unit: Unit = "piece"
    price: UnitPrice
    wholesale_price: UnitPrice | None = None
    cost_price: GivenCost = UNSET
    mrp: UnitPrice | None = None
    category_id: UUID | None = None
    brand_id: UUID | None = None
    tax_class_id: UUID | None = None
    hsn_code: HsnCode | None = None
    min_stock: Quantity | None = None
    track_stock: bool | UnsetType = UNSET
    allow_negative_stock: bool = False
    is_active: bool = True
    tags: Tags = []
    barcodes: Annotated[list[BarcodeText | BarcodeIn], Meta(max_length=50)] = []
    packs: Annotated[list[PackIn], Meta(max_length=20)] = []
    ext: Ext = {}
    custom: Custom = {}


class ProductLine(Request, frozen=True, kw_only=True):
    """A product in a few words. Without a `sku` one is made from its name."""

    name: Name
    price: UnitPrice
    sku: Code | None = None
    barcodes: Annotated[list[BarcodeText], Meta(max_length=50)] = []
    unit: Unit = "piece"
    kind: Kind = "goods"
    cost_price: GivenCost = UNSET


class ProductsIn(Request, frozen=True, kw_only=True):
    """Several products to add at once."""

    products: Annotated[list[ProductLine], Meta(min_length=1, max_length=100)]


class ProductPatch(Request, frozen=True, kw_only=True):
    """What changes of a product. Its unit and kind stay; packs and barcodes have routes of their own.

    Of `ext` only the plugins named change, of `custom` only the fields; null takes a value away.
    """

    sku: Code | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    price: UnitPrice | UnsetType = UNSET
    wholesale_price: UnitPrice | UnsetType | None = UNSET
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
    tags: Tags | UnsetType = UNSET
    ext: Ext | UnsetType = UNSET
    custom: Custom | UnsetType = UNSET


class ProductOut(Struct, frozen=True, kw_only=True):
    """A product. `cost_price` is left out for those who may not see costs; `barcodes` are those of single units."""

    id: UUID
    sku: Code
    name: Name
    description: Text
    kind: Kind
    unit: Unit
    price: UnitPrice
    wholesale_price: UnitPrice | None
    cost_price: Cost
    mrp: UnitPrice | None
    category_id: UUID | None
    brand_id: UUID | None
    tax_class_id: UUID | None
    hsn_code: HsnCode | None
    min_stock: Quantity | None
    track_stock: bool
    allow_negative_stock: bool
    is_active: bool
    tags: list[Tag]
    barcodes: list[BarcodeText]
    packs: list[PackOut]
    image: ImageLinks | None
    ext: Annotated[dict[str, Any], extends(ENTITY)]
    custom: Custom
    created_at: dt.datetime
    updated_at: dt.datetime


class ProductQuery(ListQuery, frozen=True, kw_only=True):
    """Which products. `q`: words, their beginnings or abbreviations, a SKU or barcode; `category_id` with all below.

    By a field of the shop's own: `custom.<field>=`, of numbers and dates also `custom.<field>.from=` and `.to=`. By
    what a plugin keeps with them: `ext.<plugin>.<field>=`, of numbers, dates and instants also `….from=` and `….to=`.
    `tax_class_id` finds those that name the class; `price_from` and `price_to` go by the retail price of now.
    """

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
    custom: Annotated[dict[str, str], custom(ENTITY)] = {}
    ext: Annotated[dict[str, str], extends(ENTITY)] = {}
    sort: (
        Annotated[
            str,
            Meta(
                max_length=20,
                description="name, sku or created_at; - reverses. Without it by name; with `q` best first.",
                examples=["-name"],
            ),
        ]
        | None
    ) = None


class Scanned(Struct, frozen=True):
    """What a barcode names: a product, and the pack it stands on; `mrp` is that of the unit or pack scanned."""

    code: BarcodeText
    mrp: UnitPrice | None
    product: ProductOut
    pack: PackOut | None


# Tables

Format = Literal["csv", "xlsx"]


class TableQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which kind of file."""

    format: Format = "csv"


class Counts(Struct, frozen=True):
    """What rows of a table do, or did."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0


class CellFault(Struct, frozen=True):
    """What is wrong with a cell. `row` as the spreadsheet counts: the header is row 1."""

    row: Annotated[int, Meta(examples=[17])]
    column: Annotated[str, Meta(examples=["price"])]
    detail: str


class ImportOut(Struct, frozen=True, kw_only=True):
    """A table on its way in, of products or of prices on a list.

    `preview`: what applying it would do; `result`: what it has done so far.
    State: `checking`, `checked` (nothing is written yet), `applying`, `applied`. At most 1,000 `errors` are kept.
    """

    id: UUID
    price_list_id: UUID | None
    state: Literal["checking", "checked", "applying", "applied"]
    columns: list[str]
    rows: int
    preview: Counts
    result: Counts
    errors: list[CellFault]
    new_categories: list[str]
    new_brands: list[str]
    created_at: dt.datetime
    ended_at: dt.datetime | None
