"""What a person says of money that only they have seen; and codes to be scanned. Amounts are decimal strings."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from kernel.money import Amount
from kernel.wire import Line, Request
from plugins.payments.schemas.values import MethodCode

MoneyNumber = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"\A[^\x00-\x1f\x7f]+\Z",
        description="The provider's number of the money, as the shop's own phone shows it.",
        examples=["432198765012"],
    ),
]

PictureKind = Annotated[Literal["svg", "png"], Meta(description="SVG for print, PNG for everything else.")]

Scale = Annotated[int, Meta(ge=1, le=40, description="Dots, or units, for each square of the code.", examples=[8])]


class SeenIn(Request, frozen=True, kw_only=True):
    """Money that a person has seen. `amount`: what came, if not what was asked for.

    `again`: the payment's money has come before, and this is more.
    """

    reference: MoneyNumber
    amount: Amount | None = None
    again: bool = False


class IncomingIn(Request, frozen=True, kw_only=True):
    """Money that a person has seen and nobody had asked for. `words`: by which it is found again."""

    method: MethodCode
    location_id: UUID
    register_id: UUID | None = None
    reference: MoneyNumber
    amount: Amount
    words: Annotated[Line, Meta(examples=["two bags of rice"])] | None = None


class PictureQuery(Request, frozen=True, kw_only=True):
    """What the picture of a code is to be."""

    kind: PictureKind = "svg"
    scale: Scale = 8


class StandingQuery(Request, frozen=True, kw_only=True):
    """For which place a code is; `account_id`: at which account, if not at the one that payments there go to."""

    location_id: UUID
    register_id: UUID | None = None
    account_id: UUID | None = None
    kind: PictureKind = "svg"
    scale: Scale = 8
