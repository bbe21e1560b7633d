"""The filters of products: their conditions, for lists, what is found by words, tables, and changes of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from kernel.money import parse_micro
from plugins.catalog.models import Barcode, BasePrice, Category, SearchKey
from plugins.catalog.rules.goods import plain_tag, tag_key
from plugins.catalog.services.pricing import running

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


def _has_barcode(product: Any) -> Any:
    codes = sa.exists().where(Barcode.business_id == product.business_id, Barcode.product_id == product.id)
    return codes == sa.bindparam("has_barcode", type_=sa.Boolean())


def _costs(name: str) -> Any:
    """By the price of now: few products have one that was planned, so these are looked up once for all rows."""

    def fits(price: Any) -> Any:
        bound = sa.bindparam(name, type_=sa.BigInteger())
        return price >= bound if name == "price_from" else price <= bound

    def condition(product: Any) -> Any:
        planned = sa.select(BasePrice.product_id).where(
            BasePrice.business_id == _business, BasePrice.channel == sa.literal_column("'retail'"), running(BasePrice)
        )
        by_hand = sa.and_(fits(product.price), product.id.not_in(planned))
        return sa.or_(by_hand, product.id.in_(planned.where(fits(BasePrice.price))))

    return condition


_CONDITIONS: Final[dict[str, Any]] = {
    "category": _in_category,
    "brand_id": lambda product: product.brand_id == sa.bindparam("brand_id", type_=sa.Uuid()),
    "tax_class_id": lambda product: product.tax_class_id == sa.bindparam("tax_class_id", type_=sa.Uuid()),
    "tag": _tagged,
    "is_active": lambda product: product.is_active == sa.bindparam("is_active", type_=sa.Boolean()),
    "has_category": lambda product: (
        product.category_id.is_not(None) == sa.bindparam("has_category", type_=sa.Boolean())
    ),
    "has_barcode": _has_barcode,
    "price_from": _costs("price_from"),
    "price_to": _costs("price_to"),
}
