"""Pages of settings: which level is looked at, where each value comes from, leaving it to the level above."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.console.services.settings import parted, told
from plugins.console.testing import Browser, Form

LINKS = "/settings/payment_links"


def origin(**said: Any) -> dict[str, Any]:
    return {
        **{"source": "default", "is_own": False, "may_change": True, "is_locked": False},
        **{"above": None, "above_source": "default", "levels": ["business"], **said},
    }


def test_fields_are_those_to_fill_in_those_that_are_fixed_and_those_of_another_level() -> None:
    every = ["deployment", "business", "location"]
    yes: dict[str, Any] = {"kind": "yes", "value": True, "options": [], "required": False}
    fields = [{**yes, "at": f"values.{name}"} for name in ("alone", "levelled", "locked", "business")]
    origins = {
        "alone": origin(),
        "levelled": origin(levels=every, above=False),
        "locked": origin(levels=every, is_locked=True, may_change=False, source="deployment"),
        "business": origin(may_change=False),
    }
    found = parted({"fields": origins, "values": {"locked": True}}, fields)
    assert {part: [one["key"] for one in said] for part, said in found.items()} == {
        **{"open": ["alone", "levelled"], "fixed": ["locked"], "elsewhere": ["business"]},
    }
    levelled = found["open"][1]
    assert (levelled["kind"], levelled["value"], levelled["above"]) == ("choice", "true", "No"), "no is an answer too"
    assert found["fixed"][0]["now"] == "Yes"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ({"kind": "choice", "options": [("ask_by_hand", "Ask by hand")]}, "ask_by_hand", "Ask by hand"),
        ({"kind": "group"}, {"step": "5", "mode": None}, "5"),
        ({"kind": "rows"}, [{"method": "cash", "step": "5"}, {"method": "card"}], "cash 5; card"),
        ({"kind": "list"}, ["a", "b"], "a; b"),
        ({"kind": "secret"}, "s3cret", ""),
        ({"kind": "number"}, 7, "7"),
        ({"kind": "text"}, None, ""),
    ],
)
def test_a_value_of_the_level_above_is_told_in_few_words(field: dict[str, Any], value: Any, words: str) -> None:
    assert told(field, value) == words


def own(form: Form, *names: str) -> Form:
    """The form with some settings chosen to be set here."""
    form.fields[:] = [pair for pair in form.fields if not (pair[0].startswith("reset.") and pair[1] in names)]
    return form


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_a_value_is_set_for_all_for_the_business_and_for_a_place_and_given_back(box: Box) -> None:
    operator, owner, place = Browser(box, "operator"), Browser(box), str(await box.location())
    above = await operator.get(f"/operating{LINKS}")
    form = own(above.form(f"/operating{LINKS}"), "valid_days")
    form.fields.append(("locked.valid_days:bool", "true"))
    await operator.submit(form, {"values.valid_days": "21"})
    fixed = await owner.get(LINKS)
    assert "fixed by the deployment" in fixed.text
    assert "values.valid_days:int" not in dict(fixed.form(LINKS).fields)
    loose = own((await operator.get(f"/operating{LINKS}")).form(f"/operating{LINKS}"), "valid_days")
    loose.fields[:] = [pair for pair in loose.fields if pair != ("locked.valid_days:bool", "true")]
    await operator.submit(loose)
    page = await owner.get(f"{LINKS}?place={place}")
    assert "As the deployment has it: <b>21</b>" in page.text
    form = own(page.form(f"/locations/*{LINKS}"), "valid_days")
    shown = await owner.submit(form, {"values.valid_days": "3"})
    here = f"/api/v1/locations/{place}{LINKS}"
    assert (await box.client("owner").get(here)).json()["fields"]["valid_days"]["is_own"] is True
    back = shown.form(f"/locations/*{LINKS}")
    key = next(name for name, _ in back.fields if name.startswith("reset.0"))
    back.fields[:] = [pair for pair in back.fields if pair[0] != key]
    back.fields.append((key, "valid_days"))
    await owner.submit(back)
    assert (await box.client("owner").get(here)).json()["values"]["valid_days"] == 21


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_each_sees_the_levels_that_are_theirs(box: Box) -> None:
    owner, till = Browser(box), Browser(box, "cashier")
    for path in (LINKS, f"/operating{LINKS}", "/operating/settings"):
        assert (await till.get(path)).status == 404, path
    assert (await owner.get(f"/operating{LINKS}")).status == 404
    page = await owner.get("/settings/payments?slots=1")
    assert f"/console/operating{LINKS}" not in page.text
    assert "<summary>settings.payments</summary>" in page.text
    assert "No account yet" in page.text, "what payments put beside its settings"
    here, path = str(await box.location()), f"/api/v1/users/{box.people['mama-njeri', 'operator'].id}/locations"
    tag = {"If-Match": (await box.client("owner").get(path)).headers["etag"]}
    await box.client("owner").send("PATCH", path, json={"location_ids": [here]}, headers=tag)
    tied = Browser(box, "operator")
    page = await tied.get(LINKS)
    assert "You work at some places only" in page.text
    assert not [one for one in page.forms if one.action == "/console/do" and one.to == LINKS]
    assert [to for to in page.links.values() if "?place=" in to] == [f"/console{LINKS}?place={here}"]
    assert (await tied.get(f"{LINKS}?place={await box.location('store')}")).status == 404
