"""How a document names its seller."""

from __future__ import annotations

from kernel.tax_numbers import WrongTaxNumber, number_of, tax_number
from plugins.taxes.schemas.circumstances import Scheme, Seller, Settings
from plugins.taxes.schemas.packs import SellerRules


def seller_of(said: Settings, otherwise: str | None, region: str, scheme: Scheme, rules: SellerRules) -> Seller:
    """The seller as documents of a day name them. otherwise: the business's number where the settings say none.

    Who is not registered shows no number where numbers are of the registered alone.
    """
    number = said.tax_number or otherwise
    is_hidden = rules.only_registered and scheme == "unregistered"
    return Seller(
        None if is_hidden or not number else _plain(number, region),
        number_of(region).name,
        said.legal_name or None,
        said.address or None,
    )


def _plain(number: str, region: str) -> str:
    """A number in its plain form; one that was noted before numbers were checked stays as it was written."""
    try:
        return tax_number(number, region)
    except WrongTaxNumber:
        return number.strip()
