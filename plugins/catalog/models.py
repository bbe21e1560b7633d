"""Products and what sorts, packs and names them. Prices, factors and stock figures are scaled by `money.MICRO`."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Json, Owned, Versioned, owned_key
from kernel.db.custom import CustomKey, SortedText, custom_keys, custom_values
from kernel.db.personal import carries, impersonal, names, personal

SearchText = SortedText
"""So that the words that begin alike stand together."""


def _coded(name: str, on_postgres: str, on_sqlite: str) -> sa.Index:
    """The ids of products with barcodes, or without: an index each, so that no database has to guess how many."""
    where: dict[str, Any] = {"postgresql_where": sa.text(on_postgres), "sqlite_where": sa.text(on_sqlite)}
    return sa.Index(name, "business_id", "id", **where)


class Category(Owned, Versioned, Base):
    """A shelf in the tree of goods. `path`: ids in hex from the root to itself, parted by `/`."""

    __tablename__ = "catalog_category"
    __table_args__ = (owned_key("parent_id", "catalog_category"),)

    name: Mapped[str] = mapped_column(info=impersonal("the category's"))
    parent_id: Mapped[uuid.UUID | None]
    path: Mapped[str] = mapped_column(info=impersonal("ids"))


class Brand(Owned, Versioned, Base):
    """A maker's name."""

    __tablename__ = "catalog_brand"
    __table_args__ = (sa.UniqueConstraint("business_id", "name"),)

    name: Mapped[str] = mapped_column(info=impersonal("the brand's"))


class Product(Owned, Versioned, Base):
    """A thing or service that is sold.

    price, wholesale_price: as they were last set by hand; `BasePrice` knows what was planned, so read them by
    `services.pricing.base_price`. tax_class_id belongs to taxes, None means the business's default.
    image: the digest of its picture. ext: plugin → what it keeps with the product.
    custom: field of the shop's own → value. tags: as `rules.goods.plain_tags` writes them.
    has_barcode: whether any barcode names it or a pack of it, kept by `services.keys.write_search`.
    """

    __tablename__ = "catalog_product"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "sku"),
        sa.Index("ix_catalog_product_name", "business_id", "name", "id"),
        sa.Index("ix_catalog_product_category", "business_id", "category_id"),
        sa.Index("ix_catalog_product_price", "business_id", "price", "id"),
        _coded("ix_catalog_product_coded", "has_barcode", "has_barcode = 1"),
        _coded("ix_catalog_product_uncoded", "NOT has_barcode", "has_barcode = 0"),
        owned_key("category_id", "catalog_category"),
        owned_key("brand_id", "catalog_brand"),
    )

    sku: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the product's"))
    description: Mapped[str] = mapped_column(info=impersonal("the product's"))
    kind: Mapped[str]
    unit: Mapped[str]
    price: Mapped[int]
    wholesale_price: Mapped[int | None]
    cost_price: Mapped[int | None] = mapped_column(info={"permission": "catalog.see_cost"})
    mrp: Mapped[int | None]
    category_id: Mapped[uuid.UUID | None]
    brand_id: Mapped[uuid.UUID | None]
    tax_class_id: Mapped[uuid.UUID | None]
    hsn_code: Mapped[str | None] = mapped_column(info=impersonal("a code"))
    min_stock: Mapped[int | None]
    track_stock: Mapped[bool]
    allow_negative_stock: Mapped[bool]
    is_active: Mapped[bool]
    has_barcode: Mapped[bool] = mapped_column(default=False, server_default=sa.true())
    image: Mapped[str | None] = mapped_column(info=impersonal("a digest"))
    tags: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]", info=impersonal("the product's"))
    ext: Mapped[dict[str, Any]] = mapped_column(
        info=carries("what plugins keep with a product") | {"extends": "catalog.product"}
    )
    custom: Mapped[dict[str, Any]] = mapped_column(
        Json,
        server_default="{}",
        info=carries("what fields of the shop's own say of a product") | custom_values("catalog.product"),
    )
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class ProductKey(CustomKey, Base):
    """By what the shop's own fields find a product."""

    __tablename__ = "catalog_product_key"
    __table_args__ = custom_keys("catalog.product", "catalog_product")

    key: Mapped[str] = mapped_column(SortedText, info=carries("what fields of the shop's own say of a product"))


