"""Money as integers: exact reading, writing, multiplying, splitting, and the one place where Duka rounds.

Amounts are whole minor units (cents) of a currency. Unit prices, costs, quantities and percentages are
scaled by `MICRO`: "0.75" is 750_000 and 16 % is 16_000_000. Nothing here is a float or a bare `Decimal`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Final, Literal

from msgspec import Meta

__all__ = [
    "CURRENCIES",
    "MICRO",
    "MICRO_DIGITS",
    "WHOLE_DIGITS",
    "Amount",
    "BadDecimal",
    "Percent",
    "Quantity",
    "SignedAmount",
    "StepMode",
    "UnitPrice",
    "UnknownCurrency",
    "allocate",
    "exponent",
    "extend",
    "format_amount",
    "format_micro",
    "format_price",
    "mark_of",
    "parse_amount",
    "parse_micro",
    "percent_of",
    "round_ratio",
    "round_to_step",
    "show_amount",
    "show_price",
    "show_text",
]

MICRO_DIGITS: Final = 6
MICRO: Final = 10**MICRO_DIGITS
"""The scale of unit prices, costs, quantities and percentages."""

WHOLE_DIGITS: Final = 12
"""Digits before the point of an amount, price or quantity; with six decimals they fit a BIGINT."""

_LONGEST_TEXT: Final = 40

_MINOR_DIGITS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
        "CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
        "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT "
        "MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB "
        "SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
        "USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}

CURRENCIES: Final[Mapping[str, int]] = MappingProxyType(
    {code: digits for digits, codes in _MINOR_DIGITS.items() for code in codes.split()}
)
"""Currencies in use and their minor digits. Source: ISO 4217 list one, without funds, metals, test codes."""

_DECIMAL: Final = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?"

Amount = Annotated[
    str,
    Meta(
        pattern=rf"\A{_DECIMAL}\Z",
        max_length=19,
        description="An amount of money, zero or more, as a decimal string in major units.",
        examples=["1250.00"],
    ),
]
"""Money on the wire, never negative; `parse_amount` refuses more decimals than the currency has."""

SignedAmount = Annotated[
    str,
    Meta(
        pattern=rf"\A(?!-0(\.0*)?\Z)-?{_DECIMAL}\Z",
        max_length=20,
        description="An amount of money as a decimal string in major units; negative with a leading minus.",
        examples=["-12.50"],
    ),
]
"""Money on the wire that may be negative, such as a rounding or a balance; minus zero is refused."""

Quantity = Annotated[
    str,
    Meta(
        pattern=rf"\A{_DECIMAL}\Z",
        max_length=19,
        description="A quantity as a decimal string, at most six decimals.",
        examples=["2", "0.750"],
    ),
]
"""A quantity on the wire; whether zero is allowed is for the route's rule to say."""

Percent = Annotated[
    str,
    Meta(
        pattern=r"\A(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?\Z",
        max_length=10,
        description="A percentage as a decimal string: 16 is sixteen per cent.",
        examples=["16", "2.5"],
    ),
]
"""A percentage on the wire, below 1000; a discount's own limit of 100 is a rule."""

UnitPrice = Annotated[
    str,
    Meta(
        pattern=rf"\A{_DECIMAL}\Z",
        max_length=19,
        description="The price of one unit as a decimal string in major units, at most six decimals.",
        examples=["380.00", "310.125"],
    ),
]
"""A unit price or cost on the wire: never rounded below its six decimals."""


StepMode = Literal["half_up", "down"]
"""How an amount is brought to a multiple of a step: to the nearest, halves away from zero; or towards zero."""


class UnknownCurrency(ValueError):
    """The code is no active ISO 4217 currency, written in three capitals."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"{currency!r} is not an active ISO 4217 currency code")
        self.currency = currency


class BadDecimal(ValueError):
    """The text is not a plain ASCII decimal, or has more decimals than the number may hold."""

    def __init__(self, text: str, digits: int) -> None:
        super().__init__(f"{text[:_LONGEST_TEXT]!r} is not a decimal number with at most {digits} decimals")
        self.text = text
        self.digits = digits


def exponent(currency: str) -> int:
    """Tell how many minor digits a currency has (KES 2, UGX 0, KWD 3); raise `UnknownCurrency`."""
    try:
        return CURRENCIES[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


def round_ratio(numerator: int, denominator: int) -> int:
    """Round an exact fraction half up, away from zero, so that r(-x) = -r(x). The only rounding in Duka.

    The denominator is positive (ValueError). Refunds thus mirror sales: 14.595 gives 14.60, -14.595 -14.60.
    """
    if denominator <= 0:
        raise ValueError(f"the denominator must be positive, not {denominator}")
    if numerator < 0:
        return -((denominator - 2 * numerator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def parse_scaled(text: str, digits: int) -> int:
    """Read a decimal string exactly, as an integer scaled by 10**digits.

    Taken is what `format_scaled` writes: ASCII digits, one point between digits, a leading minus, no leading
    zeros, at most 40 characters. All else raises `BadDecimal`: more decimals than `digits`, minus zero,
    exponents, spaces, a plus.
    """
    negative = text[:1] == "-"
    whole, point, decimals = (text[1:] if negative else text).partition(".")
    if not (
        len(text) <= _LONGEST_TEXT
        and text.isascii()
        and whole.isdigit()
        and (whole[0] != "0" or len(whole) == 1)
        and (decimals.isdigit() and len(decimals) <= digits if point else True)
    ):
        raise BadDecimal(text, digits)
    value = int(whole + decimals.ljust(digits, "0"))
    if not negative:
        return value
    if not value:
        raise BadDecimal(text, digits)
    return -value


def format_scaled(value: int, digits: int, least: int | None = None) -> str:
    """Write an integer scaled by 10**digits as a decimal string.

    With `least`, zeros at the end are dropped down to that many decimals; without it all decimals stand.
    """
    text = str(abs(value)).rjust(digits + 1, "0")
    whole, decimals = text[: len(text) - digits], text[len(text) - digits :]
    if least is not None:
        decimals = decimals.rstrip("0").ljust(least, "0")
    if decimals:
        whole = f"{whole}.{decimals}"
    return f"-{whole}" if value < 0 else whole


def parse_amount(text: str, exponent: int) -> int:
    """Read an amount in major units as minor units; `BadDecimal` when it is finer than the currency."""
    return parse_scaled(text, exponent)


def format_amount(value: int, exponent: int) -> str:
    """Write minor units with all of the currency's decimals: 76000 with exponent 2 is "760.00"."""
    return format_scaled(value, exponent)


