"""Phone and tax numbers as they are kept, and the words by which a customer is found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import phonenumbers
from stdnum.exceptions import InvalidFormat, InvalidLength, ValidationError
from stdnum.gb import vat
from stdnum.in_ import gstin
from stdnum.ke import pin
from stdnum.util import clean, isdigits

_FEWEST_DIGITS: Final = 4
_AS_PHONE: Final = re.compile(r"[0-9+() ./-]+")


class WrongNumber(ValueError):
    """The text is no phone number, or no tax number of its region. The message never repeats it."""


def phone_number(text: str, region: str) -> str:
    """A phone number as E.164 ("+254712345678"); without a country code it is read as the region dials it."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as fault:
        raise WrongNumber("This is not a phone number") from fault
    if not phonenumbers.is_valid_number(number):
        raise WrongNumber("No such phone number exists")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def tax_number(text: str, region: str) -> str:
    """A tax number in its plain form: a KRA PIN, a GSTIN or a VAT number with its check digits, a TIN of nine digits.

    In KE, IN, GB, and in TZ and RW; elsewhere as written.
    """
    validate = _TAX_NUMBERS.get(region)
    if validate is None:
        return text.strip()
    try:
        return validate(text.upper())
    except ValidationError as fault:
        raise WrongNumber(f"This is not a valid {_TAX_NAMES[region]}") from fault


def place_of_supply(number: str | None, region: str) -> str | None:
    """The subdivision that a tax number names: the state code a GSTIN begins with."""
    return number[:2] if number and region == "IN" else None


def search_text(name: str, phone: str | None, email: str | None, number: str | None) -> str:
    """What a customer is found by: name, e-mail, tax number, and the phone's digits as dialled abroad and at home."""
    parts = [name, email or "", number or ""]
    if phone:
        parsed = phonenumbers.parse(phone)
        at_home = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        parts += [_digits(phone), _digits(at_home)]
    return " ".join(_folded(part) for part in parts if part)


def search_terms(said: str) -> list[str]:
    """The parts that must all be found: one run of digits when it reads as a phone number, otherwise its words."""
    digits = _digits(said)
    if _AS_PHONE.fullmatch(said.strip()) and len(digits) >= _FEWEST_DIGITS:
        return [digits]
    return _folded(said).split()


def _folded(text: str) -> str:
    """The text without case, and each letter in one form however it was typed."""
    return unicodedata.normalize("NFKC", text).casefold()


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _nine_digits(text: str) -> str:
    """A TIN of Tanzania or Rwanda. Source: TRA VFD specification; EY, Worldwide VAT guide."""
    number = clean(text, " -.")
    if not isdigits(number):
        raise InvalidFormat
    if len(number) != _TIN_DIGITS:
        raise InvalidLength
    return number


_TIN_DIGITS: Final = 9
_TAX_NUMBERS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"KE": pin.validate, "IN": gstin.validate, "GB": vat.validate, "TZ": _nine_digits, "RW": _nine_digits}
)
_TAX_NAMES: Final = MappingProxyType({"KE": "KRA PIN", "IN": "GSTIN", "GB": "VAT number", "TZ": "TIN", "RW": "TIN"})