class Pack(Owned, Base):
    """Several units of a product sold as one, such as a carton of 12; stock is counted in the product's unit.

    factor: units in one pack, never changed. price: of one whole pack; None: factor times the product's price.
    """

    __tablename__ = "catalog_pack"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "product_id", "name"),
        sa.CheckConstraint("factor > 0", name="factor"),
        owned_key("product_id", "catalog_product"),
    )

    product_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(info=impersonal("the pack's"))
    factor: Mapped[int]
    price: Mapped[int | None]


class Barcode(Owned, Base):
    """A code in its normal form, the product it names, and the pack where it stands on one.

    mrp: printed beside it, per unit of what it stands on; None: the product's.
    """

    __tablename__ = "catalog_barcode"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "code"),
        sa.Index("ix_catalog_barcode_product", "business_id", "product_id"),
        owned_key("product_id", "catalog_product"),
        owned_key("pack_id", "catalog_pack"),
    )

    code: Mapped[str]
    product_id: Mapped[uuid.UUID]
    pack_id: Mapped[uuid.UUID | None]
    mrp: Mapped[int | None]


class SearchKey(Base):
    """What a product is found by (`rules.search_keys`); kept by the deeds that change names and codes.

    label: the product's name in the order of the list. Rows are made anew, never changed.
    """

    __tablename__ = "catalog_search_key"
    __table_args__ = (
        sa.Index("ix_catalog_search_key_key", "business_id", "key", "label", "product_id"),
        owned_key("product_id", "catalog_product"),
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(SearchText, primary_key=True, info=impersonal("the product's"))
    label: Mapped[str] = mapped_column(SearchText, info=impersonal("the product's"))


class SearchWord(Base):
    """A word of some product's name, among which those are looked for that a shortened word may mean.

    Noted by the deeds that write names; those that no name has any more are deleted by night.
    """

    __tablename__ = "catalog_search_word"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(SearchText, primary_key=True, info=impersonal("of a product's name"))


class Picture(Base):
    """A product's image in one size: the longest side in pixels, WebP."""

    __tablename__ = "catalog_picture"
    __table_args__ = (owned_key("product_id", "catalog_product"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    px: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(info=impersonal("a digest"))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary(), info=impersonal("a picture of goods"))


class ProductEdit(Owned, Base):
    """Many products changed as one deed, kept for some days so that it can be undone.

    fields: the columns that changed. undoes_id: the edit that this one took back; undo_id: the one that took it back.
    """

    __tablename__ = "catalog_product_edit"
    __table_args__ = (sa.Index("ix_catalog_product_edit_made_at", "business_id", "made_at"),)

    made_at: Mapped[dt.datetime]
    made_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    made_by_name: Mapped[str] = mapped_column(info=personal("name", of="made_by"))
    changed: Mapped[int]
    fields: Mapped[list[str]] = mapped_column(Json, info=impersonal("names of columns"))
    undoes_id: Mapped[uuid.UUID | None]
    undo_id: Mapped[uuid.UUID | None]


class ProductEditLine(Base):
    """A product of such an edit. version: the one it had afterwards; was: see `services.kept_edits`."""

    __tablename__ = "catalog_product_edit_line"
    __table_args__ = (
        owned_key("edit_id", "catalog_product_edit"),
        owned_key("product_id", "catalog_product"),
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    edit_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    was: Mapped[dict[str, Any]] = mapped_column(Json, info=carries("what fields of the shop's own said of a product"))


class Import(Owned, Base):
    """A table of products, or of the prices of a list, on its way in: checked, then applied part by part.

    list_id: whose prices; None for products. state: see `rules.IMPORT_STATES`. columns: those the table has.
    preview: what applying it would do; result: what it has done so far; each holds counts. errors: the first of them.
    next_part: how far it is applied.
    """

    __tablename__ = "catalog_import"

    list_id: Mapped[uuid.UUID | None]
    state: Mapped[str]
    digest: Mapped[str] = mapped_column(info=impersonal("of the file"))
    columns: Mapped[list[str]] = mapped_column(info=impersonal("names of columns"))
    rows: Mapped[int]
    parts: Mapped[int]
    next_part: Mapped[int]
    preview: Mapped[dict[str, Any]] = mapped_column(info=impersonal("counts"))
    result: Mapped[dict[str, Any]] = mapped_column(info=impersonal("counts"))
    errors: Mapped[dict[str, Any]] = mapped_column(info=impersonal("rows, columns and what is wrong"))
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class ImportPart(Base):
    """Some rows of an import, as they passed the check: a deed's worth. Gone once the import has ended."""

    __tablename__ = "catalog_import_part"
    __table_args__ = (owned_key("import_id", "catalog_import"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    import_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[dict[str, Any]] = mapped_column(info=carries("rows of products"))


class PriceList(Owned, Versioned, Base):
    """Prices that stand instead of the products' own: for everybody, a location, a group of customers or one customer.

    scope: see `rules.prices.SCOPES`; exactly the id it speaks of is there, those of customers are of the plugin
    customers. channel: None means every one. It is in force from `starts_at` up to, not including, `ends_at`.

    A list that is based on the products' own prices of a channel (`based_on`), or on another list (`based_on_id`), has
    a price for whatever those have one for: so many percent more, or less, rounded to a multiple of `round_to`.
    """

    __tablename__ = "catalog_price_list"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "name"),
        sa.CheckConstraint("(scope = 'location') = (location_id IS NOT NULL)", name="location"),
        sa.CheckConstraint("(scope = 'group') = (group_id IS NOT NULL)", name="group"),
        sa.CheckConstraint("(scope = 'customer') = (customer_id IS NOT NULL)", name="customer"),
        sa.CheckConstraint("ends_at IS NULL OR starts_at IS NULL OR ends_at > starts_at", name="span"),
        {"info": CONFIGURATION},
    )

    name: Mapped[str] = mapped_column(info=impersonal("the list's"))
    scope: Mapped[str] = mapped_column(info=impersonal("a code"))
    location_id: Mapped[uuid.UUID | None]
    group_id: Mapped[uuid.UUID | None]
    customer_id: Mapped[uuid.UUID | None] = mapped_column(info=names("customer"))
    channel: Mapped[str | None]
    currency: Mapped[str]
    prices_include_tax: Mapped[bool]
    based_on: Mapped[str | None] = mapped_column(info=impersonal("a channel"))
    based_on_id: Mapped[uuid.UUID | None]
    percent: Mapped[int | None]
    round_to: Mapped[int | None]
    starts_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime | None]
    is_active: Mapped[bool]
    created_at: Mapped[dt.datetime]


class Price(Owned, Base):
    """A price on a list, from one instant up to the next change of it: of a unit, or of a whole pack.

    min_quantity: from how much of the product, or how many of the pack, a cart must hold. Rows of one key (list,
    product, pack, min_quantity) never overlap; what has begun keeps its price, so that they are the history.
    mark: see `rules.spans`.
    """

    __tablename__ = "catalog_price"
    __table_args__ = (
        sa.CheckConstraint("price >= 0 AND min_quantity >= 0", name="figures"),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="span"),
        sa.Index("ix_catalog_price_product", "business_id", "product_id", "list_id", "starts_at"),
        sa.Index("ix_catalog_price_list", "business_id", "list_id", "id"),
        owned_key("list_id", "catalog_price_list"),
        owned_key("product_id", "catalog_product"),
        owned_key("pack_id", "catalog_pack"),
    )

    list_id: Mapped[uuid.UUID]
    product_id: Mapped[uuid.UUID]
    pack_id: Mapped[uuid.UUID | None]
    min_quantity: Mapped[int]
    price: Mapped[int]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]
    mark: Mapped[str | None] = mapped_column(info=impersonal("a code"))
    created_at: Mapped[dt.datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))


class BasePrice(Owned, Base):
    """A product's own price in a channel (retail, wholesale) over time, once it has changed or a change is planned.

    price: None where there was none, which only the wholesale price may be. Rows of a product and channel follow each
    other without a gap from the first on. A product without rows has always had the price in its own row.
    """

    __tablename__ = "catalog_base_price"
    __table_args__ = (
        sa.CheckConstraint("price >= 0 AND (price IS NOT NULL OR channel = 'wholesale')", name="figures"),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="span"),
        sa.UniqueConstraint("business_id", "product_id", "channel", "starts_at"),
        sa.Index("ix_catalog_base_price_price", "business_id", "channel", "price"),
        owned_key("product_id", "catalog_product"),
    )

    product_id: Mapped[uuid.UUID]
    channel: Mapped[str]
    price: Mapped[int | None]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]
    mark: Mapped[str | None] = mapped_column(info=impersonal("a code"))
    created_at: Mapped[dt.datetime]
    created_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
