"""Numbers by which tax offices know whom they tax: what they are called in a region, and which of them can exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from stdnum.exceptions import InvalidFormat, InvalidLength, ValidationError
from stdnum.gb import vat
from stdnum.in_ import gstin
from stdnum.ke import pin
from stdnum.util import clean, isdigits

__all__ = ["TaxNumber", "WrongTaxNumber", "number_of", "tax_number"]

_TIN_DIGITS: Final = 9


class WrongTaxNumber(ValueError):
    """The text is no tax number of its region. The message never repeats it."""


class TaxNumber(NamedTuple):
    """A region's tax number: its name for people, one that could exist, and what brings one to its plain form.

    plain: raises stdnum's ValidationError for one that cannot exist.
    """

    name: str
    example: str
    plain: Callable[[str], str]


def number_of(region: str) -> TaxNumber:
    """The tax number of a region; where nothing is known of it, any text is one."""
    return _NUMBERS.get(region, _ANY)


def tax_number(text: str, region: str) -> str:
    """A tax number in its plain form: a KRA PIN, a GSTIN or a VAT number with its check digits, a TIN of nine digits.

    In KE, IN, GB, and in TZ and RW; elsewhere as written. Raises WrongTaxNumber.
    """
    known = number_of(region)
    try:
        return known.plain(text)
    except ValidationError as fault:
        said = f"This is not a valid {known.name}"
        raise WrongTaxNumber(f"{said}; one looks like {known.example}" if known.example else said) from fault


def _nine_digits(text: str) -> str:
    """A TIN of Tanzania or Rwanda. Source: TRA VFD specification; EY, Worldwide VAT guide."""
    number = clean(text, " -.")
    if not isdigits(number):
        raise InvalidFormat
    if len(number) != _TIN_DIGITS:
        raise InvalidLength
    return number


_ANY: Final = TaxNumber("Tax number", "", str.strip)
_NUMBERS: Final[Mapping[str, TaxNumber]] = MappingProxyType(
    {
        "KE": TaxNumber("KRA PIN", "P051365947M", lambda text: pin.validate(text.upper())),
        "IN": TaxNumber("GSTIN", "27AAPFU0939F1ZV", lambda text: gstin.validate(text.upper())),
        "GB": TaxNumber("VAT number", "980780684", lambda text: vat.validate(text.upper())),
        "TZ": TaxNumber("TIN", "123456789", _nine_digits),
        "RW": TaxNumber("TIN", "123456789", _nine_digits),
        "UG": TaxNumber("TIN", "", str.strip),
    }
)
