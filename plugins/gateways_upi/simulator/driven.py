"""The simulator as a whole; and driven by the kit that every gateway is put through, which says what payers do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from plugins.gateways_upi.simulator import settling, web
from plugins.gateways_upi.simulator.checks import Shop, Wrong
from plugins.gateways_upi.simulator.codes import NOBODY, PAYERS
from plugins.gateways_upi.simulator.entities import Code, Payment, Refund, code_json, payment_json, refund_json
from plugins.gateways_upi.simulator.state import SHOPS, Send, State
from plugins.payments.testing.simulator import Due, Pay, Said
from plugins.payments.testing.simulator.web import Reply, as_json

REASONS: Final[Mapping[str, str]] = {"declined": "payment_declined", "failed": "insufficient_funds"}
POOR: Final = "Your account does not have enough balance to carry out the refund operation."


class SimulatedRazorpay(web.Served):
    """A provider that keeps Razorpay's documented rules. `state` is what it knows, for tests in the same process.

    Driven, its notices go to `notify`, as the owner of the account wrote on Razorpay's pages.
    always_waits: every payer waits for `decide`.
    """

    title = "Razorpay"
    refunds_take_time = True

    def __init__(
        self, *, now: Callable[[], dt.datetime] | None, send: Send, shops: tuple[Shop, ...], holds: bool
    ) -> None:
        super().__init__(now)
        self.state = State(now=self.now, send=send, shops=shops, holds=holds)
        self.secret = "simulated-webhook"  # noqa: S105 - of a simulated account
        self.always_waits = False
        self._upcoming: str | None = None

    async def answered_as_driven(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call by the kit's ledger."""
        self._heed()
        gives_back = method == "POST" and path.endswith("/refund")
        if (refused := self._refused(method, path, gives_back=gives_back)) is not None:
            return refused
        reply = await self.answered(method, path, headers, query, body)
        if reply.status == 200 and method == "POST":
            said = msgspec.json.decode(reply.body)
            if path == web.CODES:
                self._give_to_payer(said)
            elif gives_back:
                reply = self._give_back(said)
        return reply

    def _refused(self, method: str, path: str, *, gives_back: bool) -> Reply | None:
        """What the kit has refused, or hidden; None for what is done."""
        if gives_back and self.refuses_refunds:
            return as_json(400, Wrong(POOR).body())
        if method == "POST" and path == web.CODES and self.way == "refused":
            self.way = "good"
            said = self.refusal()
            return as_json(said.status, said.body)
        return as_json(400, Wrong(NOBODY).body()) if method == "GET" and self.hides else None

    def _give_to_payer(self, said: Mapping[str, Any]) -> None:
        """Let the kit's payer have a QR code that was just made."""
        self._upcoming = said["id"]
        self.payer = "waits" if self.always_waits else self.payer
        code = self.state.codes[said["id"]]
        self.ask(code.reference, said["payment_amount"], "INR", self.notify, PAYERS[0])
        self._heed()

    def _give_back(self, said: Mapping[str, Any]) -> Reply:
        """Let the kit's ledger give back what was just given back here, once."""
        refund = self.state.refunds[said["id"]]
        pay = next(one for one in self.ledger.values() if one.receipt == refund.payment)
        if refund.key not in pay.returned | pay.returning:
            self.give_back(pay, refund.key or refund.id, refund.amount)
        return as_json(200, refund_json(self._refund(pay, refund.key or refund.id)))

    # what the kit asks of a simulator

    def notice_of(self, pay: Pay) -> Due | None:
        """The one notice that says how a QR code stands; of one that waits none."""
        code = self._code(pay)
        if pay.state == "waiting":
            return None
        if pay.state == "lapsed":
            code.closed_at, code.why = self.state.second(), "expired"
            return self._due("qr_code.closed", {"qr_code": code_json(code, [], is_notice=True)})
        event = "qr_code.credited" if pay.state == "paid" else "payment.failed"
        payment = payment_json(self._payment(pay), is_notice=True)
        payload = {"payment": payment, "qr_code": code_json(code, [], is_notice=True)}
        if pay.state != "paid":
            payment["notes"] = code.notes
            del payload["qr_code"]
        return self._due(event, payload)

    def refund_notice_of(self, pay: Pay, refund_id: str) -> Due | None:
        """How a refund stands."""
        refund = self._refund(pay, refund_id)
        payment = payment_json(self.state.payments[refund.payment], is_notice=True)
        event = "refund.created" if refund.status == "pending" else f"refund.{refund.status}"
        return self._due(event, {"refund": refund_json(refund), "payment": payment})

    async def settle(self) -> None:
        """Pay out what is left."""
        self._heed()
        await settling.settle(self.state, SHOPS[0])

    def config(self) -> dict[str, Any]:
        """The account with its key, the secret first."""
        shop = SHOPS[0]
        return {
            "key_secret": shop.key_secret,
            "key_id": shop.key_id,
            "webhook_secret": self.secret,
            "merchant": shop.merchant,
            "test_address": "http://127.0.0.1:8411",
        }

    def new_id(self) -> str:
        """The id of the QR code that was just made, or of one that nobody asked for."""
        found, self._upcoming = self._upcoming, None
        return found or self.state.new_id("qr")

    def new_receipt(self) -> str:
        """What Razorpay calls a payment."""
        return self.state.new_id("pay")

    def rotate(self) -> Mapping[str, Any]:
        """Sign with another secret from now on; what the account is told of it."""
        former, self.secret = self.secret, f"{self.secret}-anew"
        return {"webhook_secret": self.secret, "former_webhook_secret": former}

    def forget_rotation(self) -> Mapping[str, Any]:
        """The account takes the former secret no more."""
        return {"former_webhook_secret": None}

    def refusal(self) -> Said:
        """That a request is not taken on."""
        return Said(400, Wrong("The request is invalid", reason="input_validation_failed").body())

    def _due(self, event: str, payload: Mapping[str, Any]) -> Due:
        body = self.state.envelope(SHOPS[0], event, payload)
        return Due("POST", self.notify, self.state.headers(self.secret, body, self.state.new_id("evt")), body)

    def _refund(self, pay: Pay, refund_id: str) -> Refund:
        """A refund as the kit's ledger has it: made, on its way, or come to nothing."""
        known = (one for one in self.state.refunds.values() if refund_id in (one.key, one.id))
        refund = next(known, None) or self._made_on_its_pages(pay, refund_id)
        refund.status = "processed" if refund_id in pay.returned else "failed"
        if refund_id in pay.returning:
            refund.status = "pending"
        self._payment(pay)
        return refund

    def _made_on_its_pages(self, pay: Pay, refund_id: str) -> Refund:
        """A refund that nobody asked for by a call."""
        amount = (pay.returned | pay.returning)[refund_id]
        made = Refund(
            id=self.state.new_id("rfnd"),
            payment=pay.receipt,
            shop=SHOPS[0],
            amount=amount,
            at=self.state.second(),
            key=refund_id,
            currency=pay.paid_in,
        )
        self.state.refunds[made.id] = made
        return made

    def _heed(self) -> None:
        """Take over what the kit's ledger says of payers and money."""
        self.state.waiting = {pay.id for pay in self.ledger.values() if pay.state == "waiting"}
        for pay in self.ledger.values():
            code = self._code(pay)
            if pay.state == "paid":
                self._payment(pay)
                self._heed_refunds(pay)
                if code.why is None:
                    code.closed_at, code.why = self.state.second(), "paid"
            elif pay.state in REASONS:
                self._payment(pay)
            elif pay.state == "lapsed" and code.why is None:
                code.closed_at, code.why = self.state.second(), "expired"

    def _heed_refunds(self, pay: Pay) -> None:
        for refund in self.state.refunds.values():
            if refund.payment == pay.receipt:
                self._refund(pay, refund.key or refund.id)

    def _code(self, pay: Pay) -> Code:
        """The QR code of a payment; one that nobody of Duka's asked for, where there is none."""
        code = self.state.codes.get(pay.id)
        if code is None:
            notes = {"reference": pay.reference}
            code = Code(id=pay.id, shop=SHOPS[0], amount=pay.asked, notes=notes, made_at=self.state.second())
            self.state.codes[pay.id] = code
        return code

    def _payment(self, pay: Pay) -> Payment:
        """A payment of the kit's ledger as Razorpay has it: money by its receipt, a failure by that of its QR code."""
        id_ = pay.receipt if pay.state == "paid" else f"pay_{pay.id[3:]}"
        payment = self.state.payments.get(id_)
        if payment is None:
            payment = Payment(
                id=id_, shop=SHOPS[0], amount=0, vpa=pay.payer or PAYERS[0], rrn=self.state.new_rrn(), at=0
            )
            payment.at, payment.code = self.state.second(), pay.id
            self.state.payments[id_] = payment
        if pay.state == "paid":
            payment.amount, payment.currency = pay.paid, pay.paid_in
            payment.returned = sum(pay.returned.values()) + sum(pay.returning.values())
            payment.status = "refunded" if payment.returned == payment.amount else "captured"
        else:
            payment.amount, payment.status = pay.asked, "failed"
            payment.reason = REASONS.get(pay.state, "payment_failed")
        return payment
