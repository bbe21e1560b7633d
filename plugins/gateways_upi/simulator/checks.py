"""The rules that Razorpay documents for requests, so that a caller's mistakes show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

Check = Callable[[Any], bool]
LEAST: Final = 100
LAST_SECOND: Final = 2_147_483_647
IDEMPOTENT: Final = re.compile(r"[A-Za-z0-9_-]{10,}\Z", re.ASCII)


class Shop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account with its key. has_content: its QR codes come with what is in them. has_codes: it may make some."""

    key_id: str
    key_secret: str
    merchant: str = "acc_SimulatedShop01"
    name: str = "Simulated shop"
    has_content: bool = True
    has_codes: bool = True


class Wrong(Exception):
    """A request that Razorpay refuses: HTTP status, code, words, reason, field."""

    def __init__(self, words: str, *, status: int = 400, code: str = "", reason: str = "NA", field: str = "") -> None:
        super().__init__(words)
        self.status, self.words, self.reason, self.field = status, words, reason, field
        self.code = code or ("BAD_REQUEST_ERROR" if status < 500 else "SERVER_ERROR")

    def body(self) -> dict[str, Any]:
        """As Razorpay writes it."""
        source = "NA" if self.reason == "NA" else "business"
        said = {"code": self.code, "description": self.words, "source": source, "step": source}
        more = {"field": self.field} if self.field else {}
        return {"error": {**said, "reason": self.reason, "metadata": {}, **more}}


def _whole(least: int, most: int = 10**12) -> Check:
    return lambda said: isinstance(said, int) and not isinstance(said, bool) and least <= said <= most


def _text(most: int, least: int = 0) -> Check:
    return lambda said: isinstance(said, str) and least <= len(said) <= most


def _notes(said: Any) -> bool:
    return isinstance(said, dict) and len(said) <= 15 and all(_text(256)(one) for one in said.values())


CODE: Final[Mapping[str, Check]] = {
    "type": lambda said: said == "upi_qr",
    "name": _text(100),
    "usage": lambda said: said in ("single_use", "multiple_use"),
    "fixed_amount": lambda said: isinstance(said, bool),
    "payment_amount": _whole(LEAST),
    "description": _text(255),
    "customer_id": _text(60, 1),
    "close_by": _whole(0, LAST_SECOND),
    "notes": _notes,
}
REFUND: Final[Mapping[str, Check]] = {
    "amount": _whole(LEAST),
    "speed": lambda said: said in ("normal", "optimum"),
    "notes": _notes,
    "receipt": _text(40, 1),
}


def check(body: Any, rules: Mapping[str, Check], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body, if it keeps the rules. Raises Wrong."""
    if not isinstance(body, dict):
        raise Wrong("The request body is not valid JSON", reason="input_validation_failed")
    if strange := sorted(body.keys() - rules.keys()):
        said = f"{', '.join(strange)} is/are not required and should not be sent"
        raise Wrong(said, reason="input_validation_failed", field=strange[0])
    for name in needed:
        if name not in body:
            raise Wrong(f"The {name} field is required.", reason="input_validation_failed", field=name)
    for name, value in body.items():
        if value is not None and not rules[name](value):
            raise Wrong(f"The {name} is invalid.", reason="input_validation_failed", field=name)
    return body


def check_code(body: Any, now: int) -> dict[str, Any]:
    """A QR code that may be made. Raises Wrong."""
    said = check(body, CODE, ("type", "usage"))
    is_single, close_by = said["usage"] == "single_use", said.get("close_by")
    if is_single and said.get("fixed_amount") is not True:
        raise Wrong(
            "fixed_amount should be true for single_use", reason="input_validation_failed", field="fixed_amount"
        )
    if said.get("fixed_amount") and said.get("payment_amount") is None:
        raise Wrong("The payment amount field is required", reason="input_validation_failed", field="payment_amount")
    if close_by is not None and not is_single:
        raise Wrong("close_by is not required", reason="input_validation_failed", field="close_by")
    if close_by is not None and close_by < now + 120:
        raise Wrong("close_by should be at least 2 minutes after current time", reason="input_validation_failed")
    return said


def check_key(said: str | None) -> str | None:
    """A refund's key. Raises Wrong."""
    if said is None:
        return None
    if len(said) < 10:
        raise Wrong("The idempotency key must be at least 10 characters long.")
    if not IDEMPOTENT.match(said):
        raise Wrong("The idempotency key must only contain alphanumeric characters, underscores, and hyphens")
    return said
