"""What a business brings to take UPI by its own address: no key, no contract."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from kernel.wire import secret
from plugins.gateways_upi.rules.links import looks_like_address

Address = Annotated[str, Meta(min_length=3, max_length=320, pattern=r"\A[\x21-\x7e]+@[\x21-\x7e]+\Z")]
PayeeName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\A[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*\Z")]
Category = Annotated[str, Meta(pattern=r"\A[0-9]{4}\Z", examples=["5411"])]
Key = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\A[\x21-\x7e]+\Z")]


class UpiConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The address that is paid. Raises ValueError where it does not look like one, unless that is not to be checked.

    api_key: of the bank's own API, kept for it; links need none.
    """

    address: Annotated[
        Address,
        Meta(
            title="UPI address (VPA) that is paid",
            description="The bank gave it to you. Pay one rupee by a code of it: nothing else proves that it is yours.",
            examples=["dukashop@okhdfcbank"],
        ),
    ]
    name: Annotated[PayeeName, Meta(title="Name that payers read")] = "Shop"
    category: Annotated[
        Category | None,
        Meta(
            title="Merchant category, as the bank has it",
            description="Leave it empty unless the bank gave you one: with another, payments fail.",
        ),
    ] = None
    most: Annotated[int, Meta(ge=1, le=1_000_000, title="Most rupees at once, as the bank allows")] = 100_000
    checks_address: Annotated[bool, Meta(title="Refuse an address that does not look like name@bank")] = True
    api_key: Annotated[Key | None, secret(), Meta(title="Key of the bank's API; links need none")] = None

    def __post_init__(self) -> None:
        if self.address.count("@") != 1:
            raise ValueError("A UPI address has one @, as in dukashop@okhdfcbank")
        if self.checks_address and not looks_like_address(self.address):
            raise ValueError("This does not look like a UPI address, such as dukashop@okhdfcbank")
