"""The filters of products: their conditions, for lists, what is found by words, tables, and changes of many.

Those that may let few of many products through (`_ASKED_FIRST`) are asked for these by an index of their own, as
filters by fields of the shop's own are (decision 0080); a list is then made of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from kernel.custom import FEW, Shape, custom_filter
from kernel.db import Prepared
from kernel.money import parse_micro
from kernel.work import Work
from plugins.catalog.models import BasePrice, Category, Product, SearchKey
from plugins.catalog.rules.goods import plain_tag, tag_key
from plugins.catalog.schemas.goods import ENTITY
from plugins.catalog.services.pricing import base_price, running

Given = dict[str, Any]
_business = sa.bindparam("business_id", type_=sa.Uuid())


class Filters(Protocol):
    """What products are filtered by, as requests of several kinds have it."""

    @property
    def category_id(self) -> UUID | None:
        """With all below it."""

    @property
    def brand_id(self) -> UUID | None:
        """Of this brand."""

    @property
    def tax_class_id(self) -> UUID | None:
        """That name this class."""

    @property
    def tag(self) -> str | None:
        """With this tag."""

    @property
    def is_active(self) -> bool | None:
        """On sale or not."""

    @property
    def has_category(self) -> bool | None:
        """In some category or in none."""

    @property
    def has_barcode(self) -> bool | None:
        """With a barcode, be it on a pack, or without."""

    @property
    def price_from(self) -> str | None:
        """That cost at least so much."""

    @property
    def price_to(self) -> str | None:
        """That cost at most so much."""

    @property
    def custom(self) -> Mapping[str, str]:
        """By fields of the shop's own."""

    @property
    def ext(self) -> Mapping[str, str]:
        """By what plugins keep with products."""


class Narrowed(Struct, frozen=True):
    """What products are narrowed to: the filters by name, the shape of those that are not catalog's, values of all."""

    names: tuple[str, ...]
    custom: Shape
    given: Given


async def narrowed(work: Work, asked: Filters) -> Narrowed:
    """The filters that are asked for. Raises as `custom_filter`."""
    own, said = await custom_filter(work, ENTITY, asked.custom, asked.ext), given_filters(asked)
    given = said | {"at": work.now}
    for names, asking in _ASKED_FIRST:
        if here := tuple(name for name in names if name in said):
            found = {row.id for row in await work.fetch(asking(here, said), **given)}
            own = own if len(found) > FEW else own.within(found)
    return Narrowed(tuple(said), own.shape, given | own.parameters)


def given_filters(asked: Filters) -> Given:
    """The filters that are asked for, by name, as parameters of `conditions_of`."""
    said: Given = {
        "category": None if asked.category_id is None else asked.category_id.hex,
        "brand_id": asked.brand_id,
        "tax_class_id": asked.tax_class_id,
        "tag": None if asked.tag is None else tag_key(plain_tag(asked.tag)),
        "is_active": asked.is_active,
        "has_category": asked.has_category,
        "has_barcode": asked.has_barcode,
        "price_from": None if asked.price_from is None else parse_micro(asked.price_from),
        "price_to": None if asked.price_to is None else parse_micro(asked.price_to),
    }
    return {name: value for name, value in said.items() if value is not None}


def conditions_of(product: Any, names: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """The conditions of filters on `Product` or an alias of it, their values as parameters; prices also take `at`."""
    return [_CONDITIONS[name](product) for name in names]


def _in_category(product: Any) -> Any:
    below = sa.select(Category.id).where(
        Category.business_id == _business, Category.path.contains(sa.bindparam("category", type_=sa.Text()))
    )
    return product.category_id.in_(below)


def _tagged(product: Any) -> Any:
    tagged = sa.select(SearchKey.product_id).where(
        SearchKey.business_id == _business, SearchKey.key == sa.bindparam("tag", type_=SearchKey.key.type)
    )
    return product.id.in_(tagged)


def _costs(name: str) -> Any:
    """By the price of now."""
    return lambda product: _fits(base_price("retail", product=product).element, name)


def _fits(price: Any, name: str) -> Any:
    bound = sa.bindparam(name, type_=sa.BigInteger())
    return price >= bound if name == "price_from" else price <= bound


def _of_barcodes(_: tuple[str, ...], said: Given) -> Prepared:
    return _CODED if said["has_barcode"] else _UNCODED


@cache
def _of_prices(names: tuple[str, ...]) -> Prepared:
    """Products whose price by hand fits, or the planned one of now: all whose price fits are among them."""
    by_hand = sa.select(Product.id).where(
        Product.business_id == _business, *(_fits(Product.price, name) for name in names)
    )
    planned = sa.select(BasePrice.product_id.label("id")).where(
        BasePrice.business_id == _business,
        BasePrice.channel == sa.literal_column("'retail'"),
        running(BasePrice),
        *(_fits(BasePrice.price, name) for name in names),
    )
    return Prepared(sa.union_all(*(sa.select(_some(one).subquery()) for one in (by_hand, planned))))


def _some(products: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """The first of them: all that few are, or so many that they are not few."""
    return products.limit(sa.literal_column(str(FEW + 1)))


_coded = sa.select(Product.id).where(Product.business_id == _business)
_CODED, _UNCODED = (Prepared(_some(_coded.where(one))) for one in (Product.has_barcode, sa.not_(Product.has_barcode)))
_ASKED_FIRST: Final[tuple[tuple[tuple[str, ...], Callable[[tuple[str, ...], Given], Prepared]], ...]] = (
    (("has_barcode",), _of_barcodes),
    (("price_from", "price_to"), lambda names, _: _of_prices(names)),
)
"""Filters, and the statement that finds the products they let through, or more: as many as are few, and one more."""
_CONDITIONS: Final[dict[str, Any]] = {
    "category": _in_category,
    "brand_id": lambda product: product.brand_id == sa.bindparam("brand_id", type_=sa.Uuid()),
    "tax_class_id": lambda product: product.tax_class_id == sa.bindparam("tax_class_id", type_=sa.Uuid()),
    "tag": _tagged,
    "is_active": lambda product: product.is_active == sa.bindparam("is_active", type_=sa.Boolean()),
    "has_category": lambda product: (
        product.category_id.is_not(None) == sa.bindparam("has_category", type_=sa.Boolean())
    ),
    "has_barcode": lambda product: product.has_barcode == sa.bindparam("has_barcode", type_=sa.Boolean()),
    "price_from": _costs("price_from"),
    "price_to": _costs("price_to"),
}
