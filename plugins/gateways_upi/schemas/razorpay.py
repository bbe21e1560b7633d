"""What a business brings to Razorpay: the key of its account, and the secret by which notices are signed."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kernel.wire import secret

Key = Annotated[str, Meta(min_length=8, max_length=200, pattern=r"\A[\x21-\x7e]+\Z")]
KeyId = Annotated[str, Meta(max_length=60, pattern=r"\Arzp_(test|live)_[A-Za-z0-9]+\Z", examples=["rzp_test_a1B2c3D4"])]
Merchant = Annotated[str, Meta(max_length=60, pattern=r"\Aacc_[A-Za-z0-9]+\Z", examples=["acc_CJoeHMNpi0nC7k"])]
Address = Annotated[str, Meta(max_length=200, pattern=r"\Ahttps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z")]


class RazorpayConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at Razorpay, in one mode. former_webhook_secret: signs what Razorpay sends again from before the
    secret was changed; to be taken out a day later. merchant: notices about another account are refused.
    """

    key_id: Annotated[
        KeyId,
        Meta(
            title="Key id",
            description="Razorpay's dashboard makes it together with its secret; one for tests, one for live.",
        ),
    ]
    key_secret: Annotated[Key, secret(), Meta(title="Key secret")]
    webhook_secret: Annotated[
        Key,
        secret(),
        Meta(
            title="Secret of the webhook", description="What you typed as secret when you made the webhook at Razorpay."
        ),
    ]
    former_webhook_secret: Annotated[
        Key | None,
        secret(),
        Meta(
            title="Its secret before, for a day",
            description="Razorpay signs with it what it sends again from before the change. Take it out a day later.",
        ),
    ] = None
    merchant: Annotated[
        Merchant | None, Meta(title="Account id at Razorpay", description="Notices about another account are refused.")
    ] = None
    name: Annotated[str, Meta(min_length=1, max_length=50, title="Name on QR codes")] = "Shop"
    refund_speed: Annotated[Literal["normal", "optimum"], Meta(title="How fast money goes back")] = "normal"
    test_address: Annotated[Address | None, Meta(title="Simulator, in test mode only")] = None

    @property
    def is_live(self) -> bool:
        """Whether the key moves real money."""
        return self.key_id.startswith("rzp_live_")

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """The secrets by which a notice may be signed."""
        return (self.webhook_secret, self.former_webhook_secret)