def parse_micro(text: str) -> int:
    """Read a price, quantity or percentage as an integer scaled by `MICRO`; raise `BadDecimal`."""
    return parse_scaled(text, MICRO_DIGITS)


def format_micro(value: int) -> str:
    """Write a quantity or percentage in its shortest form: "2", "0.75"."""
    return format_scaled(value, MICRO_DIGITS, 0)


def format_price(value: int, exponent: int) -> str:
    """Write a unit price with at least the currency's decimals: "380.00", "310.125"."""
    return format_scaled(value, MICRO_DIGITS, exponent)


def extend(quantity: int, unit_price: int, exponent: int) -> int:
    """Multiply quantity by unit price, both scaled by `MICRO`, into minor units, rounded once."""
    return round_ratio(quantity * unit_price * 10**exponent, MICRO * MICRO)


def percent_of(amount: int, percent: int) -> int:
    """Take a percentage, scaled by `MICRO`, of an amount in minor units, rounded once."""
    return round_ratio(amount * percent, 100 * MICRO)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split a total over weights by largest remainder, so that the parts sum to it exactly.

    Each part is within one unit of its exact share; ties go to the earlier weight; a negative total mirrors
    the positive one. A weight of zero gets nothing, but weights that are all zero count as equal. No part
    exceeds its weight while the total does not exceed their sum. Negative weights, or a total over no
    weights, are ValueErrors.
    """
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    if not weights and total:
        raise ValueError(f"nothing to allocate {total} over")
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    whole = sum(weights)
    if not whole:
        weights, whole = [1] * len(weights), len(weights)
    split = [divmod(total * weight, whole) for weight in weights]
    parts = [part for part, _ in split]
    by_remainder = sorted(range(len(parts)), key=lambda place: -split[place][1])
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def round_to_step(amount: int, step: int, mode: StepMode = "half_up") -> int:
    """Round an amount to a multiple of a step, both in minor units; refunds mirror sales.

    To the nearest, where halves go away from zero: 198 with step 5 is 200, and -198 is -200. Down goes towards zero:
    750 with step 100 is 700, and -750 is -700. A step of 1 changes nothing; below 1 is a ValueError.
    """
    if mode == "down":
        if step < 1:
            raise ValueError(f"the step must be positive, not {step}")
        return amount - amount % step if amount >= 0 else amount + -amount % step
    return round_ratio(amount, step) * step


SYMBOLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BDT": "৳",
        "EUR": "€",
        "GBP": "£",
        "INR": "₹",
        "JPY": "¥",
        "KES": "KSh ",
        "NGN": "₦",
        "RWF": "RF ",
        "TZS": "TSh ",
        "UGX": "USh ",
        "USD": "$",
        "ZAR": "R ",
    }
)
"""What stands before an amount that people read; any other currency stands there by its code. Source: Unicode CLDR."""

_IN_LAKHS: Final = frozenset({"BD", "IN", "NP"})
"""Regions that group by lakh and crore: 12,34,567. Source: Unicode CLDR, decimal patterns of bn, hi, ne."""


def show_amount(value: int, currency: str, region: str) -> str:
    """Write minor units as people of a region read them: ₹12,34,567.50, KSh 1,234,567.50, -£3.00.

    For pages, letters, traces and command lines; never for figures of the API, which are plain decimal strings.
    """
    return show_text(format_amount(value, exponent(currency)), currency, region)


def show_price(value: int, currency: str, region: str) -> str:
    """Write a unit price, scaled by `MICRO`, as people of a region read it; finer decimals stand: KSh 310.125."""
    return show_text(format_price(value, exponent(currency)), currency, region)


def show_text(text: str, currency: str, region: str) -> str:
    """Write a plain decimal string, as the API answers it, as people of a region read it."""
    sign, plain = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, decimals = plain.partition(".")
    return f"{sign}{mark_of(currency)}{_grouped(whole, region)}{point}{decimals}"


def mark_of(currency: str) -> str:
    """What stands before an amount of a currency that people read, with the space after it where it takes one."""
    return SYMBOLS.get(currency, currency + " ")


def _grouped(whole: str, region: str) -> str:
    """Digits in groups of three; in lakhs, above the last three in groups of two."""
    size = 2 if region in _IN_LAKHS else 3
    head, groups = whole[:-3], [whole[-3:]]
    while head:
        head, groups = head[:-size], [head[-size:], *groups]
    return ",".join(groups)
