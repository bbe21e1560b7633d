"""The gateway contract: a pure translator between one provider and facts about money.

A gateway keeps nothing, commits nothing and decides nothing. It is given what is to be said, says it over the line it
is given, and answers what it heard as facts; payments keeps the ledger, the clock, the retries and the books. Amounts
are minor units of their currency.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from kernel.errors import DukaError
from plugins.payments.rules import FactKind
from plugins.payments.schemas.capabilities import Capabilities
from plugins.payments.schemas.values import Method

API_VERSION = 1

Mode = Literal["live", "test"]
Ids = Mapping[str, str]
"""What a provider calls a thing: its name for the id → the id. Never a payer's name or phone."""

FaultKind = Literal[
    "authentication",
    "configuration",
    "validation",
    "payer_unreachable",
    "payer_declined",
    "payer_busy",
    "insufficient_funds",
    "limit",
    "duplicate",
    "rate_limited",
    "provider_down",
    "timeout",
    "not_supported",
    "unknown",
]
"""What kept a payment from being made, in words that mean the same for every provider."""

Trust = Literal["trusted", "hint", "refused"]
"""What a notice is worth: proved by its signature; no more than a reason to ask; or a forgery."""


class GatewayFact(Struct, frozen=True, kw_only=True):
    """One thing that a provider told us.

    key: what the provider may repeat: the same fact has the same key, whichever way it came. money_key: the provider's
    own number of the money (a receipt). amount and currency: of the money; None where it was not said. reference, ids:
    what it is about, where it is not known from the way it came. payer: masked. refund_id: our id of the refund it
    speaks of. code, words: raw, as the provider said it. said: the same for whoever stands at the till, tells: for the
    payer; the raw words where they are empty.
    """

    kind: FactKind
    key: str
    money_key: str | None = None
    amount: int | None = None
    currency: str | None = None
    fee: int | None = None
    reference: str | None = None
    ids: Ids = {}
    payer: str | None = None
    refund_id: str | None = None
    at: dt.datetime | None = None
    fault: FaultKind | None = None
    code: str = ""
    words: str = ""
    said: str = ""
    tells: str = ""


class Fault(Struct, frozen=True):
    """Why a provider did not do what it was asked. said: for whoever stands at the till. again: whether asking once
    more may help. code, raw: as the provider said it.
    """

    kind: FaultKind
    said: str
    code: str = ""
    raw: str = ""
    again: bool = False


class GatewayFailed(DukaError):
    """Raised over the line, or by a gateway: a call that came to nothing.

    is_unsure: the provider may have done it all the same, so that it must be asked before it is told again.
    """

    status, code, title = 502, "gateway-failed", "The payment provider did not do it"

    def __init__(self, fault: Fault, *, is_unsure: bool = False, after_s: float | None = None) -> None:
        super().__init__(fault.said)
        self.fault, self.is_unsure, self.after_s = fault, is_unsure, after_s


class Show(Struct, frozen=True):
    """What the payer is shown or does next: a prompt on their phone, a picture to scan, a page to open.

    text: what a QR picture holds (`qr`), the whole picture as a `data:` address (`picture`), or the page's address.
    """

    kind: Literal["prompt", "qr", "picture", "page", "wait"]
    words: str = ""
    text: str = ""


class Started(Struct, frozen=True):
    """The provider took the request on. ids: what it calls it. facts: what is known already."""

    ids: Ids = {}
    show: Show | None = None
    expires_at: dt.datetime | None = None
    facts: tuple[GatewayFact, ...] = ()


class Asked(Struct, frozen=True, kw_only=True):
    """A payment to be asked for. id: of this one request, the same however often it is sent.

    phone: as the gateway's `phone` gave it. notify: where the provider sends word of this payment. method: code of the
    way of paying, for gateways that stand behind several.
    """

    id: str
    reference: str
    amount: int
    currency: str
    exponent: int
    words: str
    notify: str
    phone: str | None = None
    expires_at: dt.datetime | None = None
    method: str = ""


class Counter(Struct, frozen=True):
    """A place where money comes in unasked. reference: what it is called at the provider; words: for payers."""

    reference: str
    words: str


class Known(Struct, frozen=True, kw_only=True):
    """A payment that was asked for, as far as it is known."""

    reference: str
    amount: int
    currency: str
    exponent: int
    asked_at: dt.datetime
    ids: Ids = {}
    money_keys: tuple[str, ...] = ()
    phone: str | None = None


class Back(Struct, frozen=True, kw_only=True):
    """Money to be given back. id: of the refund, the same however often it is sent. notify: as of Asked."""

    id: str
    payment: Known
    amount: int
    words: str
    notify: str
    ids: Ids = {}

    @property
    def is_whole(self) -> bool:
        """Whether all of the payment goes back."""
        return self.amount == self.payment.amount


def _plain(body: bytes) -> Any:
    """A body of JSON as plain values; None for any other."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class Notice(Struct, frozen=True, kw_only=True):
    """What a provider sent on its own, as it came. headers: by lower-case name. mode: of the account it came to."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str | None
    at: dt.datetime
    mode: Mode = "live"

    def json(self) -> Any:
        """The body as plain values; None where it is no JSON."""
        return _plain(self.body)


class Verdict(Struct, frozen=True):
    """What a notice is worth, and why."""

    trust: Trust
    why: str = ""


