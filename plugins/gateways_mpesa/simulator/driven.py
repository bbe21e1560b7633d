"""The simulator as a whole; and driven by the kit that every gateway is put through, which says what payers do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from plugins.gateways_mpesa.simulator import prompts, web
from plugins.gateways_mpesa.simulator.checks import Shop
from plugins.gateways_mpesa.simulator.ledger import Entry
from plugins.gateways_mpesa.simulator.scenarios import Scenario, Step
from plugins.gateways_mpesa.simulator.state import SHOPS, Send, State, certificate
from plugins.payments.testing.simulator import Due, Pay, Payer, Said
from plugins.payments.testing.simulator.web import Reply

CODES: Final[Mapping[str, str | None]] = {
    "waiting": None,
    "paid": "0",
    "declined": "1032",
    "lapsed": "1037",
    "failed": "1",
}
REVERSAL: Final = "/mpesa/reversal/v1/request"
PAYOUT: Final = "/mpesa/b2c/v3/paymentrequest"
QUESTION: Final = "/mpesa/stkpushquery/v1/query"
NO_SUCH: Final = {
    "requestId": "1",
    "errorCode": "400.002.02",
    "errorMessage": "Bad Request - Invalid CheckoutRequestID",
}
CENTS: Final = 100
_JSON: Final = {"content-type": "application/json"}


class SimulatedDaraja(web.Served):
    """A provider that keeps Safaricom's documented rules. `state` is what it knows, for tests in the same process."""

    title = "M-PESA"

    def __init__(
        self,
        *,
        now: Callable[[], dt.datetime] | None,
        send: Send,
        shops: tuple[Shop, ...],
        lenient: bool,
        holds: bool,
    ) -> None:
        super().__init__(now)
        self.state = State(now=self.now, send=send, shops=shops, lenient=lenient, holds=holds)
        self._upcoming: str | None = None

    async def answered_as_driven(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call by the kit's ledger."""
        if path == web.PROMPT and self.way == "refused":
            self.way = "good"
            return Reply(200, self._not_taken_on())
        if path == QUESTION and self.hides:
            return Reply(400, msgspec.json.encode(NO_SUCH))
        self._heed()
        before, back = len(self.state.conversations), self._to_give_back(path, body)
        if path in (REVERSAL, PAYOUT) and back is None:
            on: Any = "reversal" if path == REVERSAL else "payout"
            self.state.scenarios.append(Scenario(on=on, times=1, decisions=[Step("1")]))
        reply = await self.answered(method, path, headers, query, body)
        if path == web.PROMPT and reply.status == 200:
            self._upcoming = msgspec.json.decode(reply.body)["CheckoutRequestID"]
            prompt = self.state.prompts[self._upcoming]
            self.ask(prompt.reference, prompt.amount * CENTS, "KES", prompt.notify, prompt.payer)
        if path == web.TOKEN and reply.status == 200:
            self.tokens += 1
        await self.state.clock.run_all()
        for talk in self.state.conversations[before:]:
            if back is not None and talk.receipt is not None:
                back.returned[talk.originator] = talk.amount * CENTS
        self.state.scenarios.clear()
        return reply

    # what the kit asks of a simulator

    def decide(self, id_: str, fate: Payer = "pays") -> Pay:
        """Let a payer do something with a prompt that waits. M-PESA knows one currency, and holds nothing first."""
        return super().decide(id_, "pays" if fate in ("pays in another currency", "is held") else fate)

    def notice_of(self, pay: Pay) -> Due | None:
        """The callback of a prompt as it stands."""
        code = CODES[pay.state]
        if code is None:
            return None
        said = prompts.callback(self.state, pay.id, pay.payer or "254700000001", code, pay.paid // CENTS, pay.receipt)
        return Due("POST", pay.notify, _JSON, msgspec.json.encode(said))

    def config(self) -> dict[str, Any]:
        """The PayBill with its initiator; notices come from this machine."""
        shop = SHOPS[0]
        return {
            "consumer_key": shop.key,
            "consumer_secret": shop.secret,
            "shortcode": shop.shortcode,
            "passkey": shop.passkey,
            "initiator": shop.initiator,
            "initiator_password": shop.initiator_password,
            "certificate": certificate(),
            "sources": ["127.0.0.0/8", "::1/128"],
            "pulls": True,
            "pull_number": "254700000000",
        }

    def refusal(self) -> Said | None:
        """A code that is not 0, in a good answer."""
        return Said(200, self._not_taken_on())

    def end_tokens(self) -> bool:
        """Every token is dead."""
        self.state.tokens.clear()
        return True

    def new_id(self) -> str:
        """The id of the prompt that was just made, or of one that nobody asked for."""
        found, self._upcoming = self._upcoming, None
        return found or f"ws_CO_{self.state.stamp()}{self.state.count():03d}"

    def new_receipt(self) -> str:
        """A receipt."""
        return self.state.ledger.receipt()

    def be_driven(self) -> None:
        """Have a kit say what payers do from now on, and deliver the notices."""
        if not self.state.is_driven:
            self.state.is_driven, self.state.send = True, self._keep_for_later
            self.state.pulled.update(number for shop in self.state.shops.values() for number in shop.numbers)

    async def _keep_for_later(self, url: str, body: bytes) -> tuple[int, bytes]:
        self.leave_word(Due("POST", url, _JSON, body), self.word)
        self.word = "once"
        return 200, b""

    def _not_taken_on(self) -> bytes:
        said = {"MerchantRequestID": f"{self.state.count()}-1", "ResponseCode": "1", "ResponseDescription": "Rejected"}
        return msgspec.json.encode(said)

    def _heed(self) -> None:
        """Take over what the kit's ledger says of prompts and money."""
        for pay in self.ledger.values():
            prompt = self.state.prompts.get(pay.id)
            if prompt is not None:
                prompt.code = CODES[pay.state]
            if pay.state == "paid" and self.state.ledger.found(pay.receipt) is None:
                self.state.ledger.entries.append(
                    Entry(
                        receipt=pay.receipt,
                        kind="prompt",
                        shortcode=prompt.shop.till or prompt.shop.shortcode if prompt else SHOPS[0].shortcode,
                        payer=pay.payer,
                        amount=pay.paid // CENTS,
                        reference=pay.reference,
                        at=pay.at,
                    )
                )

    def _to_give_back(self, path: str, body: Any) -> Pay | None:
        """The payment that a reversal or payout gives back, if it holds as much."""
        if self.refuses_refunds or path not in (REVERSAL, PAYOUT) or not isinstance(body, dict):
            return None
        for pay in reversed(self.ledger.values()):
            same = pay.receipt == body.get("TransactionID") if path == REVERSAL else pay.payer == body.get("PartyB")
            left = pay.paid - sum(pay.returned.values())
            if same and pay.state == "paid" and left >= int(body.get("Amount", 0)) * CENTS:
                return pay
        return None
