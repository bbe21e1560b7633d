"""A provider that can do whatever a gateway can say: its manners."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from typing import Any

from plugins.payments.testing import Call, Due, Pay, Said, Simulator
from plugins.payments.tests.able_gateway import signature

FEE = 75
KEY = "a key that is nobody's"


class AbleSimulator(Simulator):
    """One reference is one payment, and told twice it is refused as a duplicate; every notice is its own event."""

    title = "Able money"
    refunds_take_time = True

    def __init__(self) -> None:
        super().__init__()
        self.secret, self.former = "the first secret", ""
        self.token = ""

    def config(self) -> dict[str, Any]:
        """What a business brings to its account here."""
        return {"key": KEY, "secret": self.secret}

    def refusal(self) -> Said | None:
        """An error inside a good answer."""
        return Said(200, {"error": "not now"})

    def rotate(self) -> Mapping[str, Any] | None:
        """Another secret."""
        self.secret, self.former = "the second secret", self.secret
        return {"secret": self.secret, "former_secret": self.former}

    def forget_rotation(self) -> Mapping[str, Any]:
        """Only the new one."""
        return {"former_secret": None}

    def end_tokens(self) -> bool:
        """No token holds."""
        self.token = ""
        return True

    async def serve(self, call: Call) -> Said:
        """Tokens, payments and refunds."""
        said = call.json() or {}
        if call.path == "/token":
            return self._give_token(said)
        if call.headers.get("authorization") != f"Bearer {self.token or secrets.token_hex()}":
            return Said(401, {"error": "token"})
        if call.path.startswith("/refunds"):
            return self._refund(call, said)
        if call.path == "/statement":
            return self._state(call.query)
        if call.path == "/payments":
            return self._take_on(said)
        _, _, reference, *cancel = call.path.split("/")
        pay = self.found(reference=reference)
        if pay is not None and cancel and pay.state == "waiting":
            pay.state = "declined"
        return Said(body=_shown(pay)) if pay else Said(404, {})

    def notice_of(self, pay: Pay) -> Due | None:
        """A payment as it stands, as an event."""
        return self._signed(pay.notify, _shown(pay))

    def refund_notice_of(self, pay: Pay, refund_id: str) -> Due | None:
        """A refund as it stands, as an event."""
        return self._signed(pay.notify, _refunded(pay, refund_id))

    def _give_token(self, said: Any) -> Said:
        if said.get("key") != KEY:
            return Said(403, {"error": "key"})
        self.tokens += 1
        self.token = secrets.token_hex()
        return Said(body={"token": self.token})

    def _take_on(self, said: Any) -> Said:
        if self.found(reference=said["reference"]) is not None:
            return Said(409, {"error": "duplicate"})
        pay = self.ask(said["reference"], said["amount"], said["currency"], said["notify"], said["phone"])
        return Said(body=_shown(pay))

    def _refund(self, call: Call, said: Any) -> Said:
        if call.method == "GET":
            id_ = call.path.split("/")[2]
            found = next((one for one in self.ledger.values() if id_ in one.returned | one.returning), None)
            return Said(body=_refunded(found, id_)) if found else Said(404, {})
        paid = self.found(reference=said["reference"])
        if paid is not None and self.give_back(paid, said["id"], said["amount"]):
            return Said(body=_refunded(paid, said["id"]))
        return Said(409, {"error": "too much"})

    def _state(self, query: Mapping[str, str]) -> Said:
        since, until = (dt.datetime.fromisoformat(query[name]) for name in ("since", "until"))
        paid = [one for one in self.ledger.values() if one.state == "paid" and since <= one.at < until]
        begin = int(query["skip"])
        lines = [_shown(one) | {"at": one.at.isoformat(), "fee": FEE} for one in paid[begin : begin + 2]]
        return Said(body={"lines": lines, "next": str(begin + 2) if begin + 2 < len(paid) else None})

    def _signed(self, address: str, about: dict[str, Any]) -> Due:
        body = json.dumps({"event": secrets.token_hex(8), "mode": self.mode, "about": about}).encode()
        at = int(self.clock().timestamp())
        signed = f"t={at},v={signature(self.secret, at, body)}"
        return Due("POST", address, {"content-type": "application/json", "x-signature": signed}, body)


def _shown(pay: Pay) -> dict[str, Any]:
    money = {"amount": pay.paid, "currency": pay.paid_in, "receipt": pay.receipt} if pay.state == "paid" else {}
    return {"id": pay.id, "reference": pay.reference, "state": pay.state, **money}


def _refunded(pay: Pay, refund_id: str) -> dict[str, Any]:
    amounts = pay.returning | pay.returned
    state = "sent back" if refund_id in pay.returned else "on its way" if refund_id in amounts else "not sent back"
    about = {"id": pay.id, "reference": pay.reference, "state": state, "refund": refund_id}
    return about | {"amount": amounts.get(refund_id, pay.paid), "currency": pay.currency}
