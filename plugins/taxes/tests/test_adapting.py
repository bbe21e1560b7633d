"""What circumstances make of a treatment: registration, certificates, place of supply. Pure."""

from __future__ import annotations

from datetime import date

import pytest

from kernel.money import parse_micro
from plugins.taxes.rules import adapting
from plugins.taxes.schemas.circumstances import Buyer, Certificate, CustomerTax, Registration, Scheme, Settings, Terms
from plugins.taxes.schemas.values import TaxComponent, Treatment
from plugins.taxes.services.packs import pack_of

CGST = TaxComponent("CGST", parse_micro("14"), twin="SGST")
SGST = TaxComponent("SGST", parse_micro("14"), twin="CGST")
CESS = TaxComponent("CESS", parse_micro("12"))
GST = Treatment(None, "GST 28 %", "standard", (CGST, SGST, CESS), {"etims": "B"}, "gst-28")
JOINT = {"IGST": ("CGST", "SGST")}


@pytest.mark.parametrize(
    ("day", "scheme"),
    [
        ("2026-06-30", "unregistered"),
        ("2026-07-01", "registered"),
        ("2028-12-31", "registered"),
        ("2029-01-01", "composition"),
    ],
)
def test_a_business_is_registered_from_its_day_on(day: str, scheme: Scheme) -> None:
    said = Settings((Registration(date(2026, 7, 1), "registered"), Registration(date(2029, 1, 1), "composition")))
    assert adapting.scheme_on(said.registrations, date.fromisoformat(day)) == scheme


def test_a_business_that_says_nothing_has_always_been_registered() -> None:
    assert adapting.scheme_on((), date(1990, 1, 1)) == "registered"


def test_registrations_out_of_order_or_twice_on_a_day_are_refused() -> None:
    one, two = Registration(date(2026, 7, 1), "registered"), Registration(date(2026, 1, 1), "unregistered")
    for said in ((one, two), (one, one)):
        with pytest.raises(ValueError, match="order of their days"):
            Settings(said)


def test_who_is_not_registered_charges_no_tax_and_composition_keeps_the_category() -> None:
    assert adapting.untaxed(GST, "unregistered").category == "out_of_scope"
    for scheme in ("unregistered", "composition"):
        plain = adapting.untaxed(GST, scheme)
        assert (plain.components, plain.codes, plain.name) == ((), {}, "GST 28 %")
    assert adapting.untaxed(GST, "composition").category == "standard"
    assert adapting.DOCUMENTS["composition"] == "bill_of_supply"


@pytest.mark.parametrize(
    ("number", "address", "place", "crosses"),
    [
        (None, None, "08", False),
        (None, "08", "08", False),
        (None, "27", "27", True),
        ("27AAPFU0939F1ZV", "08", "27", True),
        ("08AAPFU0939F1ZL", "27", "08", False),
    ],
)
def test_the_place_of_supply_is_the_buyers_number_else_their_address_else_the_shop(
    number: str | None, address: str | None, place: str, crosses: bool
) -> None:
    found = adapting.place_of_supply(Buyer(number, address), "08", number_names_place=True)
    assert (found, adapting.crosses_border(found, "08", sez=False)) == (place, crosses)
    assert adapting.crosses_border(found, "08", sez=True), "a special economic zone is never within the state"


def test_between_states_one_tax_takes_the_place_of_both_halves_and_a_cess_stays() -> None:
    assert adapting.between(GST.components, JOINT) == (TaxComponent("IGST", parse_micro("28")), CESS)
    assert adapting.between((CESS,), JOINT) == (CESS,)


@pytest.mark.parametrize(
    ("state", "name"), [("08", "SGST"), ("04", "UTGST"), ("38", "UTGST"), ("07", "SGST"), (None, "SGST")]
)
def test_within_a_union_territory_without_a_legislature_its_half_bears_its_own_name(
    state: str | None, name: str
) -> None:
    found = adapting.as_named_in(state, GST.components, pack_of("IN").named_there)
    assert [(one.code, one.twin, one.rate) for one in found] == [
        ("CGST", name, CGST.rate),
        (name, "CGST", SGST.rate),
        ("CESS", None, CESS.rate),
    ]
    assert Treatment(None, "GST", "standard", found).components == found, "still a pair"


@pytest.mark.parametrize(
    ("day", "code", "covers"),
    [
        ("2025-12-31", "gst-28", False),
        ("2026-01-01", "gst-28", True),
        ("2026-12-31", "gst-28", True),
        ("2027-01-01", "gst-28", False),
        ("2026-06-01", "gst-5", False),
    ],
)
def test_a_certificate_covers_its_classes_on_both_its_days_and_between(day: str, code: str, covers: bool) -> None:
    kept = Certificate("EX/1", date(2026, 12, 31), date(2026, 1, 1), "zero", ("gst-28",))
    found = adapting.certificate_on([kept], date.fromisoformat(day), code)
    assert (found is kept) == covers


def test_a_relieved_line_bears_nothing_and_is_named_as_the_region_names_it() -> None:
    kept = Certificate("EX/1", date(2026, 12, 31))
    line = adapting.relieved(GST, kept, {"exempt": {"etims": "A"}})
    assert (line.category, line.components, line.codes) == ("exempt", (), {"etims": "A"})


def test_a_certificate_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before"):
        Certificate("EX/1", date(2026, 1, 1), date(2026, 12, 31))


def test_the_buyer_is_found_again_in_the_circumstances() -> None:
    kept = Certificate("EX/1", date(2026, 12, 31))
    terms = Terms("registered", "tax_invoice", "27", True, True, "27AAPFU0939F1ZV", kept)
    assert adapting.buyer_in(terms) == Buyer("27AAPFU0939F1ZV", "27", CustomerTax(True, (kept,)))
