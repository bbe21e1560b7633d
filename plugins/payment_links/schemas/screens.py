"""What a payer is shown, and what their page sends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

Face = Literal["choose", "wait", "paid", "closed"]
"""What a page is for: choosing how to pay; waiting; a receipt; nothing, whatever the reason."""


class Way(Struct, frozen=True):
    """A way of paying that is offered."""

    code: str
    title: str
    takes_phone: bool


class Waiting(Struct, frozen=True):
    """What a payer waits for. show: what they do next; `text` of a `qr` is what its picture holds."""

    payment_id: UUID
    title: str
    status: str
    show: Literal["prompt", "qr", "picture", "page", "wait"]
    text: str
    expires_at: dt.datetime | None
    may_be_called_back: bool = True


class Came(Struct, frozen=True):
    """Money that came: in minor units, the provider's number of it, and what was given back."""

    amount: int
    reference: str | None
    given_back: int


class Screen(Struct, frozen=True, kw_only=True):
    """All that a page shows. Amounts in minor units. `wrong`: field → words, of what was typed; `typed`: field → text.

    `is_late`: money came for what had ended; `is_over`: more came than was asked for. `fault`: why the last try came
    to nothing, or `unknown`. `state`: changes whenever there is something new to show.
    """

    face: Face
    shop: str = ""
    region: str = ""
    currency: str = ""
    number: str = ""
    words: str = ""
    amount: int | None = None
    least: int | None = None
    most: int | None = None
    paid: int = 0
    ways: tuple[Way, ...] = ()
    waiting: Waiting | None = None
    came: tuple[Came, ...] = ()
    paid_at: dt.datetime | None = None
    zone: str = "UTC"
    is_late: bool = False
    is_over: bool = False
    thanks: str = ""
    fault: str = ""
    wrong: Mapping[str, str] = {}
    typed: Mapping[str, str] = {}
    state: str = ""


class PayerNews(Struct, frozen=True):
    """Whether a page is still what there is to see: `state` as it bears it, or another."""

    state: Annotated[str, Meta(examples=["choose"])]
