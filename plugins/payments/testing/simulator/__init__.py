"""The ground that simulators of providers stand on: a ledger, payers who pay or do not, notices, and faults on the way.

A simulator subclasses `Simulator` and writes down its provider's manners: what a request looks like (`serve`), what a
notice looks like (`notice_of`, `refund_notice_of`). All else is here, so that the conformance kit can drive every one
of them alike:

    simulator.next(payer="pays less", way="answer lost", word="five times")
    await simulator.deliver()
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from plugins.payments.schemas.gateways import Mode

Payer = Literal[
    "pays",
    "waits",
    "declines",
    "lets it lapse",
    "has too little",
    "pays less",
    "pays more",
    "pays in another currency",
    "is held",
]
"""What the payer does with the next request. Whoever waits is told to go on by `decide`. Is held: promises the money,
which `take` then takes or `let_go` does not.
"""

Way = Literal[
    "good",
    "refused",
    "nobody there",
    "answer lost",
    "error page",
    "error after",
    "broken answer",
    "empty answer",
    "strange letters",
    "sent elsewhere",
    "busy",
    "busy for nobody knows how long",
]
"""What happens to the next call on its way: nothing; not taken on, in the provider's words; not connected; done, but no
answer comes; an error page, nothing done; an error page, but done; half an answer; none; one in letters that nobody
reads; led to another host, nothing done; told to come again in two seconds, or just later.
"""

Word = Literal["once", "never", "first", "five times"]
"""How the provider leaves word of the next payment: once; not at all; before it answers the request; five times."""

Send = Callable[[str, str, Mapping[str, str], bytes], Awaitable[int]]
"""Sends a notice: method, address, headers, body → the status it was answered with."""


@dataclass
class Call:
    """A call that the provider was sent."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as plain values; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Said:
    """What the provider answers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """The body as bytes: JSON, unless it is bytes already."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Pay:
    """A payment in the provider's ledger: asked for, and then `waiting`, `held`, `paid`, `released`, `declined`,
    `lapsed` or `failed`. returned: what went back, by refund; returning: what is on its way back.
    """

    id: str
    reference: str
    asked: int
    currency: str
    notify: str
    payer: str
    at: dt.datetime
    state: str = "waiting"
    paid: int = 0
    paid_in: str = ""
    receipt: str = ""
    returned: dict[str, int] = field(default_factory=dict)
    returning: dict[str, int] = field(default_factory=dict)
    word: Word = "once"


