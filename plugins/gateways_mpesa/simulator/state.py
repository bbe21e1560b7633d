"""What the simulated provider knows: shops, tokens, prompts, conversations, and everything that was said."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from msgspec import Struct

from plugins.gateways_mpesa.rules.credentials import SANDBOX_PASSKEY
from plugins.gateways_mpesa.rules.redacting import redacted
from plugins.gateways_mpesa.simulator.checks import Shop, Wrong
from plugins.gateways_mpesa.simulator.ledger import Ledger
from plugins.gateways_mpesa.simulator.scenarios import BY_PAYER, On, Scenario
from plugins.payments.testing.simulator.clock import Clock
from plugins.payments.testing.simulator.steering import Diary

NAIROBI: Final = ZoneInfo("Africa/Nairobi")
TOKEN_S: Final = 3599
Send = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""Takes a notice to its address; answers status and body, status 0 where nothing came back."""

SHOPS: Final = (
    Shop(key="simulated-key", secret="simulated-secret", shortcode="174379", passkey=SANDBOX_PASSKEY),  # noqa: S106
    Shop(
        key="simulated-till-key",
        secret="simulated-till-secret",  # noqa: S106
        shortcode="600100",
        passkey=SANDBOX_PASSKEY,
        till="5200100",
        name="Simulated till",
    ),
)


class Prompt(Struct, kw_only=True):
    """A request on a phone. code: what became of it, none while it is open. expires_at: when nobody can answer it."""

    checkout: str
    merchant: str
    shop: Shop
    payer: str
    amount: int
    reference: str
    words: str
    notify: str
    at: dt.datetime
    expires_at: dt.datetime
    scenario: Scenario
    code: str | None = None
    decided_at: dt.datetime | None = None
    receipt: str | None = None
    paid: int = 0


class Conversation(Struct, kw_only=True):
    """A request whose result is told afterwards. state: as a question about it is answered."""

    originator: str
    id: str
    kind: str
    amount: int
    state: str = "Pending"
    receipt: str | None = None
    at: dt.datetime


class State:
    """One provider. lenient: as forgiving as Safaricom's test system; otherwise every documented rule is held to.

    is_driven: whether a kit says what becomes of each prompt, so that nothing does so by itself.
    """

    def __init__(
        self, *, now: Callable[[], dt.datetime], send: Send, shops: tuple[Shop, ...], lenient: bool, holds: bool
    ) -> None:
        self.clock, self.ledger = Clock(now), Ledger()
        self.send, self.lenient, self.holds = send, lenient, holds
        self.shops: dict[str, Shop] = {shop.key: shop for shop in shops}
        self.tokens: dict[str, tuple[str, dt.datetime]] = {}
        self.prompts: dict[str, Prompt] = {}
        self.conversations: list[Conversation] = []
        self.addresses: dict[str, Mapping[str, str]] = {}
        self.pulled: set[str] = set()
        self.is_driven = False
        self.scenarios: list[Scenario] = []
        self.diary = Diary(redacted)
        self._count = itertools.count(1)

    def now(self) -> dt.datetime:
        """The time."""
        return self.clock.now()

    def stamp(self, at: dt.datetime | None = None) -> str:
        """A time by Nairobi's clock, in figures."""
        return (at or self.now()).astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")

    def count(self) -> int:
        """A number never given before."""
        return next(self._count)

    def new_token(self, shop: Shop) -> str:
        """A token; the one before it is dead from now on."""
        token = f"sim{self.count():06d}{shop.shortcode}"
        self.tokens[shop.key] = (token, self.now() + dt.timedelta(seconds=TOKEN_S))
        return token

    def shop_of(self, authorization: str) -> Shop:
        """Whose call it is. Raises Wrong for a token that is dead or nobody's."""
        said = authorization.removeprefix("Bearer ")
        for key, (token, lapses_at) in self.tokens.items():
            if token == said and self.now() < lapses_at:
                return self.shops[key]
        raise Wrong(404, "404.001.03", "Invalid Access Token")

    def number_of(self, shop: Shop, said: Any) -> str:
        """A shortcode, if it is the caller's. Raises Wrong."""
        if str(said) not in shop.numbers:
            raise Wrong(500, "500.001.1001", "Merchant does not exist")
        return str(said)

    def scenario(self, on: On, payer: str = "", amount: int | None = None, reference: str = "") -> Scenario | None:
        """What happens in a call: the newest that was asked for, else what the payer's number says, of prompts.

        One that holds a number of times has been used once more.
        """
        found = self.foreseen(on, payer, amount, reference)
        if found is not None and found.times is not None:
            found.times -= 1
        return found

    def foreseen(self, on: On, payer: str = "", amount: int | None = None, reference: str = "") -> Scenario | None:
        """What would happen in a call."""
        for one in reversed(self.scenarios):
            if one.fits(on, payer, amount, reference):
                return one
        known = BY_PAYER.get(payer[-3:]) if on == "prompt" and not self.is_driven else None
        return known[1] if known else None

    async def tell(self, url: str, body: Any) -> Any:
        """Send a notice, once: Safaricom says of none that it is sent again. Returns what was answered."""
        status, said = await self.send(url, msgspec.json.encode(body))
        self.diary.note_notice(self.now(), url, body, status)
        try:
            return msgspec.json.decode(said) if 200 <= status < 300 else None
        except msgspec.DecodeError:
            return None

    def restart(self) -> None:
        """Lose what a provider that restarts loses: tokens and notices on their way. Money and answers stay."""
        self.tokens.clear()
        self.clock.forget()


@cache
def _own_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


@cache
def certificate() -> str:
    """The simulator's certificate as PEM, past its end as Safaricom's are."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Simulated M-PESA")])
    start = dt.datetime(2019, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_own_key().public_key())
    dated = made.serial_number(1).not_valid_before(start).not_valid_after(start + dt.timedelta(days=730))
    signed = dated.sign(_own_key(), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def opened(credential: str) -> str | None:
    """The password in a SecurityCredential; none where it cannot be opened."""
    try:
        return _own_key().decrypt(base64.b64decode(credential, validate=True), PKCS1v15()).decode()
    except ValueError:
        return None
