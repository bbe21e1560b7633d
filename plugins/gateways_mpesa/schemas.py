"""What a business brings to M-PESA: keys of its Daraja app, its shortcode, and who may move its money."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kernel.wire import secret

SOURCES: Final = (
    *("196.201.214.200", "196.201.214.206", "196.201.214.207", "196.201.214.208"),
    *("196.201.213.114", "196.201.213.44"),
    *("196.201.212.127", "196.201.212.128", "196.201.212.129", "196.201.212.132", "196.201.212.136", "196.201.212.138"),
    *("196.201.212.69", "196.201.212.74"),
)
"""Addresses from which Safaricom's notices are said to come. Told by several users of Daraja, not by Safaricom."""

Key = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\A[\x21-\x7e]+\Z")]
Password = Annotated[str, Meta(min_length=1, max_length=200)]
Certificate = Annotated[str, Meta(min_length=1, max_length=10_000)]
Digits = Annotated[str, Meta(max_length=20, pattern=r"\A[0-9]+\Z")]
Address = Annotated[str, Meta(max_length=200, pattern=r"\Ahttps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z")]
Shortcode = Annotated[str, Meta(pattern=r"\A[0-9]{5,7}\Z", examples=["174379"])]


class MpesaConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One PayBill or till. Initiator, its password and the certificate are needed only to give money back.

    shortcode: of a till, the number of its store or head office. Raises ValueError where parts do not go together.
    """

    consumer_key: Annotated[
        Key,
        secret(),
        Meta(title="Consumer key", description="Of your app at developer.safaricom.co.ke, which has M-PESA Express."),
    ]
    consumer_secret: Annotated[
        Key, secret(), Meta(title="Consumer secret", description="It stands beside the consumer key.")
    ]
    shortcode: Annotated[
        Shortcode,
        Meta(
            title="PayBill number, or the till's store number",
            description="Exchanged with the till number, payments fail.",
        ),
    ]
    passkey: Annotated[
        Key, secret(), Meta(title="Passkey of M-PESA Express", description="It comes by mail when the app goes live.")
    ]
    kind: Annotated[Literal["paybill", "till"], Meta(title="PayBill or till")] = "paybill"
    till: Annotated[Shortcode | None, Meta(title="Till number")] = None
    name: Annotated[str, Meta(max_length=50, title="Name on QR codes")] = "Shop"
    initiator: Annotated[
        Key | None,
        Meta(
            title="Initiator's name",
            description="Needed only to give money back. It is made on the M-PESA portal, with the roles for reversals,"
            " business payments and transaction status.",
        ),
    ] = None
    initiator_password: Annotated[
        Password | None, secret(), Meta(title="Initiator's password", description="It runs out after 90 days.")
    ] = None
    certificate: Annotated[
        Certificate | None,
        secret(),
        Meta(
            title="Safaricom's public certificate, as PEM or base64",
            description="There is one for tests and one for live accounts.",
        ),
    ] = None
    payout_shortcode: Annotated[Shortcode | None, Meta(title="Shortcode that pays out, if another")] = None
    trust_sources: Annotated[
        bool,
        Meta(
            title="Believe notices that no question can confirm, from these addresses",
            description="Switched off, such payments wait until the listed payments show them.",
        ),
    ] = True
    sources: Annotated[tuple[str, ...], Meta(max_length=100, title="Addresses of Safaricom's notices")] = SOURCES
    when_unanswered: Annotated[
        Literal["Completed", "Cancelled"], Meta(title="Payments whose validation is not answered in time")
    ] = "Completed"
    marks_addresses: Annotated[bool, Meta(title="Tell registered addresses apart by what follows a question mark")] = (
        True
    )
    pulls: Annotated[
        bool,
        Meta(
            title="Ask for the payments of the last two days (Pull Transactions)",
            description="Only if Safaricom has opened it for you.",
        ),
    ] = False
    pull_method: Annotated[Literal["POST", "GET"], Meta(title="How they are asked for")] = "POST"
    pull_number: Annotated[Digits | None, Meta(title="Number nominated for Pull Transactions")] = None
    test_address: Annotated[Address | None, Meta(title="Simulator, in test mode only")] = None

    def __post_init__(self) -> None:
        if self.kind == "till" and self.till is None:
            raise ValueError("A till needs its till number")
        if len({self.initiator is None, self.initiator_password is None, self.certificate is None}) > 1:
            raise ValueError("Initiator, its password and the certificate go together")
        for one in self.sources:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as fault:
                raise ValueError(f"{one} is no network address") from fault

    @property
    def shortcodes(self) -> frozenset[str]:
        """Every number under which money of this account moves."""
        return frozenset(filter(None, (self.shortcode, self.till, self.payout_shortcode)))
