"""What a simulated payer, and a simulated Razorpay, will do: chosen by the amount or a call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from plugins.payments.testing.simulator.web import Answer

On = Literal["code", "close", "read", "refund", "recon"]
"""A QR code is made, is closed, something is read, a refund is made, settlements are listed."""
Status = Literal["authorized", "captured", "failed"]
Event = Literal[
    "payment.authorized",
    "payment.captured",
    "payment.failed",
    "qr_code.created",
    "qr_code.credited",
    "qr_code.closed",
    "refund.created",
    "refund.processed",
    "refund.failed",
    "refund.speed_changed",
    "settlement.processed",
]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a payment so many seconds later. amount: in paise, another than was asked for. is_new: it is a
    second payment of the same QR code, not the one before.
    """

    status: Status = "captured"
    after_s: float = 0
    reason: str = ""
    amount: int | None = None
    is_new: bool = False


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """A notice so many seconds after what it tells of. signed: with the present secret, the former one, or wrongly."""

    event: Event
    after_s: float = 1
    signed: Literal["well", "formerly", "wrongly"] = "well"


class Scenario(Struct, kw_only=True, forbid_unknown_fields=True):
    """What happens where a call fits.

    on: which call. amount: in paise. reference: our note of the QR code. times: how often it holds, none for always.
    decisions: what becomes of a QR code; without them it waits for a person. pays: so many paise more or less than was
    asked for. notices: what is told instead of the truth after each decision; none at all where it is empty.
    answers_last: notices go out before the call is answered. status: of a refund, at once; ends: half a minute later.
    """

    on: On = "code"
    amount: int | None = None
    reference: str = ""
    times: int | None = None
    decisions: list[Step] | None = None
    pays: int = 0
    notices: list[Told] | None = None
    answer: Answer | None = None
    answers_last: bool = False
    status: Literal["pending", "processed", "failed"] = "processed"
    ends: Literal["processed", "failed"] | None = None

    def fits(self, on: On, amount: int | None, reference: str) -> bool:
        """Whether it holds for a call."""
        return self.on == on and self.times != 0 and self.amount in (None, amount) and self.reference in ("", reference)


PAID: Final = Scenario(decisions=[Step("captured", 3)])
HELD: Final = Scenario()


def _fails(reason: str) -> Scenario:
    return Scenario(decisions=[Step("failed", 3, reason)])


BY_RUPEES: Final[Mapping[int, tuple[str, Scenario]]] = MappingProxyType(
    {
        201: ("has too little money", _fails("insufficient_funds")),
        204: ("types a wrong PIN", _fails("incorrect_pin")),
        302: ("cancels", _fails("payment_cancelled")),
        402: ("is declined by the bank", _fails("payment_declined")),
    }
)
"""What payers do who are asked for so many rupees, as Razorpay documents it of its test mode."""

BY_PAISE: Final[Mapping[int, tuple[str, Scenario]]] = MappingProxyType(
    {
        1: ("pays", PAID),
        2: ("pays, and no notice comes", Scenario(decisions=[Step("captured", 3)], notices=[])),
        3: (
            "pays, and it is told three times",
            Scenario(decisions=[Step("captured", 3)], notices=[Told("qr_code.credited")] * 3),
        ),
        4: ("pays before the call is answered", Scenario(decisions=[Step()], answers_last=True)),
        5: ("pays, and the call's answer is lost", Scenario(decisions=[Step("captured", 3)], answer=Answer(does=True))),
        6: ("pays one rupee less", Scenario(decisions=[Step("captured", 3)], pays=-100)),
        7: ("pays one rupee more", Scenario(decisions=[Step("captured", 3)], pays=+100)),
        8: (
            "fails, and is charged six minutes later",
            Scenario(decisions=[Step("failed", 3, "payment_timed_out"), Step("captured", 360)]),
        ),
        9: (
            "pays; a failure is told after the success",
            Scenario(decisions=[Step("captured", 3)], notices=[Told("qr_code.credited", 1), Told("payment.failed", 2)]),
        ),
        10: (
            "pays; the failure is told before the success",
            Scenario(decisions=[Step("captured", 3)], notices=[Told("payment.failed", 1), Told("qr_code.credited", 2)]),
        ),
        11: ("pays twice", Scenario(decisions=[Step("captured", 3), Step("captured", 5, is_new=True)])),
        12: ("finds Razorpay busy", Scenario(answer=Answer("error", status=429, message="Too many requests"))),
        13: ("finds a proxy's error page", Scenario(answer=Answer("html", status=503))),
        14: ("pays after the QR code ran out", Scenario(decisions=[Step("captured", 600)])),
        15: ("fails for a reason that nobody knows", _fails("something_new")),
        16: (
            "is charged ten minutes after promising",
            Scenario(decisions=[Step("authorized", 3), Step("captured", 600)]),
        ),
        17: (
            "pays, and it is told with a wrong signature",
            Scenario(decisions=[Step("captured", 3)], notices=[Told("qr_code.credited", 1, "wrongly")]),
        ),
    }
)
"""What payers do whose amount ends in so many paise: in words, and as a scenario."""


def by_amount(amount: int) -> Scenario | None:
    """What the payer of an amount does by themselves; None for one who is a person."""
    rupees, paise = divmod(amount, 100)
    known = BY_PAISE.get(paise) if paise else BY_RUPEES.get(rupees)
    return known[1] if known else None