class NoticeAnswer(Struct, frozen=True):
    """What the provider wants to hear."""

    status: int = 200
    body: bytes = b"{}"
    media_type: str = "application/json"


class Heard(Struct, frozen=True):
    """A provider's answer over the line."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as plain values; None where it is no JSON."""
        return _plain(self.body)


class Token(Struct, frozen=True):
    """A provider's access token, and for how many seconds it holds."""

    text: str
    lasts_s: float


class Line(Protocol):
    """The way to the provider for one account: every call of a gateway goes over it, to the hosts it names.

    config: what the business brought, secrets opened. It never follows a redirect.
    """

    config: Any
    mode: Mode
    region: str
    now: dt.datetime
    notify: str

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Heard:
        """One call. Raises GatewayFailed: sure when nothing was sent, unsure when no answer came."""

    async def token(self, fetch: Callable[[], Awaitable[Token]]) -> str:
        """The account's access token; fetched once for all processes when there is none, or it is about to lapse."""

    async def forget_token(self, text: str) -> None:
        """Drop a token that the provider refused; the next `token` fetches another."""


class Gateway(ABC):
    """One provider. What is left as it is here, a provider cannot do; say so in `capabilities` as well.

    config: a Struct of what a business brings, secrets marked by `kernel.wire.secret`. methods: the ways of paying it
    stands behind, each with its `gateway` set to its name. simulator: dotted path to what makes the ASGI app that
    stands in for the provider, called without arguments.
    environment: field of `config` → the well-known variable from which an account can be made, as MPESA_CONSUMER_KEY;
    environment_mode: the variable that says whether it is for `live` (or `production`) or `test` (or `sandbox`).
    demo: what a demo shop brings to its account at the simulator, where `duka simulate` serves it.
    """

    name: str
    title: str
    config: type[Struct]
    capabilities: Capabilities
    methods: Sequence[Method]
    environment: Mapping[str, str] = {}
    environment_mode: str = ""
    demo: Mapping[str, Any] = {}
    api_version: int = API_VERSION
    simulator: str = ""

    @abstractmethod
    def hosts(self, config: Any, mode: Mode) -> Sequence[str]:
        """The hosts it calls, as `name` or `name:port`; nothing else is reached over its line."""

    @abstractmethod
    async def ask(self, line: Line, asked: Asked) -> Started:
        """Ask for a payment. Raises GatewayFailed."""

    @abstractmethod
    async def find(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """What the provider says of a payment; nothing where it has no news. Raises GatewayFailed."""

    @abstractmethod
    def judge(self, config: Any, notice: Notice) -> Verdict:
        """What a notice is worth: by its signature, over its raw bytes. No call, no clock but the notice's.

        One that says that it is of another mode than the account is refused.
        """

    @abstractmethod
    def read(self, config: Any, notice: Notice) -> Sequence[GatewayFact]:
        """What a notice says, whatever it holds: junk reads as nothing. Of hints too: payments asks before it believes.

        Never raises.
        """

    def answer(self, config: Any, notice: Notice, verdict: Verdict) -> NoticeAnswer:
        """What to answer a notice that was kept."""
        return NoticeAnswer()

    async def check(self, line: Line) -> str:
        """Try the account without moving money; what was found, in words. Raises GatewayFailed."""
        raise not_supported(f"{self.title} has no way of trying an account")

    def phone(self, said: str, region: str) -> str:
        """A payer's phone as the provider wants it. Raises ValueError saying what is wrong."""
        return said

    def number(self, said: str) -> str:
        """The number of money as a person typed it, in the provider's writing; only where people confirm. Raises
        ValueError saying what is wrong.
        """
        return said

    def standing_code(self, config: Any, at: Counter) -> Show:
        """A code that stays at a counter, by which payers pay unasked; of the kind `qr`. Raises GatewayFailed."""
        raise not_supported(f"{self.title} has no codes that stay at a counter")

    def reads(self, raw: Any) -> Any:
        """What may be stored of a provider's words: nothing of payers, no secret."""
        return raw

    async def call_back(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """Call back a request that is not paid. A payment that came meanwhile wins. Raises GatewayFailed."""
        raise not_supported(f"{self.title} calls no request back")

    async def give_back(self, line: Line, back: Back) -> Started:
        """Give money back. Its facts speak of `refund_id`. Raises GatewayFailed."""
        raise not_supported(f"{self.title} gives no money back")

    async def find_refund(self, line: Line, back: Back) -> Sequence[GatewayFact]:
        """What the provider says of a refund. Raises GatewayFailed."""
        return ()

    async def enrol(self, line: Line) -> str:
        """Tell the provider where to send its notices; what was done, in words. Raises GatewayFailed."""
        raise not_supported(f"{self.title} is told where to send notices on its own pages")

    async def incoming(self, line: Line, since: dt.datetime, until: dt.datetime) -> Sequence[GatewayFact]:
        """The payments that the provider took between two instants, asked for or not. Raises GatewayFailed."""
        return ()


def not_supported(said: str) -> GatewayFailed:
    """The refusal of what a provider cannot do."""
    return GatewayFailed(Fault("not_supported", said))


GatewayName = Annotated[
    str,
    Meta(max_length=40, pattern=r"\A[a-z][a-z0-9_]*\Z", description="A gateway that is installed.", examples=["mpesa"]),
]
