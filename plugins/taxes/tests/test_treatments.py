"""How lines are treated on a day: what sales asks of taxes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

import pytest
import sqlalchemy as sa

from kernel.db import Prepared, new_id
from kernel.db.prepared import Rows
from kernel.money import MICRO
from kernel.testing.box import Box
from kernel.work import Work
from plugins.taxes.api import Buyer, Treatment, classes_by_code, known_classes, policy_of, taxing, treatments
from plugins.taxes.errors import NoRate, UnknownTaxClass
from plugins.taxes.models import TaxClass
from plugins.taxes.services.packs import load_pack, pack_of, usual_components
from plugins.taxes.testing import a_tax_class, tax_class

TODAY = dt.date(2026, 11, 21)
Key = uuid.UUID | None


async def treated(box: Box, ids: Iterable[Key], on: dt.date = TODAY, shop: str = "mama-njeri") -> dict[Key, Treatment]:
    return await box.look(lambda work: treatments(work, ids, on), shop=shop)


def rate_of(treatment: Treatment) -> int:
    return sum(part.rate for part in treatment.components) // MICRO


async def test_a_product_without_a_class_is_taxed_by_the_default(box: Box) -> None:
    standard = await tax_class(box, "standard")
    found = await treated(box, [None, standard])
    assert found[None] == found[standard]
    assert (found[None].class_id, found[None].name, rate_of(found[None])) == (standard, "Standard rate", 16)


async def test_the_rate_is_that_of_the_day(box: Box) -> None:
    days = [dt.date(2020, 3, 31), dt.date(2020, 4, 1), dt.date(2020, 12, 31), dt.date(2021, 1, 1)]
    assert [rate_of((await treated(box, [None], day))[None]) for day in days] == [16, 14, 14, 16]


async def test_indian_halves_are_twins(box: Box) -> None:
    five = await tax_class(box, "gst-5", shop="sharma-kirana")
    (treatment,) = (await treated(box, [five], shop="sharma-kirana")).values()
    assert [(part.code, part.rate, part.twin) for part in treatment.components] == [
        ("CGST", 2_500_000, "SGST"),
        ("SGST", 2_500_000, "CGST"),
    ]


async def test_without_a_default_nothing_is_taxed(box: Box) -> None:
    async def clear(work: Work) -> None:
        await work.execute(sa.update(TaxClass).where(TaxClass.business_id == work.business_id).values(is_default=False))

    await box.act(clear)
    assert await treated(box, [None]) == {None: Treatment(None, "No tax", "out_of_scope", ())}


async def test_untaxed_classes_have_no_components_before_their_first_rate(box: Box) -> None:
    exempt = await tax_class(box, "exempt")
    (treatment,) = (await treated(box, [exempt], dt.date(2000, 1, 1))).values()
    assert (treatment.category, treatment.components) == ("exempt", ())


async def test_a_taxed_class_without_a_rate_on_the_day_is_named(box: Box) -> None:
    with pytest.raises(NoRate, match="Standard rate has no rate in KE on 2000-01-01"):
        await treated(box, [None], dt.date(2000, 1, 1))
    zero = await tax_class(box, "zero")
    assert len(await treated(box, [zero], dt.date(2000, 1, 1))) == 1, "a default that nobody asked for is no matter"


async def test_classes_of_another_business_are_unknown(box: Box) -> None:
    foreign = await tax_class(box, "gst-5", shop="sharma-kirana")
    with pytest.raises(UnknownTaxClass):
        await treated(box, [foreign])
    own = await tax_class(box, "zero")
    assert await box.look(lambda work: known_classes(work, [own, foreign, new_id()])) == {own}
    assert await box.look(lambda work: known_classes(work, [])) == frozenset()


async def test_any_number_of_classes_takes_one_query(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Prepared] = []
    plain = Work.fetch

    async def counting(work: Work, statement: Prepared, /, **parameters: object) -> Rows:
        asked.append(statement)
        return await plain(work, statement, **parameters)

    monkeypatch.setattr(Work, "fetch", counting)
    ids = list((await box.look(classes_by_code)).values())
    assert len(await treated(box, [None, *ids, *ids])) == 6
    assert len(asked) == 1


async def test_a_class_added_inside_a_deed_is_at_hand_there(box: Box) -> None:
    async def add_and_ask(work: Work) -> Treatment:
        made = await a_tax_class(work, "8")
        return (await treatments(work, [made], TODAY))[made]

    treatment = await box.act(add_and_ask)
    assert (treatment.name, treatment.category, rate_of(treatment)) == ("Reduced", "reduced", 8)
    eighteen = await a_tax_class(box, "18", "Services", category="standard", is_default=True, shop="sharma-kirana")
    default = (await treated(box, [None], shop="sharma-kirana"))[None]
    assert (default.class_id, len(default.components)) == (eighteen, 2)


async def test_a_sale_within_chandigarh_bears_utgst_and_one_from_there_igst(box: Box) -> None:
    async def codes(work: Work, buyer: str | None) -> list[str]:
        taxed = await taxing(work, [None], TODAY, Buyer(None, buyer), "04")
        return [one.code for one in taxed.treatments[None].components]

    for buyer, expected in ((None, ["CGST", "UTGST"]), ("04", ["CGST", "UTGST"]), ("08", ["IGST"])):
        assert await box.look(lambda work, buyer=buyer: codes(work, buyer), shop="sharma-kirana") == expected  # type: ignore[misc]


async def test_the_policy_is_the_regions(box: Box) -> None:
    async def policy(work: Work) -> tuple[bool, str, int]:
        said = policy_of(work)
        return said.prices_include_tax, said.rounding, said.exponent

    assert await box.look(policy) == (True, "line", 2)


@pytest.mark.parametrize(
    ("region", "pack", "taxes"),
    [("KE", "KE", ["VAT"]), ("IN", "IN", ["CGST", "SGST"]), ("US", "US", ["SALES"]), ("BR", "generic", ["TAX"]),
     ("../../x", "generic", ["TAX"])],
)  # fmt: skip
def test_a_region_without_a_pack_gets_the_neutral_one(region: str, pack: str, taxes: list[str]) -> None:
    assert pack_of(region).region == pack
    assert [part.code for part in usual_components(region)] == taxes
    assert pack_of(region) is pack_of(region), "read once"


async def test_loading_again_adds_nothing(box: Box) -> None:
    before = await box.look(classes_by_code)
    await box.act(load_pack)
    assert await box.look(classes_by_code) == before
