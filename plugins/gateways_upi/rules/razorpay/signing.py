"""How Razorpay proves what it sends, and how it is called: HMAC over raw bytes, Basic authentication.

Source: razorpay.com/docs/webhooks/validate-test and /payments/server-integration; checked against its SDK.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

SIGNATURE: Final = "x-razorpay-signature"
EVENT_ID: Final = "x-razorpay-event-id"


def sign(secret: str, said: bytes) -> str:
    """HMAC-SHA256 as hexadecimal, over the very bytes."""
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


def is_signed(secrets: Iterable[str | None], signature: str, body: bytes) -> bool:
    """Whether one of the secrets signed a body; an empty secret signs nothing. Takes as long
    whichever it was."""
    said = signature.encode("utf-8", "replace")
    signed = [hmac.compare_digest(sign(one, body).encode(), said) for one in secrets if one]
    return any(signed)


def sign_checkout(key_secret: str, order_id: str, payment_id: str) -> str:
    """What Razorpay's own payment page signs its return with: by the key's secret, not the webhook's."""
    return sign(key_secret, f"{order_id}|{payment_id}".encode())


def basic(key_id: str, key_secret: str) -> str:
    """The header by which a call says who makes it."""
    return "Basic " + base64.b64encode(f"{key_id}:{key_secret}".encode()).decode()
