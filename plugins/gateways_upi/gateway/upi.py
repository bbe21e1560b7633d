"""UPI by the shop's own address: a link is made here, nobody is called; a person or a statement proves the money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from plugins.gateways_upi.rules.links import (
    CURRENCY,
    DYNAMIC_QR,
    INTENT,
    MOST,
    MOST_REFERENCE,
    STATIC_QR,
    Link,
    build,
    shortened,
    typed_number,
)
from plugins.gateways_upi.schemas.upi import UpiConfig
from plugins.payments.api import (
    Asked,
    Capabilities,
    Counter,
    Fault,
    Gateway,
    GatewayFact,
    GatewayFailed,
    Known,
    Line,
    Method,
    Mode,
    Notice,
    Show,
    Span,
    Started,
    Verdict,
)

__all__ = ["Upi"]

NAME: Final = "upi"
BY_APP: Final = "upi_app"
LEAST, MOST_PAISE = 100, 100_000_000
_WAIT_MINUTES: Final = 15
_MERCHANT_MADE: Final = {"purpose": "00", "organisation": "000000"}


class Upi(Gateway):
    """QR codes and links by the shop's own address. No provider is asked, so none says that money came."""

    name = NAME
    title = "UPI"
    config = UpiConfig
    capabilities = Capabilities(
        regions=("IN",),
        spans=(Span(CURRENCY, LEAST, MOST_PAISE),),
        notices="none",
        confirmed_by_hand=True,
        takes_unasked=True,
        retry_is_safe=True,
        asks_after_s=(),
        asks_last_s=0,
        lives_s=_WAIT_MINUTES * 60,
        reference_most=MOST_REFERENCE,
        reference_letters="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    )
    methods = (
        Method(NAME, "UPI", "bank", NAME, waits="always", wait_minutes=_WAIT_MINUTES),
        Method(BY_APP, "UPI app on the payer's phone", "bank", NAME, waits="always", wait_minutes=_WAIT_MINUTES),
    )
    environment: Mapping[str, str] = {
        "address": "UPI_MERCHANT_ID",
        "api_key": "UPI_API_KEY",
        "name": "UPI_MERCHANT_NAME",
        "category": "UPI_MERCHANT_CATEGORY",
    }
    environment_mode = "UPI_ENVIRONMENT"
    demo: Mapping[str, Any] = {"address": "sharma.kirana@example", "name": "Sharma Kirana Store", "category": "5411"}

    def hosts(self, config: Any, mode: Mode) -> Sequence[str]:
        """None: nobody is called."""
        return ()

    async def ask(self, line: Line, asked: Asked) -> Started:
        """Make the link of one payment, as a picture to scan or for the payer's own phone."""
        config: UpiConfig = line.config
        if asked.currency != CURRENCY:
            raise _refused("validation", "UPI pays in Indian rupees only")
        if not LEAST <= asked.amount <= config.most * 100:
            raise _refused("limit", f"This account takes from ₹1 to ₹{config.most:,} at once")
        by_app = asked.method == BY_APP
        link = Link(
            **_payee(config),
            reference=asked.reference,
            note=shortened(asked.words) or None,
            amount=asked.amount,
            mode=INTENT if by_app else DYNAMIC_QR,
        )
        if by_app:
            return Started(show=Show("page", "Pay with a UPI app", _fitting(link)))
        return Started(show=Show("qr", "Scan with any UPI app", _fitting(link)))

    async def find(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """No news: nobody can be asked."""
        return ()

    def judge(self, config: Any, notice: Notice) -> Verdict:
        """Refused: UPI sends a shop no notices."""
        return Verdict("refused", "UPI sends no notices to shops")

    def read(self, config: Any, notice: Notice) -> Sequence[GatewayFact]:
        """Nothing."""
        return ()

    async def check(self, line: Line) -> str:
        """Say what can be said without a payment."""
        config: UpiConfig = line.config
        return f"Codes will ask for payments to {config.address}. Pay one rupee by such a code: nothing else proves it"

    def number(self, said: str) -> str:
        """The UPI reference as a person reads it from a phone: twelve digits."""
        return typed_number(said)

    def standing_code(self, config: Any, at: Counter) -> Show:
        """A code to be printed for a counter; the payer types the amount."""
        note = shortened(at.words) or None
        link = Link(**_payee(config), reference=at.reference or None, note=note, mode=STATIC_QR)
        return Show("qr", "Scan with any UPI app, and type the amount", _fitting(link))


def _payee(config: UpiConfig) -> dict[str, Any]:
    return {"payee": config.address, "name": config.name, "category": config.category, **_MERCHANT_MADE}


def _fitting(link: Link) -> str:
    """A link as text, without its note where that makes the code hard to scan."""
    whole = build(link)
    return whole if len(whole) <= MOST else build(structs.replace(link, note=None))


def _refused(kind: Any, said: str) -> GatewayFailed:
    return GatewayFailed(Fault(kind, said))
