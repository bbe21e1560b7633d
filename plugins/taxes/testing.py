"""Builders for other plugins' tests: tax classes that go through the use cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import convert

from kernel.testing.box import Box
from kernel.work import Work
from plugins.taxes.schemas.values import Category
from plugins.taxes.schemas.wire import ClassIn, ComponentIn, RateIn
from plugins.taxes.services.classes import add_class
from plugins.taxes.services.treatments import classes_by_code


async def a_tax_class(
    where: Box | Work,
    rate: str = "8",
    name: str = "Reduced",
    *,
    category: Category = "reduced",
    is_default: bool = False,
    components: Sequence[Mapping[str, Any]] | None = None,
    shop: str = "mama-njeri",
) -> UUID:
    """Add a class with one rate in the shop's region since 2021, and return its id: in a deed, or given the box.

    components: its taxes as on the wire, in place of a plain rate.
    """
    if isinstance(where, Work):
        parts = None if components is None else [convert(one, ComponentIn) for one in components]
        day, plain = dt.date(2021, 1, 1), rate if parts is None else None
        since = RateIn(region=where.shop.region, rate=plain, components=parts, valid_from=day)
        data = ClassIn(name=name, category=category, is_default=is_default, rates=[since])
        return (await add_class(where, data)).id
    said: dict[str, Any] = {"category": category, "is_default": is_default, "components": components}
    return await where.act(lambda work: a_tax_class(work, rate, name, **said), shop=shop)


async def tax_class(where: Box | Work, code: str, *, shop: str = "mama-njeri") -> UUID:
    """The id of a class by its code, such as `zero` in Kenya or `gst-5` in India."""
    if isinstance(where, Work):
        return (await classes_by_code(where))[code]
    return (await where.look(classes_by_code, shop=shop))[code]


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two classes."""
    for n in "12":
        own["class_id"] = own["tax_class_id"] = str(await a_tax_class(box, name=f"Reduced {n}", shop=shop))
