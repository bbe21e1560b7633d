"""M-PESA's gateway: what Duka says to Safaricom's Daraja, and what it hears from there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from kernel.wire import Page
from plugins.gateways_mpesa.gateway import asking, calls, enrolling, giving, listing
from plugins.gateways_mpesa.rules.credentials import SANDBOX_PASSKEY
from plugins.gateways_mpesa.rules.facts import c2b_facts, prompt_facts, result_facts, shape
from plugins.gateways_mpesa.rules.redacting import redacted
from plugins.gateways_mpesa.rules.values import CURRENCY, inside, minor, phone
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.payments.api import (
    Asked,
    Back,
    Capabilities,
    Gateway,
    GatewayFact,
    Known,
    Line,
    Method,
    Mode,
    Notice,
    NoticeAnswer,
    Span,
    Started,
    Statemented,
    StatementLine,
    Verdict,
    Window,
)

__all__ = ["Mpesa"]

NAME: Final = "mpesa"
_TAKEN: Final = {"ResultCode": 0, "ResultDesc": "Accepted"}
_TAKEN_C2B: Final = {"ResultCode": "0", "ResultDesc": "Accepted"}
_ENCODER: Final = msgspec.json.Encoder()


class Mpesa(Gateway, Statemented):
    """Prompts and pictures, payments to the PayBill or till, reversals, payouts of parts."""

    name = NAME
    title = "M-PESA"
    config = MpesaConfig
    capabilities = Capabilities(
        regions=("KE",),
        spans=(Span(CURRENCY, asking.LEAST, asking.MOST, 100),),
        notices="hint",
        refunds="whole",
        pays_out=True,
        takes_unasked=True,
        asks_after_s=(10, 20, 35, 55, 80, 120, 300, 600, 1800, 3600),
        lives_s=asking.LIVES_S,
        reference_most=12,
    )
    methods = (
        Method("mpesa", "M-PESA", "other", NAME, takes_phone=True, waits="always", wait_minutes=15),
        Method("mpesa_qr", "M-PESA by QR code", "other", NAME, waits="always", wait_minutes=15),
    )
    statements = listing.STATEMENTS
    simulator = "plugins.gateways_mpesa.simulator.make_app"
    environment: Mapping[str, str] = {
        "consumer_key": "MPESA_CONSUMER_KEY",
        "consumer_secret": "MPESA_CONSUMER_SECRET",
        "shortcode": "MPESA_SHORTCODE",
        "passkey": "MPESA_PASSKEY",
        "kind": "MPESA_KIND",
        "till": "MPESA_TILL",
        "initiator": "MPESA_INITIATOR",
        "initiator_password": "MPESA_INITIATOR_PASSWORD",
        "certificate": "MPESA_CERTIFICATE",
        "test_address": "MPESA_TEST_ADDRESS",
    }
    environment_mode = "MPESA_ENV"
    demo: Mapping[str, Any] = {
        "consumer_key": "simulated-key",
        "consumer_secret": "simulated-secret",
        "shortcode": "174379",
        "passkey": SANDBOX_PASSKEY,
        "sources": ["127.0.0.1"],
        "test_address": "http://127.0.0.1:8410",
    }

    def hosts(self, config: Any, mode: Mode) -> Sequence[str]:
        """Safaricom's host of the mode, or the simulator's in test mode."""
        return (calls.address(config, mode).partition("://")[2],)

    async def ask(self, line: Line, asked: Asked) -> Started:
        """Prompt a phone; without one, make a picture to scan."""
        return await (asking.picture if asked.phone is None else asking.prompt)(line, asked)

    async def find(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """What became of a prompt. Success comes without receipt and amount, unless payments are listed."""
        return await asking.ask_about(line, known)

    def judge(self, config: Any, notice: Notice) -> Verdict:
        """By shortcode and address: nothing is signed."""
        return enrolling.worth(config, notice)

    def read(self, config: Any, notice: Notice) -> Sequence[GatewayFact]:
        """What a callback, a confirmation or a result says.

        The answer to a question about a refund, if it cannot be believed, says nothing: asking again would bring the
        next such answer, without end.
        """
        if "late" in notice.query or enrolling.is_idle_answer(config, notice):
            return ()
        body = notice.json()
        match shape(body):
            case "prompt":
                return prompt_facts(body)
            case "c2b":
                return c2b_facts(body, is_validation=enrolling.is_validation(notice))
            case "result":
                return result_facts(body, notice.query)
        return ()

    def answer(self, config: Any, notice: Notice, verdict: Verdict) -> NoticeAnswer:
        """That it was taken; to a payment to another shortcode, or of no amount, that it is not wanted."""
        body = notice.json()
        if shape(body) != "c2b":
            return NoticeAnswer(body=_ENCODER.encode(_TAKEN))
        if enrolling.is_validation(notice):
            if verdict.trust == "refused":
                return _unwanted("C2B00015")
            if minor(inside(body, "TransAmount")) is None:
                return _unwanted("C2B00013")
        return NoticeAnswer(body=_ENCODER.encode(_TAKEN_C2B))

    async def check(self, line: Line) -> str:
        """Fetch a token, and have the initiator ask for the balance where there is one."""
        config = cast(MpesaConfig, line.config)
        said = f"Safaricom accepts the consumer key ({calls.address(config, line.mode)})"
        await calls.sign_in(line)
        if config.initiator is None:
            return f"{said}. Without an initiator no money can be given back"
        return f"{said}. {await giving.ask_for_balance(line)}"

    def phone(self, said: str, region: str) -> str:
        """`0712 345 678` as 254712345678."""
        return phone(said)

    def reads(self, raw: Any) -> Any:
        """Without names, secrets and whole numbers of phones."""
        return redacted(raw)

    async def give_back(self, line: Line, back: Back) -> Started:
        """Reverse the whole, or pay a part out."""
        return await giving.give(line, back)

    async def find_refund(self, line: Line, back: Back) -> Sequence[GatewayFact]:
        """Have it told what became of a refund: a notice says it, never this call."""
        return await giving.ask_about(line, back)

    async def enrol(self, line: Line) -> str:
        """Register the account's address for payments nobody asked for, and the list of payments where it is on."""
        said = await enrolling.register(line)
        return f"{said}. {await listing.sign_up(line)}" if line.config.pulls else said

    async def incoming(self, line: Line, since: dt.datetime, until: dt.datetime) -> Sequence[GatewayFact]:
        """The listed payments of the last two days; nothing where the list is not switched on."""
        return await listing.since_two_days(line, since, until)

    def states(self, config: Any) -> bool:
        """Where the list of payments is switched on for the shortcode."""
        return bool(config.pulls)

    async def fetch_statement(self, line: Line, window: Window, cursor: str | None) -> Page[StatementLine]:
        """A page of the payments of the last two days, by Pull Transactions."""
        found, after = await listing.page_of(line, window, cursor)
        return Page(list(found), after)


def _unwanted(number: str) -> NoticeAnswer:
    return NoticeAnswer(body=_ENCODER.encode({"ResultCode": number, "ResultDesc": "Rejected"}))
