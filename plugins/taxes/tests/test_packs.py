"""The region packs: well formed, lawful, and with the rates that were in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from kernel.money import format_micro, parse_micro
from plugins.taxes.rules import rate_on
from plugins.taxes.schemas.packs import RegionPack
from plugins.taxes.schemas.values import TaxComponent, Treatment

DATA = Path(__file__).parents[1] / "data"
REGIONS = ["GB", "IN", "KE", "RW", "TZ", "UG", "US", "generic"]


def pack(region: str) -> RegionPack:
    return msgspec.json.decode((DATA / f"{region}.json").read_bytes(), type=RegionPack)


def rates_of(region: str, code: str, *days: str) -> list[str]:
    """The sum of a class's percentages on each of these days, or "-" where the class has no rate."""
    (chosen,) = [each for each in pack(region).classes if each.code == code]
    found = [rate_on(chosen.rates, date.fromisoformat(day)) for day in days]
    return ["-" if rate is None else percent([each.rate for each in rate.components]) for rate in found]


def percent(rates: Sequence[str]) -> str:
    return format_micro(sum(parse_micro(rate) for rate in rates))


def test_every_pack_is_listed_here() -> None:
    assert sorted(path.stem for path in DATA.glob("*.json")) == REGIONS


@pytest.mark.parametrize("region", REGIONS)
def test_a_pack_is_well_formed_and_makes_lawful_treatments(region: str) -> None:
    read = pack(region)
    assert read.region == region
    assert read.sources
    assert read.confirm, "a local accountant has something to confirm everywhere"
    for each in read.classes:
        for rate in each.rates:
            components = [TaxComponent(part.code, parse_micro(part.rate), twin=part.twin) for part in rate.components]
            Treatment(None, each.name, each.category, tuple(components))


@pytest.mark.parametrize("region", REGIONS)
def test_a_classs_rates_follow_each_other_without_gap_or_overlap_up_to_today(region: str) -> None:
    for each in pack(region).classes:
        for earlier, later in zip(each.rates, each.rates[1:], strict=False):
            assert earlier.valid_to == later.valid_from - timedelta(days=1)
        assert each.rates[-1].valid_to is None


def test_kenyan_standard_rate_dipped_in_2020() -> None:
    days = ["2013-09-02", "2020-03-31", "2020-04-01", "2020-12-31", "2021-01-01", "2026-11-21"]
    assert rates_of("KE", "standard", *days) == ["16", "16", "14", "14", "16", "16"]


def test_kenyan_petroleum_moved_from_8_to_16_percent_and_from_letter_e_to_b() -> None:
    days = ["2018-09-20", "2018-09-21", "2023-06-30", "2023-07-01"]
    assert rates_of("KE", "petroleum", *days) == ["-", "8", "8", "16"]
    (petroleum,) = [each for each in pack("KE").classes if each.code == "petroleum"]
    assert [rate.codes["etims"] for rate in petroleum.rates] == ["E", "B"]


def test_every_kenyan_letter_has_a_class() -> None:
    letters = {rate.codes["etims"] for each in pack("KE").classes for rate in each.rates}
    assert letters == set("ABCDE")


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [("gst-5", "5", "5"), ("gst-12", "12", "5"), ("gst-18", "18", "18"), ("gst-28", "28", "18"),
     ("gst-40", "28", "40"), ("gst-3", "3", "3"), ("gst-1.5", "1.5", "1.5"), ("gst-0.25", "0.25", "0.25"),
     ("tobacco", "28", "28"), ("nil", "0", "0")],
)  # fmt: skip
def test_indian_classes_carry_their_rate_over_22_september_2025(code: str, before: str, after: str) -> None:
    assert rates_of("IN", code, "2025-09-21", "2025-09-22") == [before, after]


def test_indian_tobacco_went_to_40_percent_in_february_2026() -> None:
    assert rates_of("IN", "tobacco", "2026-01-31", "2026-02-01") == ["28", "40"]


def test_every_indian_percentage_is_a_pair_of_equal_halves() -> None:
    for each in pack("IN").classes:
        for rate in each.rates:
            assert [part.code for part in rate.components] in (["CGST", "SGST"], [])
            assert len({part.rate for part in rate.components}) <= 1


def test_british_standard_rate_through_the_crisis() -> None:
    days = ["2008-11-30", "2008-12-01", "2009-12-31", "2010-01-01", "2011-01-03", "2011-01-04"]
    assert rates_of("GB", "standard", *days) == ["17.5", "15", "15", "17.5", "17.5", "20"]


@pytest.mark.parametrize(
    ("region", "day", "rate"),
    [("TZ", "2015-07-01", "18"), ("UG", "2005-07-01", "18"), ("RW", "2023-09-13", "18"), ("RW", "2026-11-21", "18")],
)
def test_east_african_neighbours_levy_18_percent(region: str, day: str, rate: str) -> None:
    assert rates_of(region, "standard", day) == [rate]
    assert {each.category for each in pack(region).classes} == {"standard", "zero", "exempt", "out_of_scope"}


def test_every_figure_says_how_sure_it_is() -> None:
    for region in REGIONS:
        raw = msgspec.json.decode((DATA / f"{region}.json").read_bytes())
        for each in raw["classes"]:
            assert all(rate["confidence"] in ("read", "general") for rate in each["rates"]), (region, each["code"])


def test_what_an_accountant_must_confirm_stands_on_the_page() -> None:
    page = (DATA.parent / "docs" / "to-confirm.md").read_text(encoding="utf-8")
    for region in REGIONS:
        for one in pack(region).confirm:
            assert f"- {one.matter}. {one.why}." in page, (region, one.matter)


def test_only_in_india_the_printed_price_binds_and_the_place_decides() -> None:
    assert [region for region in REGIONS if pack(region).mrp_binds] == ["IN"]
    assert [region for region in REGIONS if pack(region).by_place] == ["IN"]
    assert pack("IN").joint == {"IGST": ("CGST", "SGST")}


def test_only_american_prices_are_without_tax() -> None:
    assert [region for region in REGIONS if not pack(region).prices_include_tax] == ["US"]


@pytest.mark.parametrize(
    ("rates", "fault"),
    [
        ([("2020-01-01", "2020-12-31"), ("2020-12-31", None)], "overlap"),
        ([("2020-01-01", None), ("2021-01-01", None)], "overlap"),
        ([("2021-01-01", "2021-12-31"), ("2020-01-01", "2020-12-31")], "overlap"),
        ([("2021-01-01", "2020-12-31")], "ends before"),
        ([], "no rate"),
    ],
)
def test_a_pack_with_crossing_dates_is_refused(rates: list[tuple[str, str | None]], fault: str) -> None:
    dated: list[dict[str, object]] = [{"valid_from": start, "valid_to": end, "components": []} for start, end in rates]
    raw: dict[str, object] = {
        "region": "XX", "name": "Nowhere", "prices_include_tax": True, "rounding": "line", "sources": ["none"],
        "classes": [{"code": "standard", "name": "Standard", "category": "standard", "rates": dated}],
    }  # fmt: skip
    with pytest.raises(msgspec.ValidationError, match=fault):
        msgspec.json.decode(msgspec.json.encode(raw), type=RegionPack)
