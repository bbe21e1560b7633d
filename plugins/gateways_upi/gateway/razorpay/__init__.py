"""Razorpay's gateway: UPI by QR codes that are proved by signed notices and by asking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.wire import Page
from plugins.gateways_upi.gateway.razorpay import asking, calls, refunding, stating
from plugins.gateways_upi.rules.razorpay.facts import notice_facts
from plugins.gateways_upi.rules.razorpay.redacting import redacted
from plugins.gateways_upi.rules.razorpay.signing import SIGNATURE, is_signed
from plugins.gateways_upi.rules.razorpay.values import CURRENCY, inside
from plugins.gateways_upi.schemas.razorpay import RazorpayConfig
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
    not_supported,
)

__all__ = ["Razorpay", "RazorpayConfig"]

NAME: Final = "razorpay"
_ON_ITS_PAGES: Final = (
    "Razorpay is told on its own pages, under Account & Settings, Webhooks: this account's address, its secret, and the"
    " events qr_code.created, qr_code.credited, qr_code.closed, payment.captured, payment.failed, refund.created,"
    " refund.processed, refund.failed"
)


class Razorpay(Gateway, Statemented):
    """QR codes for one payment each, closed when nobody waits any more; refunds in parts."""

    name = NAME
    title = "Razorpay"
    config = RazorpayConfig
    capabilities = Capabilities(
        regions=("IN",),
        spans=(Span(CURRENCY, asking.LEAST, asking.MOST),),
        notices="signed",
        refunds="parts",
        refund_days=refunding.DAYS,
        cancels=True,
        takes_unasked=True,
        finds_by_reference=True,
        asks_after_s=(15, 30, 45, 60, 75, 90, 105, 120, 180, 240, 310, 360, 600, 1200),
        lives_s=asking.LIVES_S,
        reference_most=20,
    )
    methods = (Method("razorpay", "UPI by QR code", "other", NAME, waits="always", wait_minutes=15),)
    statements = stating.STATEMENTS
    simulator = "plugins.gateways_upi.simulator.make_app"
    environment: Mapping[str, str] = {
        "key_id": "RAZORPAY_KEY_ID",
        "key_secret": "RAZORPAY_KEY_SECRET",
        "webhook_secret": "RAZORPAY_WEBHOOK_SECRET",
        "former_webhook_secret": "RAZORPAY_FORMER_WEBHOOK_SECRET",
        "merchant": "RAZORPAY_MERCHANT",
        "name": "RAZORPAY_NAME",
        "test_address": "RAZORPAY_TEST_ADDRESS",
    }
    environment_mode = "RAZORPAY_ENV"
    demo: Mapping[str, Any] = {
        "key_id": "rzp_test_simulated",
        "key_secret": "simulated-secret",
        "webhook_secret": "simulated-webhook",
        "test_address": "http://127.0.0.1:8411",
    }

    def hosts(self, config: Any, mode: Mode) -> Sequence[str]:
        """Razorpay's host, or the simulator's in test mode."""
        return (calls.address(config, mode).partition("://")[2],)

    async def ask(self, line: Line, asked: Asked) -> Started:
        """Have a QR code made for the one payment."""
        return await asking.show(line, asked)

    async def find(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """What became of it, by its QR code, or by our reference."""
        return await asking.find(line, known)

    async def call_back(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """Close the QR code; who has paid has paid."""
        return await asking.call_back(line, known)

    def judge(self, config: Any, notice: Notice) -> Verdict:
        """By the signature over the raw bytes, with the secret of now or the one before; and whose account it is."""
        signature = notice.headers.get(SIGNATURE)
        if not signature:
            return Verdict("refused", "it is not signed")
        if not is_signed(config.secrets, signature, notice.body):
            return Verdict("refused", "its signature is not by this webhook's secret")
        whose = inside(notice.json(), "account_id")
        if config.merchant is not None and whose != config.merchant:
            return Verdict("refused", "it is about another account at Razorpay")
        return Verdict("trusted")

    def read(self, config: Any, notice: Notice) -> Sequence[GatewayFact]:
        """What a notice says of a payment, a QR code or a refund."""
        return notice_facts(notice.json())

    def answer(self, config: Any, notice: Notice, verdict: Verdict) -> NoticeAnswer:
        """That it was taken; Razorpay asks for no more than a success."""
        return NoticeAnswer(body=b'{"status":"ok"}')

    async def check(self, line: Line) -> str:
        """List one QR code: that proves the key, and that QR codes are switched on."""
        await calls.call(line, "GET", f"{asking.CODES}?count=1")
        where = calls.address(line.config, line.mode)
        return f"Razorpay accepts the key, and QR codes are on ({where}). Whether notices come, a payment of ₹1 shows"

    def reads(self, raw: Any) -> Any:
        """Without names, secrets, phones and whole UPI addresses."""
        return redacted(raw)

    async def give_back(self, line: Line, back: Back) -> Started:
        """Give back all or a part, once for an id."""
        return await refunding.give(line, back)

    async def find_refund(self, line: Line, back: Back) -> Sequence[GatewayFact]:
        """What became of a refund."""
        return await refunding.find(line, back)

    async def enrol(self, line: Line) -> str:
        """Give a simulator the address and secret of notices; Razorpay itself has no call for that."""
        config: RazorpayConfig = line.config
        if line.mode != "test" or config.test_address is None:
            raise not_supported(_ON_ITS_PAGES)
        said = {"url": line.notify, "secret": config.webhook_secret, "key_id": config.key_id}
        await line.send("POST", f"{config.test_address}/_sim/webhook", json=said)
        return "The simulator sends its notices to this account"

    async def fetch_statement(self, line: Line, window: Window, cursor: str | None) -> Page[StatementLine]:
        """What was settled on the days of a window, with fees, and what was paid out to the bank."""
        return await stating.page_of(line, window, cursor)

    async def incoming(self, line: Line, since: dt.datetime, until: dt.datetime) -> Sequence[GatewayFact]:
        """The payments that were captured between two instants."""
        return await asking.incoming(line, since, until)
