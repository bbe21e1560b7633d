"""What the simulated Razorpay knows, and how it tells of it: signed, at least once, for a day."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct

from plugins.gateways_upi.rules.razorpay.redacting import redacted
from plugins.gateways_upi.rules.razorpay.signing import EVENT_ID, SIGNATURE, basic, sign
from plugins.gateways_upi.simulator.checks import Shop, Wrong
from plugins.gateways_upi.simulator.entities import Code, Payment, Refund, Settlement
from plugins.gateways_upi.simulator.scenarios import On, Scenario, by_amount
from plugins.payments.testing.simulator.clock import Clock
from plugins.payments.testing.simulator.steering import Diary

Send = Callable[[str, bytes, Mapping[str, str]], Awaitable[tuple[int, bytes]]]
"""Takes a notice to its address; answers status and body, status 0 where nothing came back."""

SHOPS: Final = (
    Shop(key_id="rzp_test_simulated", key_secret="simulated-secret"),  # noqa: S106 - of a simulated account
    Shop(
        key_id="rzp_test_plain",
        key_secret="simulated-plain-secret",  # noqa: S106
        merchant="acc_SimulatedShop02",
        name="Shop without image_content",
        has_content=False,
    ),
)
RETRIES_S: Final = (60, 300, 900, 3_600, 10_800, 21_600, 49_140)
"""When a notice that was not taken is sent again. Razorpay says: ever later, for 24 hours; the steps are made up."""
DISABLED_AFTER_S: Final = 86_400
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_STRIDE: Final = 100_711_433
"""A prime without a factor in common with 62⁸: ids are unique and do not look counted."""


class Hook(Struct, kw_only=True):
    """Where a shop wants to be told, and by which secrets it is signed. is_on: off after a day without an answer."""

    url: str
    secret: str
    former: str | None = None
    is_on: bool = True
    failing_since: dt.datetime | None = None


class State:
    """One provider. is_driven: whether a kit says what becomes of each QR code, so that nothing does so by itself;
    waiting: those with which it has nothing happen yet.
    """

    def __init__(self, *, now: Callable[[], dt.datetime], send: Send, shops: tuple[Shop, ...], holds: bool) -> None:
        self.clock, self.diary = Clock(now), Diary(redacted)
        self.send, self.holds = send, holds
        self.shops: dict[str, Shop] = {shop.key_id: shop for shop in shops}
        self.hooks: dict[str, Hook] = {}
        self.codes: dict[str, Code] = {}
        self.payments: dict[str, Payment] = {}
        self.refunds: dict[str, Refund] = {}
        self.settlements: dict[str, Settlement] = {}
        self.scenarios: list[Scenario] = []
        self.is_driven = False
        self.waiting: set[str] = set()
        self._count = itertools.count(1)

    def now(self) -> dt.datetime:
        """The time."""
        return self.clock.now()

    def second(self) -> int:
        """The time in seconds since 1970."""
        return int(self.now().timestamp())

    def new_id(self, prefix: str) -> str:
        """An id never given before, as `pay_Sim01a2B3c4D5e`."""
        rest, shown = next(self._count) * _STRIDE % 62**8, ""
        for _ in range(11):
            rest, place = divmod(rest, 62)
            shown = _LETTERS[place] + shown
        return f"{prefix}_Sim{shown}"

    def new_rrn(self) -> str:
        """A bank's number of a payment: twelve figures, that may begin with noughts."""
        return f"{next(self._count) * 7_368_787 % 10**12:012d}"

    def shop_of(self, authorization: str) -> Shop:
        """Whose call it is. Raises Wrong."""
        for shop in self.shops.values():
            if authorization == basic(shop.key_id, shop.key_secret):
                return shop
        raise Wrong("The api key provided is invalid", status=401)

    def of_code(self, code: str) -> list[Payment]:
        """The payments of a QR code, newest first."""
        return [one for one in reversed(self.payments.values()) if one.code == code]

    def scenario(self, on: On, amount: int | None = None, reference: str = "") -> Scenario | None:
        """What happens in a call: the newest that was asked for, else what the amount says of QR codes.

        One that holds a number of times has been used once more.
        """
        found = self.foreseen(on, amount, reference)
        if found is not None and found.times is not None:
            found.times -= 1
        return found

    def foreseen(self, on: On, amount: int | None = None, reference: str = "") -> Scenario | None:
        """What would happen in a call."""
        for one in reversed(self.scenarios):
            if one.fits(on, amount, reference):
                return one
        return by_amount(amount) if on == "code" and amount is not None and not self.is_driven else None

    def envelope(self, shop: Shop, event: str, payload: Mapping[str, Any]) -> bytes:
        """A notice's bytes. Slashes are written as PHP writes them: whoever encodes it anew gets other bytes."""
        said = {
            "entity": "event",
            "account_id": shop.merchant,
            "event": event,
            "contains": list(payload),
            "payload": {name: {"entity": entity} for name, entity in payload.items()},
            "created_at": self.second(),
        }
        return msgspec.json.encode(said).replace(b"/", b"\\/")

    def headers(self, secret: str, body: bytes, event_id: str) -> dict[str, str]:
        """A notice's headers, signed."""
        return {"content-type": "application/json", SIGNATURE: sign(secret, body), EVENT_ID: event_id}

    async def tell(self, shop: Shop, event: str, payload: Mapping[str, Any], signed: str = "well") -> None:
        """Send a notice to a shop that wants any; again, if it is not taken."""
        hook = self.hooks.get(shop.key_id)
        if hook is None or not hook.is_on or self.is_driven:
            return
        body = self.envelope(shop, event, payload)
        secret = {"well": hook.secret, "formerly": hook.former or hook.secret}.get(signed, "a guess")
        await self._deliver(hook, body, self.headers(secret, body, self.new_id("evt")), 0)

    async def _deliver(self, hook: Hook, body: bytes, headers: Mapping[str, str], tries: int) -> None:
        if not hook.is_on:
            return
        status, _ = await self.send(hook.url, body, headers)
        self.diary.note_notice(self.now(), hook.url, msgspec.json.decode(body), status)
        if 200 <= status < 300:
            hook.failing_since = None
            return
        hook.failing_since = hook.failing_since or self.now()
        if (self.now() - hook.failing_since).total_seconds() >= DISABLED_AFTER_S:
            hook.is_on = False
        elif tries < len(RETRIES_S):
            self.clock.later(RETRIES_S[tries], partial(self._deliver, hook, body, headers, tries + 1))

    def restart(self) -> None:
        """Lose what a provider that restarts loses: notices on their way. Money stays."""
        self.clock.forget()
