"""Products by how much of them there is, over all places where one works: out of stock, low, in stock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from kernel.custom import Choice, ListFilter
from kernel.db import among
from kernel.work import Work
from plugins.catalog.api import product_columns
from plugins.inventory.models import Level

Fits = Callable[[Any, Any], sa.ColumnElement[bool]]
"""What is available of a product, and its columns → a condition."""
_business = sa.bindparam("business_id", type_=sa.Uuid())
_available = sa.func.coalesce(sa.func.sum(Level.on_hand - Level.reserved), 0)
_here = sa.and_(
    Level.business_id == _business,
    sa.or_(sa.bindparam("inventory_everywhere", type_=sa.Boolean()), among(Level.location_id, "inventory_places")),
)


def _given(work: Work) -> Mapping[str, Any]:
    """Where the caller works."""
    places = work.actor.locations
    return {"inventory_everywhere": places is None, "inventory_places": sorted(places or ())}


def _state(words: str, fits: Fits) -> Choice:
    return Choice(words, holds=lambda owner: _holds(owner, fits), few=_few(fits))


def _holds(owner: Any, fits: Fits) -> sa.ColumnElement[bool]:
    """Whether a product is counted and what there is of it fits."""
    product = product_columns()
    one: Any = sa.literal_column("1")
    there = sa.select(_available).where(_here, Level.product_id == product.c.id).scalar_subquery()
    found = sa.select(one).where(
        product.c.business_id == _business, product.c.id == owner, product.c.track_stock, fits(there, product.c)
    )
    return found.limit(one).scalar_subquery().is_not(None)


def _few(fits: Fits) -> sa.Select[*tuple[Any, ...]]:
    """The same products, by going through levels and products side by side."""
    product = product_columns()
    there = (
        sa.select(Level.product_id, _available.label("available")).where(_here).group_by(Level.product_id).subquery()
    )
    return (
        sa.select(product.c.id)
        .outerjoin(there, there.c.product_id == product.c.id)
        .where(
            product.c.business_id == _business,
            product.c.track_stock,
            fits(sa.func.coalesce(there.c.available, 0), product.c),
        )
    )


STOCK_STATE: Final = ListFilter(
    subject="catalog.product",
    name="stock",
    choices={
        "in": _state("Some is available", lambda available, _: available > 0),
        "low": _state(
            "No more is available than the product's minimum", lambda available, of: available <= of.min_stock
        ),
        "out": _state("None is available, or less", lambda available, _: available <= 0),
    },
    permission="inventory.see",
    given=_given,
)
"""Of counted products; those that nobody counts are in no state. What is reserved is not available."""
