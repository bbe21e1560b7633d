"""Phone numbers as they are kept, what a tax number tells, and the words by which a customer is found."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import phonenumbers

_FEWEST_DIGITS: Final = 4
_AS_PHONE: Final = re.compile(r"[0-9+() ./-]+")


class WrongNumber(ValueError):
    """The text is no phone number. The message never repeats it."""


def phone_number(text: str, region: str) -> str:
    """A phone number as E.164 ("+254712345678"); without a country code it is read as the region dials it."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as fault:
        raise WrongNumber("This is not a phone number") from fault
    if not phonenumbers.is_valid_number(number):
        raise WrongNumber("No such phone number exists")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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
