"""What a simulated payer, and a simulated Safaricom, will do: chosen by the payer's number, the amount or a call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from plugins.payments.testing.simulator.web import Answer

On = Literal["prompt", "query", "token", "reversal", "payout", "status", "balance", "register", "pull", "picture"]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """A result code, so many seconds later. amount: what a notice says instead of what was paid."""

    code: str = "0"
    after_s: float = 0
    amount: int | None = None


class Scenario(Struct, kw_only=True, forbid_unknown_fields=True):
    """What happens where a call fits.

    on: which call. payer: how the number ends. amount: in shillings. reference: of the account. times: how often it
    holds, none for always. decisions: what becomes of it; of prompts none waits for a person. notices: what is told of
    it instead of the truth, after the decision; none at all where it is empty. pays: another amount than was asked for.
    pending: how a question is told that nothing is decided; pending_s: for how long it goes on to say so after the
    decision. answers_last: notices go out before the call is answered. c2b_too: a prompt is confirmed as a payment to
    the shortcode too. queues: the address for results that wait too long is called before the result.
    """

    on: On = "prompt"
    payer: str = ""
    amount: int | None = None
    reference: str = ""
    times: int | None = None
    decisions: list[Step] | None = None
    notices: list[Step] | None = None
    pays: int | None = None
    answer: Answer | None = None
    pending: Literal["500.001.1001", "4999"] = "500.001.1001"
    pending_s: float = 0
    answers_last: bool = False
    c2b_too: bool = False
    queues: bool = False

    def fits(self, on: On, payer: str, amount: int | None, reference: str) -> bool:
        """Whether it holds for a call."""
        return (
            self.on == on
            and self.times != 0
            and payer.endswith(self.payer)
            and self.amount in (None, amount)
            and self.reference in ("", reference)
        )


APPROVED: Final = Scenario(decisions=[Step("0", 3)])
HELD: Final = Scenario()

BY_PAYER: Final[Mapping[str, tuple[str, Scenario]]] = MappingProxyType(
    {
        "001": ("approves", APPROVED),
        "002": ("declines", Scenario(decisions=[Step("1032", 3)])),
        "003": ("does not answer", Scenario(decisions=[Step("1037", 60)])),
        "004": ("has too little money", Scenario(decisions=[Step("1", 3)])),
        "005": ("types a wrong PIN", Scenario(decisions=[Step("2001", 3)])),
        "006": ("approves, and no notice comes", Scenario(decisions=[Step("0", 3)], notices=[])),
        "007": (
            "approves, and it is told three times",
            Scenario(decisions=[Step("0", 3)], notices=[Step(), Step(), Step()]),
        ),
        "008": (
            "approves before the call is answered",
            Scenario(decisions=[Step()], notices=[Step()], answers_last=True),
        ),
        "009": (
            "approves, and the call's answer is lost",
            Scenario(decisions=[Step("0", 3)], answer=Answer(does=True)),
        ),
        "010": ("pays one shilling less", Scenario(decisions=[Step("0", 3)], pays=-1)),
        "011": ("pays one shilling more", Scenario(decisions=[Step("0", 3)], pays=+1)),
        "012": ("pays after the prompt ran out", Scenario(decisions=[Step("1037", 60), Step("0", 300)])),
        "013": (
            "approves; a failure is told after the success",
            Scenario(decisions=[Step("0", 3)], notices=[Step("0", 1), Step("1032", 2)]),
        ),
        "014": (
            "approves; questions hear 4999 for half an hour",
            Scenario(decisions=[Step("0", 3)], notices=[], pending="4999", pending_s=1800),
        ),
        "015": ("approves after a minute and a half", Scenario(decisions=[Step("0", 90)], pending="4999")),
        "016": ("meets the error 9999", Scenario(decisions=[Step("9999", 3)])),
        "017": ("meets the rule of two minutes", Scenario(decisions=[Step("17", 1)])),
        "018": (
            "finds Safaricom busy",
            Scenario(
                answer=Answer(
                    "error", status=503, code="500.003.02", message="System is busy. Please try again in few minutes."
                )
            ),
        ),
        "019": ("finds a proxy's error page", Scenario(answer=Answer("html", status=503))),
        "020": ("approves; told as a payment to the shortcode too", Scenario(decisions=[Step("0", 3)], c2b_too=True)),
        "021": (
            "approves; the failure is told before the success",
            Scenario(decisions=[Step("0", 3)], notices=[Step("1032", 1), Step("0", 2)]),
        ),
        "022": ("meets a code that nobody knows", Scenario(decisions=[Step("7777", 3)])),
    }
)
"""What payers do whose numbers end so: in words, and as a scenario. `pays` is what they pay more or less."""