@dataclass
class Due:
    """A notice on its way."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes


class Refused(Exception):
    """Raised by `Simulator.ask` for a request that the provider does not take on; `serve` lets it pass."""


class Simulator(ABC):
    """A stand-in for a provider, as an ASGI app. clock: what time it is there; send: how notices leave; notify: where
    those go that belong to the account, as its owner wrote it on the provider's pages.

    mode: what its notices say they are of, where they say so. tokens: how many access tokens it gave.
    is_away: nobody is there. hides: it knows no payment yet. refuses_refunds, delays_refunds: no money goes back; or
    not before `end_refund`, where `refunds_take_time`.
    """

    title = "Provider"
    refunds_take_time = False

    def __init__(self) -> None:
        self.clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
        self.send: Send | None = None
        self.notify = ""
        self.ledger: dict[str, Pay] = {}
        self.calls: list[Call] = []
        self.due: list[Due] = []
        self.told: list[int] = []
        self.payer: Payer = "pays"
        self.way: Way = "good"
        self.word: Word = "once"
        self.mode: Mode = "test"
        self.tokens = 0
        self.is_away = False
        self.hides = False
        self.refuses_refunds = False
        self.delays_refunds = False
        self.hurries = False

    # what a subclass writes down

    @abstractmethod
    async def serve(self, call: Call) -> Said:
        """Answer one call, in the provider's manners."""

    @abstractmethod
    def notice_of(self, pay: Pay) -> Due | None:
        """The word the provider leaves of a payment as it stands; None where it leaves none."""

    def refund_notice_of(self, pay: Pay, refund_id: str) -> Due | None:
        """The word it leaves of a refund; None where it leaves none."""
        return None

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """What a business brings to its account here; first the key that calls are made with."""

    def phone(self, number: int) -> str:
        """The phone of a payer."""
        return f"07{number:08d}"

    def refusal(self) -> Said | None:
        """How it says that it does not take a request on: with status 200, if it ever does. None: not known."""
        return None

    def rotate(self) -> Mapping[str, Any] | None:
        """Sign with another secret from now on. What a business changes of its account then, the former secret kept
        beside the new one; None where nothing is signed.
        """
        return None

    def forget_rotation(self) -> Mapping[str, Any]:
        """What a business changes of its account when the former secret is worth nothing any more."""
        return {}

    def end_tokens(self) -> bool:
        """Let every access token be worth nothing from now on; whether it gives such tokens."""
        return False

    # the ledger

    def ask(self, reference: str, amount: int, currency: str, notify: str, payer: str = "") -> Pay:
        """A request for a payment: noted, and given to the payer. Raises Refused."""
        if self.way == "refused":
            self.way = "good"
            raise Refused
        pay = Pay(self.new_id(), reference, amount, currency, notify, payer, self.clock(), word=self.word)
        self.ledger[pay.id] = pay
        fate, self.payer, self.word = self.payer, "pays", "once"
        if fate != "waits":
            self.decide(pay.id, fate)
        return pay

    def decide(self, id_: str, fate: Payer = "pays") -> Pay:
        """Let a payer do something with a request that waits."""
        pay = self.ledger[id_]
        if pay.state != "waiting":
            return pay
        ended = {"declines": "declined", "lets it lapse": "lapsed", "has too little": "failed"}.get(fate)
        if ended:
            pay.state = ended
        elif fate == "is held":
            pay.state = "held"
        else:
            step = 100
            pay.paid = pay.asked + {"pays less": -step, "pays more": step}.get(fate, 0)
            pay.state, pay.receipt = "paid", self.new_receipt()
            pay.paid_in = "USD" if fate == "pays in another currency" else pay.currency
        self.leave_word(self.notice_of(pay), pay.word)
        return pay

    def take(self, id_: str, amount: int) -> Pay:
        """Take of money that is held so much; the rest is let go."""
        pay = self.ledger[id_]
        pay.state, pay.paid, pay.paid_in, pay.receipt = "paid", amount, pay.currency, self.new_receipt()
        self.leave_word(self.notice_of(pay), pay.word)
        return pay

    def let_go(self, id_: str) -> Pay:
        """Let money go that is held."""
        pay = self.ledger[id_]
        pay.state = "released"
        self.leave_word(self.notice_of(pay), pay.word)
        return pay

    def pay_again(self, id_: str) -> Pay:
        """Let a payer pay a request a second time: another piece of money with the same reference."""
        second = replace(self.ledger[id_], at=self.clock(), receipt=self.new_receipt(), returned={}, returning={})
        second.state, second.paid, second.paid_in = "paid", second.asked, second.currency
        self.ledger[f"{id_}/again"] = second
        self.leave_word(self.notice_of(second), "once")
        return second

    def give_back(self, pay: Pay, refund_id: str, amount: int) -> bool:
        """Give money back, once for each id and never more than came; whether it does."""
        known = pay.returned | pay.returning
        if refund_id in known:
            return known[refund_id] == amount
        if self.refuses_refunds or pay.state != "paid" or sum(known.values()) + amount > pay.paid:
            return False
        (pay.returning if self.delays_refunds else pay.returned)[refund_id] = amount
        word, self.word = self.word, "once"
        self.leave_word(self.refund_notice_of(pay, refund_id), word)
        return True

    def end_refund(self, refund_id: str, *, made: bool) -> None:
        """Let money that is on its way back arrive, or stay after all."""
        pay = next(one for one in self.ledger.values() if refund_id in one.returning)
        amount = pay.returning.pop(refund_id)
        if made:
            pay.returned[refund_id] = amount
        self.leave_word(self.refund_notice_of(pay, refund_id), "once")

    def found(self, id_: str = "", reference: str = "") -> Pay | None:
        """A payment by its id or by the merchant's reference; of several the one that was paid."""
        if self.hides:
            return None
        if id_ in self.ledger:
            return self.ledger[id_]
        same = [pay for pay in self.ledger.values() if reference and pay.reference == reference]
        return next((pay for pay in same if pay.state == "paid"), same[0] if same else None)

    def holds(self) -> int:
        """What is left of all that was paid, in minor units."""
        return sum(pay.paid - sum(pay.returned.values()) for pay in self.ledger.values() if pay.state == "paid")

    def new_id(self) -> str:
        """The id of a request."""
        return secrets.token_hex(8)

    def new_receipt(self) -> str:
        """The provider's own number of a piece of money."""
        return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(10))

    async def tick(self) -> None:  # noqa: B027 - most providers do nothing by themselves
        """Do what is due by the clock; of a provider that does something by itself."""

    async def settle(self) -> None:  # noqa: B027 - most state what is paid as it is paid
        """Pay out to the bank what it holds; of a provider that states money only then."""

    # faults and notices

    def next(self, *, payer: Payer = "pays", way: Way = "good", word: Word = "once") -> None:
        """What becomes of the next request, its call, and the word of it."""
        if payer not in get_args(Payer) or way not in get_args(Way) or word not in get_args(Word):
            raise ValueError(f"payer {payer!r}, way {way!r}, word {word!r}")
        self.payer, self.way, self.word = payer, way, word

    def leave_word(self, due: Due | None, word: Word) -> None:
        """Put a notice on its way as often as it is to be left."""
        if due is not None:
            self.due += [due] * {"once": 1, "first": 1, "never": 0, "five times": 5}[word]
            self.hurries = self.hurries or word == "first"

    async def deliver(self) -> list[int]:
        """Send the notices that are on their way; returns how each was answered."""
        due, self.due, self.hurries = self.due, [], False
        answered = [await self.send(one.method, one.address, one.headers, one.body) for one in due if self.send]
        self.told += answered
        return answered

    # the app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request: the provider's own, or one to steer the simulator below `/_sim/`."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        call = Call(scope["method"], scope["path"], query, headers, body)
        said = await self._steer(call) if call.path.startswith("/_sim/") else await self._served(call)
        raw = said.raw()
        lines = [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
        lines += [(key.lower().encode(), value.encode()) for key, value in said.headers.items()]
        await send({"type": "http.response.start", "status": said.status, "headers": lines})
        await send({"type": "http.response.body", "body": raw})

    async def _served(self, call: Call) -> Said:
        self.calls.append(call)
        try:
            return await self.serve(call)
        except Refused:
            return self.refusal() or Said(400, {})

    async def _steer(self, call: Call) -> Said:
        """`POST /_sim/next`, `POST /_sim/decide`, `GET /_sim/ledger`, `POST /_sim/deliver`."""
        what, said = call.path.removeprefix("/_sim/"), call.json() or {}
        if what == "next":
            self.next(**said)
        elif what == "decide":
            self.decide(said["id"], said.get("payer", "pays"))
        elif what == "deliver":
            return Said(body={"answered": await self.deliver()})
        elif what != "ledger":
            return Said(404, {"error": "unknown"})
        return Said(body={"ledger": [vars(pay) | {"at": pay.at.isoformat()} for pay in self.ledger.values()]})


def path_of(address: str) -> str:
    """The path of an address, with its query."""
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
