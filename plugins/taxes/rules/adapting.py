"""What circumstances make of a treatment: who sells, who buys, and where.

- A business that is not registered on the day shows no tax; nor does one under the composition scheme.
- G1 (India) the place of supply is the state of the buyer's tax number, else of their address, else the shop's.
  Between states, and to a special economic zone, one tax takes the place of the pair of halves. Within a union
  territory without a legislature the half of the territory bears its own name.
- A certificate that is valid on the day relieves the lines of the classes it covers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from msgspec.structs import replace

from plugins.taxes.schemas.circumstances import Buyer, Certificate, CustomerTax, Document, Registration, Scheme, Terms
from plugins.taxes.schemas.packs import NamedThere
from plugins.taxes.schemas.values import TaxComponent, Treatment

TAXED: Final = frozenset({"standard", "reduced"})
"""Categories of goods that bear tax."""

DOCUMENTS: Final[Mapping[Scheme, Document]] = {
    "registered": "tax_invoice",
    "unregistered": "receipt",
    "composition": "bill_of_supply",
}
"""Scheme → what the paper is called. Source for India: CGST Act, section 31(3)(c)."""


def scheme_on(registrations: Sequence[Registration], day: date) -> Scheme:
    """What the business is to the tax office on a day; before the first entry it is not registered."""
    if not registrations:
        return "registered"
    begun = [one.scheme for one in registrations if one.since <= day]
    return begun[-1] if begun else "unregistered"


def certificate_on(certificates: Iterable[Certificate], day: date, class_code: str) -> Certificate | None:
    """The first certificate that is valid on the day and covers a class."""
    for one in certificates:
        begun = one.valid_from is None or one.valid_from <= day
        if begun and day <= one.valid_until and (not one.classes or class_code in one.classes):
            return one
    return None


def place_of_supply(buyer: Buyer, shop: str | None, number_names_place: bool) -> str | None:
    """The subdivision where a supply is made (G1)."""
    if buyer.tax_number and number_names_place:
        return buyer.tax_number[:2]
    return buyer.subdivision or shop


def crosses_border(place: str | None, shop: str | None, sez: bool) -> bool:
    """Whether a supply is made between subdivisions; what nobody has said counts as the shop's own."""
    return sez or (place is not None and shop is not None and place != shop)


def between(components: Sequence[TaxComponent], joint: Mapping[str, Sequence[str]]) -> tuple[TaxComponent, ...]:
    """The taxes of a supply between subdivisions: where those of a joint tax all stand, it takes their place.

    joint: IGST → CGST, SGST. The joint tax bears their rates together, and stands where the first of them stood.
    """
    found = list(components)
    for code, parts in joint.items():
        own = [one for one in found if one.code in parts]
        if len(own) != len(parts):
            continue
        whole = replace(own[0], code=code, rate=sum(one.rate for one in own), twin=None)
        place = found.index(own[0])
        found = [one for one in found if one not in own]
        found.insert(place, whole)
    return tuple(found)


def as_named_in(
    subdivision: str | None, components: Sequence[TaxComponent], named: Mapping[str, NamedThere]
) -> tuple[TaxComponent, ...]:
    """The taxes of a supply within a subdivision, by the names they have there: UTGST where there is no SGST."""
    names = {one.instead_of: code for code, one in named.items() if subdivision in one.subdivisions}
    return tuple(
        replace(one, code=names.get(one.code, one.code), twin=names.get(one.twin, one.twin) if one.twin else None)
        for one in components
    )


def untaxed(treatment: Treatment, scheme: Scheme) -> Treatment:
    """A line of a business that charges no tax: outside its scope, unless it is under the composition scheme."""
    category = treatment.category if scheme == "composition" else "out_of_scope"
    return replace(treatment, category=category, components=(), codes={})


def relieved(treatment: Treatment, certificate: Certificate, codes: Mapping[str, Mapping[str, str]]) -> Treatment:
    """A line of a customer with a certificate. codes: category → the authorities' words for it."""
    return replace(
        treatment,
        category=certificate.treatment,
        components=(),
        codes=codes.get(certificate.treatment, {}),
    )


def buyer_in(terms: Terms) -> Buyer:
    """The buyer of a document, as its circumstances tell of them."""
    kept = () if terms.certificate is None else (terms.certificate,)
    return Buyer(terms.buyer_tax_number, terms.place_of_supply, CustomerTax(terms.sez, kept))


def used(terms: Terms, certificate: Certificate | None) -> Terms:
    """The circumstances with the certificate that relieved a line; the first one stands."""
    return replace(terms, certificate=terms.certificate or certificate)
