"""What a payment method is, and the texts that travel with payments."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kernel.money import Amount
from kernel.wire import Code, Line
from plugins.payments.rules import RefundState, State, cash_step

MethodKind = Literal["cash", "bank", "card", "other"]
"""What a method is for the books: notes and coins, an account, a card, or anything else."""

EXTENSION: Final = "payments.payment"
"""The subject under which plugins read their part of a payment's `ext`."""

MethodCode = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"\A[a-z][a-z0-9_]*\Z",
        description="A method that is on, see methods.",
        examples=["cash"],
    ),
]

PhoneText = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=32,
        pattern=r"\A[0-9+() .-]+\Z",
        description="Whose phone pays, for methods that ask for it.",
        examples=["0712345678"],
    ),
]

Tendered = Annotated[Amount, Meta(description="What was handed over.", examples=["1000.00"])]

Reference = Annotated[Line, Meta(description="Number of a slip or transfer.", examples=["FT26325"])]

Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"\A[^\x00-\x1f\x7f\s]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?\Z",
        examples=["charged twice"],
    ),
]

PaymentState = Annotated[State, Meta(examples=["captured"])]

GivenBack = Annotated[RefundState, Meta(examples=["done"])]

SubjectKind = Annotated[Code, Meta(description="What kind of document it belongs to.", examples=["sale"])]

SubjectNumber = Annotated[str, Meta(description="The document's number.", examples=["T1-2026-000123"])]

Title = Annotated[str, Meta(examples=["Cash"])]

Person = Annotated[str, Meta(examples=["Wanjiku"])]

Refunded = Annotated[Amount, Meta(description="Given back, or on its way back.", examples=["0.00"])]

IncomingState = Literal["unclaimed", "dismissed"]
"""Of money that was not asked for: nobody has claimed it, or somebody said that it is no sale's."""

Waits = Literal["never", "may", "always"]
"""Whether a document may be made before its money has come: never, if the person says so, or always."""


class Method(Struct, frozen=True):
    """A way of paying that an enabled plugin offers.

    gateway: who must confirm the money; None takes the person's word. takes_phone: whether it asks whose phone pays.
    waits: whether its money may come later; wait_minutes: how long a document waits for it.
    """

    code: str
    title: str
    kind: MethodKind
    gateway: str | None = None
    takes_phone: bool = False
    waits: Waits = "never"
    wait_minutes: int = 0

    @property
    def is_cash(self) -> bool:
        """Whether it gives change and is rounded to coins."""
        return self.kind == "cash"

    def step(self, currency: str) -> int:
        """The smallest amount it can pay, in minor units: the smallest coin for cash, otherwise 1."""
        return cash_step(currency) if self.is_cash else 1
