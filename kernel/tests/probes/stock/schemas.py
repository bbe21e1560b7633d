"""What travels."""

from __future__ import annotations

import uuid
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Amount, Percent, Quantity
from kernel.wire import ListQuery, Name, Request, Text

Product = Annotated[str, Meta(min_length=1, max_length=20, examples=["rice"])]


class Take(Request, frozen=True):
    """What to take."""

    product: Product
    amount: Annotated[int, Meta(ge=1, le=1000, examples=[2])] = 1
    words: Text = ""


class Measured(Request, frozen=True):
    """Every kind of value a body can hold."""

    price: Amount | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    percent: Percent | UnsetType = UNSET
    count: Annotated[int, Meta(ge=0, le=2**31)] | UnsetType = UNSET
    flag: bool | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    words: Text | UnsetType = UNSET
    id: uuid.UUID | UnsetType = UNSET
    ids: Annotated[list[uuid.UUID], Meta(min_length=1, max_length=2000)] | UnsetType = UNSET


class PaperOut(Struct, frozen=True):
    """A paper."""

    id: uuid.UUID
    number: Annotated[str, Meta(examples=["P-000001"])]
    words: str


class PaperQuery(ListQuery, frozen=True):
    """Which papers."""

    words: Annotated[str, Meta(max_length=20)] | None = None
    sort: Annotated[str, Meta(max_length=20)] = "number"
