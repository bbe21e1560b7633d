"""Pages of tax classes: one is added with its rate, another rate comes from a day on."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from plugins.console.testing import Browser

CLASSES = "/taxes/classes"


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_a_class_is_added_and_gets_another_rate_by_its_pages(box: Box) -> None:
    owner = Browser(box)
    form = (await owner.get(CLASSES)).form(CLASSES)
    said = {"name": "Fuel", "category": "reduced", "rates.0.rate": "8", "rates.0.valid_from": "2020-01-01"}
    made = await owner.submit(form, said)
    assert "Fuel" in made.text
    here = made.answer.url.path.removeprefix("/console")
    late = {"rates.0.rate": "9", "rates.0.valid_from": "2019-01-01"}
    add = next(one for one in made.forms if one.to == here and "rates.0.rate" in dict(one.fields))
    assert (await owner.script(add, late))["problem"]["code"] == "tax-history"
    fresh = await owner.get(here)
    add = next(one for one in fresh.forms if one.to == here and "rates.0.rate" in dict(one.fields))
    more = await owner.submit(add, {"rates.0.rate": "12", "rates.0.valid_from": "2030-01-01"})
    assert "31 Dec 2029" in more.text, "the one before it ends the day before"
    till = Browser(box, "cashier")
    assert all(one.action != "/console/do" for one in (await till.get(here)).forms), "a cashier only looks"
