"""What changes how lines are taxed beside their class: the business's registration, its customer, where they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.tax_numbers import WrongTaxNumber, tax_number
from kernel.wire import Line, needs, set_at
from plugins.taxes.schemas.values import TaxPolicy, Treatment

Scheme = Literal["registered", "unregistered", "composition"]
"""What a business is to the tax office. Only the registered charge tax; composition (India) pays it out of its own."""

Document = Literal["tax_invoice", "bill_of_supply", "receipt"]
"""What the paper is called: a receipt shows no tax because the trader is not registered."""

Relief = Literal["zero", "exempt", "out_of_scope"]
"""What a certificate makes of lines that would be taxed."""

CertificateNumber = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"\A[A-Za-z0-9][A-Za-z0-9 ./-]*\Z", examples=["KRA/EX/2026/118"])
]
ClassCodes = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=100)]


class Registration(Struct, frozen=True, forbid_unknown_fields=True):
    """From a day on, until the next entry, the business is this to the tax office."""

    since: Annotated[dt.date, Meta(examples=["2026-07-01"])]
    scheme: Annotated[Scheme, Meta(examples=["registered"])]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a business is to the tax office, since when, and how its documents name it.

    Without an entry it has always been registered. Before the first entry it was not; entries stand in the order of
    their days, no day twice (ValueError otherwise). At a location the tax number, the legal name and the address may be
    others.
    """

    registrations: Annotated[
        tuple[Registration, ...],
        Meta(
            max_length=50,
            title="Registrations for tax",
            description="A sale is taxed by what the business is on that day.",
        ),
    ] = ()
    tax_number: Annotated[
        Line | None,
        Meta(
            title="Tax number",
            description="It stands on every receipt from the next sale on; those of before keep theirs.",
            examples=["P051365947M"],
        ),
        set_at("business", "location"),
    ] = None
    legal_name: Annotated[
        Line | None,
        Meta(
            title="Legal name",
            description="Where it is another than the name over the door.",
            examples=["Njeri Retail Ltd"],
        ),
        set_at("business", "location"),
    ] = None
    address: Annotated[
        Line | None,
        Meta(
            title="Address on receipts",
            description="In one line, parted by commas.",
            examples=["Moi Avenue 12, Nairobi"],
        ),
        set_at("business", "location"),
    ] = None

    def __post_init__(self) -> None:
        days = [one.since for one in self.registrations]
        if sorted(set(days)) != days:
            raise ValueError("registrations stand in the order of their days, and no day twice")

    def misfits(self, region: str) -> Mapping[str, str]:
        """A tax number that cannot exist in the region."""
        if not self.tax_number:
            return {}
        try:
            tax_number(self.tax_number, region)
        except WrongTaxNumber as fault:
            return {"tax_number": str(fault)}
        return {}


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a customer is not taxed: a certificate of the tax office, valid on both its days.

    classes: codes of the tax classes it covers; none: all that are taxed. An end before the beginning is a ValueError.
    """

    number: CertificateNumber
    valid_until: Annotated[dt.date, Meta(examples=["2027-06-30"])]
    valid_from: dt.date | None = None
    treatment: Relief = "exempt"
    classes: ClassCodes = ()

    def __post_init__(self) -> None:
        if self.valid_from is not None and self.valid_until < self.valid_from:
            raise ValueError("the certificate ends before it begins")


class CustomerTax(Struct, frozen=True, forbid_unknown_fields=True):
    """In a customer's `ext.taxes`: what relieves them of tax. `sez`: in a special economic zone (India)."""

    sez: Annotated[bool, needs("taxes.exempt")] = False
    certificates: Annotated[tuple[Certificate, ...], Meta(max_length=20), needs("taxes.exempt")] = ()


EXTENSIONS: Final[Mapping[str, type[Struct]]] = {"customers.customer": CustomerTax}


class Buyer(Struct, frozen=True):
    """The customer of a document as tax sees them; `own` is their `ext.taxes`."""

    tax_number: str | None = None
    subdivision: str | None = None
    own: CustomerTax = CustomerTax()


class Seller(Struct, frozen=True):
    """Who sells, as a document names them beside the shop's own name. number_name: what the region calls the number."""

    tax_number: Annotated[str | None, Meta(examples=["P051365947M"])] = None
    number_name: Annotated[str, Meta(examples=["KRA PIN"])] = "Tax number"
    legal_name: Annotated[str | None, Meta(examples=["Njeri Retail Ltd"])] = None
    address: Annotated[str | None, Meta(examples=["Moi Avenue 12, Nairobi"])] = None


class Terms(Struct, frozen=True):
    """In which circumstances a document was taxed; kept with it. seller: None where that was not kept yet.

    place_of_supply, inter_state: where the region taxes by place. certificate: the one that relieved lines of it.
    """

    scheme: Annotated[Scheme, Meta(examples=["registered"])] = "registered"
    document: Annotated[Document, Meta(examples=["tax_invoice"])] = "tax_invoice"
    place_of_supply: Annotated[str | None, Meta(examples=["08"])] = None
    inter_state: bool = False
    sez: bool = False
    buyer_tax_number: Annotated[str | None, Meta(examples=["P051365947M"])] = None
    certificate: Certificate | None = None
    seller: Seller | None = None


class Taxing(Struct, frozen=True):
    """How the lines of one document are taxed: class → treatment, the policy of all, and the circumstances."""

    treatments: Mapping[UUID | None, Treatment]
    policy: TaxPolicy
    terms: Terms
