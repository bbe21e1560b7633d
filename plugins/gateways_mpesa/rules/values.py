"""Phones, amounts, times and numbers as M-PESA writes them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from plugins.gateways_mpesa.rules.credentials import NAIROBI

EXPONENT: Final = 2
CURRENCY: Final = "KES"
LARGEST: Final = 10**15
"""No amount in cents that M-PESA could have moved; a notice that says more says nothing."""

_FILLING: Final = re.compile(r"[ \-.()]")
_MSISDN: Final = re.compile(r"254[17][0-9]{8}\Z")
_ANY_PHONE: Final = re.compile(r"(?<![0-9A-Za-z])(\+?254|0)([17])[0-9]{5}([0-9]{3})(?![0-9])")
_NUMBER: Final = re.compile(r"[0-9]{2,6}[0-9*]{3,12}[0-9]{3}\Z", re.ASCII)
_ID: Final = re.compile(r"[\x21-\x7e]{1,100}\Z")
_RECEIPT: Final = re.compile(r"[A-Z0-9]{6,35}\Z")
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?\Z", re.ASCII)
_TIMES: Final = ("%Y%m%d%H%M%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")


def phone(said: str) -> str:
    """`0712 345 678`, `+254712345678` or `712345678` as 254712345678. Raises ValueError.

    The operator is not guessed from the prefix: numbers move between operators.
    """
    digits = _FILLING.sub("", said)
    digits = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00")
    if len(digits) == 10 and digits.startswith("0"):
        digits = "254" + digits[1:]
    elif len(digits) == 9 and digits[:1] in ("7", "1"):
        digits = "254" + digits
    if not _MSISDN.match(digits):
        raise ValueError("This is not a Kenyan mobile number, such as 0712 345 678")
    return digits


def masked(said: Any) -> str | None:
    """A payer's number as it may be kept: `2547*****678`. None for what is no number, such as the hash of one."""
    written = _FILLING.sub("", text(said) or "").removeprefix("+")
    return f"{written[:4].rstrip('*')}*****{written[-3:]}" if _NUMBER.match(written) else None


def without_phones(said: str) -> str:
    """A text with every phone number in it masked."""
    return _ANY_PHONE.sub(r"\1\2*****\3", said)


def minor(said: Any) -> int | None:
    """An amount in cents: 250, 250.0 and "250.00" alike. None where it is none, not positive, or has parts of cents."""
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    if isinstance(said, int | float) and abs(said) > LARGEST:
        return None
    if isinstance(said, str) and not _AMOUNT.match(said.replace(",", "").strip()):
        return None
    try:
        cents = Decimal(str(said).replace(",", "").strip()).scaleb(EXPONENT)
    except InvalidOperation:
        return None
    if not cents.is_finite() or not 0 < cents <= LARGEST or cents != cents.to_integral_value():
        return None
    return int(cents)


def shillings(amount: int) -> int:
    """Cents as whole shillings. Raises ValueError where there is a rest."""
    whole, rest = divmod(amount, 10**EXPONENT)
    if rest:
        raise ValueError("M-PESA moves whole shillings")
    return whole


def moment(said: Any) -> dt.datetime | None:
    """A time in any of the ways M-PESA writes it, by Nairobi's clock where no zone is said; None for what is none."""
    written = text(said)
    if not written or not written.isascii() or len(written) > 40:
        return None
    for shape in _TIMES:
        try:
            return dt.datetime.strptime(written, shape).replace(tzinfo=NAIROBI)
        except ValueError:
            continue
    try:
        read = dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=NAIROBI)


def text(said: Any) -> str | None:
    """A text or a figure as text; None for all else, and for what is empty."""
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    if isinstance(said, float):
        return f"{said:.0f}" if said.is_integer() and abs(said) < LARGEST else str(said)
    if isinstance(said, int) and abs(said) > 10**40:
        return None
    return str(said).strip() or None


def code(said: Any) -> str:
    """A result code as text: it may be a figure, a figure in a text, or a text. Empty where it is none."""
    return (text(said) or "")[:40]


def id_(said: Any) -> str | None:
    """What a provider calls a thing; None for what cannot be an id."""
    written = text(said)
    return written if written and _ID.match(written) else None


def receipt(said: Any) -> str | None:
    """A receipt: capitals and figures, ten of them in practice. None for what cannot be one."""
    written = (text(said) or "").upper()
    return written if _RECEIPT.match(written) else None


def pairs(said: Any, name: str) -> dict[str, Any]:
    """What a list of `{name: …, Value: …}` says, or one such object; of twins the first with a value counts."""
    found: dict[str, Any] = {}
    entries: Iterable[Any] = said if isinstance(said, list) else [said]
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get(name), str) and found.get(entry[name]) is None:
            found[entry[name]] = entry.get("Value")
    return found


def inside(said: Any, *path: str) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in path:
        said = said.get(key) if isinstance(said, dict) else None
    return said
