"""What changes how lines are taxed beside their class: the business's registration, its customer, where they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.wire import needs
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
    """What a business is to the tax office, and since when.

    Without an entry it has always been registered. Before the first entry it was not; entries stand in the order of
    their days, no day twice (ValueError otherwise).
    """

    registrations: Annotated[tuple[Registration, ...], Meta(max_length=50, title="Registrations for tax")] = ()

    def __post_init__(self) -> None:
        days = [one.since for one in self.registrations]
        if sorted(set(days)) != days:
            raise ValueError("registrations stand in the order of their days, and no day twice")


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


class Terms(Struct, frozen=True):
    """In which circumstances a document was taxed; kept with it.

    place_of_supply, inter_state: where the region taxes by place. certificate: the one that relieved lines of it.
    """

    scheme: Annotated[Scheme, Meta(examples=["registered"])] = "registered"
    document: Annotated[Document, Meta(examples=["tax_invoice"])] = "tax_invoice"
    place_of_supply: Annotated[str | None, Meta(examples=["08"])] = None
    inter_state: bool = False
    sez: bool = False
    buyer_tax_number: Annotated[str | None, Meta(examples=["P051365947M"])] = None
    certificate: Certificate | None = None


class Taxing(Struct, frozen=True):
    """How the lines of one document are taxed: class → treatment, the policy of all, and the circumstances."""

    treatments: Mapping[UUID | None, Treatment]
    policy: TaxPolicy
    terms: Terms
