"""Apps, settings and the pages of operators: what is planned is what is applied, and nobody sees more than they may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.app.routes.describing import MOST_BYTES, picture_of
from kernel.db import new_id
from kernel.db.tables import Job, JobPayload
from kernel.testing.box import Box
from kernel.work import Work
from plugins.console.services.apps import rehearsal_of, state_of, verdict_of
from plugins.console.services.markdown import html_of
from plugins.console.services.schema_fields import fields_of
from plugins.console.testing import Browser, Form, Shown

of_no_database = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What is proved asks nothing of the database."""
PLUGIN: dict[str, Any] = {"state": "enabled", "hindrances": [], "version_installed": None}
PLAN: dict[str, Any] = {
    **{"plugin": "daybook", "action": "disable", "is_done": False, "hindrances": []},
    **{"migrations": [], "obligations": [], "consequences": [], "settings": [], "turn": ["daybook"], "along": []},
}
SCHEMA: dict[str, Any] = {
    "$ref": "#/$defs/Settings",
    "$defs": {
        "Settings": {
            "type": "object",
            "required": ["key"],
            "properties": {
                "key": {"title": "Key", "type": "string", "format": "password", "writeOnly": True},
                "on": {"type": "boolean", "default": True},
                "most": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                "mode": {"enum": ["by_hand", "always"], "default": "always"},
                "range": {"anyOf": [{"$ref": "#/$defs/Range"}, {"type": "null"}], "default": None},
                "rows": {"type": "array", "items": {"$ref": "#/$defs/Range"}, "default": []},
                "words": {"type": "array", "items": {"type": "string"}},
                "days": {"type": "array", "items": {"enum": ["mon", "tue"]}},
            },
        },
        "Range": {"type": "object", "required": ["step"], "properties": {"step": {"type": "string"}}},
    },
}


@pytest.mark.parametrize(
    ("plugin", "missing", "health", "state"),
    [
        ({}, (), "well", "on"),
        ({}, ("key",), "well", "setup"),
        ({}, ("key",), "tripped", "failing"),
        ({"version_installed": "0.1.0"}, (), "flagged", "update"),
        ({"state": "draining"}, ("key",), "", "draining"),
        ({"state": "available"}, (), "", "off"),
        ({"state": "available", "hindrances": [{"code": "missing"}]}, (), "", "off"),
        ({"state": "available", "hindrances": [{"code": "rival"}]}, (), "", "incompatible"),
        ({"state": "quarantined"}, (), "", "quarantined"),
        ({"state": "uninstalled"}, (), "", "uninstalled"),
    ],
)
def test_an_app_stands_in_one_state(plugin: dict[str, Any], missing: tuple[str, ...], health: str, state: str) -> None:
    assert state_of(PLUGIN | plugin, missing, health) == state


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({}, "ok"),
        ({"is_done": True}, "info"),
        ({"hindrances": [{"code": "needed"}]}, "bad"),
        ({"obligations": [{"name": "pending"}]}, "warn"),
        ({"action": "uninstall"}, "warn"),
        ({"plugin": "console", "turn": ["console"]}, "warn"),
        ({"turn": ["analytics", "daybook"], "along": [{"plugin": "analytics", "obligations": []}]}, "warn"),
        ({"migrations": [{"is_whole": True, "statements": [{"effect": "short"}]}]}, "ok"),
        ({"migrations": [{"is_whole": True, "statements": [{"effect": "rewrites"}]}]}, "warn"),
        ({"migrations": [{"is_whole": False, "statements": []}]}, "warn"),
        ({"consequences": [{"changed": [{"id": "1"}]}]}, "warn"),
    ],
)
def test_a_plan_is_green_only_where_nobody_need_look(said: dict[str, Any], verdict: str) -> None:
    assert verdict_of(PLAN | said) == verdict


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ([], False),
        ([{"plugins": {"daybook": "0.2.0"}, "fault": None, "migrated": ["daybook_0002", "daybook_0003"]}], True),
        ([{"plugins": {"daybook": "0.2.0"}, "fault": None, "migrated": []}], False),
        ([{"plugins": {"daybook": "0.2.0"}, "fault": "daybook: no such column", "migrated": []}], True),
        ([{"plugins": {"daybook": "0.1.9"}, "fault": None, "migrated": ["daybook_0003"]}], False),
    ],
)
def test_a_rehearsal_is_of_the_version_and_the_migrations_that_a_plan_is_of(
    held: list[dict[str, Any]], found: bool
) -> None:
    plan = PLAN | {"version": "0.2.0", "migrations": [{"revision": "daybook_0003"}]}
    assert (rehearsal_of(plan, held) is not None) is found


def test_fields_of_a_schema_know_how_their_text_is_meant() -> None:
    found = {one["at"]: one for one in fields_of(SCHEMA, {"rows": [{"step": "5"}]}, {"key": True}, "values")}
    assert {one["name"]: one["kind"] for one in found.values()} == {
        "values.key:opt": "secret",
        "values.on:bool": "yes",
        "values.most:intnull": "number",
        "values.mode:null": "choice",
        "values.range:group": "group",
        "values.rows:rows": "rows",
        "values.words:list": "list",
        "values.days:list": "choices",
    }
    assert found["values.on"]["value"] is True, "what nobody set stands at its default"
    assert not found["values.key"]["value"], "a secret is never known"
    assert not found["values.key"]["required"], "one that is set may be left as it is"
    assert [[one["name"] for one in row] for row in found["values.rows"]["rows"]] == [["values.rows.0.step"]]
    assert [one["name"] for one in found["values.range"]["group"]] == ["values.range.step:opt"]


def test_markdown_becomes_text_and_nothing_else() -> None:
    said = html_of(
        "# Title\n\nOne `a<b` **two**\nthree\n\n- <script>x</script>\n  more\n\n"
        "|a|b|\n|---|---|\n|1|2|\n\n```\n<i>\n```\n"
    )
    assert said == (
        "<p>One <code>a&lt;b</code> <strong>two</strong> three</p>\n"
        "<ul><li>&lt;script&gt;x&lt;/script&gt; more</li></ul>\n"
        '<div class="d-scroll"><table class="d-table"><tr><th>a</th><th>b</th></tr>'
        "<tr><td>1</td><td>2</td></tr></table></div>\n<pre>&lt;i&gt;</pre>"
    )


@of_no_database
async def test_an_app_is_switched_by_the_plan_that_was_seen(box: Box) -> None:
    owner, browser = box.client("owner"), Browser(box)
    assert "Day book" in (await browser.get("/apps?q=day")).text
    assert "Catalog" not in (await browser.get("/apps?q=day")).text
    sheet = await browser.get("/apps/daybook/disable")
    assert "Safe to apply" in sheet.text
    assert "daybook_entry" in sheet.text

    before = sheet.form("/plugins/daybook/apply")
    await owner.post("/api/v1/plugins/discounts/disable")
    stale = await browser.script(before, {})
    assert stale["problem"]["code"] == "plan-stale", "what was seen is not what would be done"
    page = await browser.submit(before, {})
    assert page.status == 409
    assert "/console/apps/daybook/disable" in page.text, "the way to look at it anew"

    fresh = (await browser.get("/apps/daybook/disable")).form("/plugins/daybook/apply")
    done = await browser.submit(fresh, {})
    assert done.status == 200
    assert 'data-undo="/console/apps/daybook/enable"' in done.text
    state = (await owner.get("/api/v1/plugins/daybook")).json()["state"]
    assert state == "available"
    undone = await browser.submit((await browser.get("/apps/daybook/enable")).form("/plugins/daybook/apply"), {})
    assert undone.status == 200
    history = (await browser.get("/apps/daybook")).text
    assert "Turned on" in history
    assert "Turned off" in history


@of_no_database
async def test_an_app_brings_what_it_needs_and_takes_what_stands_on_it(box: Box) -> None:
    owner, browser = box.client("owner"), Browser(box)
    sheet = await browser.get("/apps/sales/disable")
    assert "3 apps that stand on it go off with it" in sheet.text
    form = sheet.form("/plugins/sales/apply")
    assert "Turn off all 4" in form.buttons
    assert (await browser.script(form, {}))["answer"]["along"] == ["discounts", "daybook", "analytics"]
    assert "Brings Sales along" in (await browser.get("/apps?state=off")).text
    done = await browser.submit((await browser.get("/apps/discounts/enable")).form("/plugins/discounts/apply"), {})
    assert "Discounts and 1 more are on" in done.text
    assert 'data-undo="/console/apps/discounts/disable?also=sales"' in done.text
    assert "Turned on" in (await browser.get("/apps/sales")).text, "what came along knows since when"
    undone = await browser.get("/apps/discounts/disable?also=sales")
    assert (await browser.submit(undone.form("/plugins/discounts/apply"), {})).status == 200
    states = {one["name"]: one["state"] for one in (await owner.get("/api/v1/plugins")).json()["items"]}
    assert (states["sales"], states["discounts"], states["payments"]) == ("available", "available", "enabled")


async def test_the_api_tells_what_an_app_says_of_itself_and_what_keeps_it(box: Box) -> None:
    owner = box.client("owner")
    one = (await owner.get("/api/v1/plugins/payments")).json()
    assert one["description"].startswith("# Payments")
    assert one["is_bundled"] is True
    assert one["hindrances"][0]["code"] == "needed"
    listed = {said["name"]: said for said in (await owner.get("/api/v1/plugins")).json()["items"]}
    assert [said["code"] for said in listed["payments"]["hindrances"]] == [said["code"] for said in one["hindrances"]]
    assert "description" not in listed["payments"]


def _of_its_own(page: Shown, name: str) -> Form:
    """The form of settings with one of them no longer left to the level above."""
    form = page.form("/settings/payments")
    form.fields[:] = [pair for pair in form.fields if not (pair[0].startswith("reset.") and pair[1] == name)]
    return form


@of_no_database
async def test_pictures_of_an_app_are_there_small_and_shown_with_words(box: Box) -> None:
    named = {one.name: one.manifest.pictures for one in box.deployment.registry.in_order() if one.manifest.pictures}
    owner = box.client("owner")
    for name, pictures in named.items():
        told = (await owner.get(f"/api/v1/plugins/{name}")).json()["pictures"]
        assert [one["words"] for one in told] == [one.words for one in pictures], "missing, too large, or no picture"
    (one,) = (await owner.get("/api/v1/plugins/catalog")).json()["pictures"]
    served = await owner.get(one["path"])
    assert (served.status_code, served.headers["content-type"]) == (200, "image/webp")
    assert "immutable" in served.headers["cache-control"]
    assert served.headers["x-content-type-options"] == "nosniff"
    assert f'alt="{one["words"]}"' in (await Browser(box).get("/apps/catalog")).text


def test_a_picture_that_is_none_or_too_large_is_left_out(tmp_path: Path) -> None:
    for name, content in (("text.png", b"<svg onload=alert(1)>"), ("large.webp", b"x" * (MOST_BYTES + 1))):
        (tmp_path / name).write_bytes(content)
        assert picture_of(tmp_path / name) is None
    assert picture_of(tmp_path / "missing.png") is None


@of_no_database
async def test_settings_are_set_by_a_form_and_refused_beside_the_field(box: Box) -> None:
    browser = Browser(box)
    page = await browser.get("/settings/payments")
    form = page.form("/settings/payments")
    kept = await browser.script(form, {"values.rounding.0.method": "cash", "values.rounding.0.step": "x"})
    assert kept["answer"]["values"]["rounding"] == [], "it was left to the level above"
    form = _of_its_own(await browser.get("/settings/payments"), "rounding")
    wrong = await browser.script(form, {"values.rounding.0.method": "cash", "values.rounding.0.step": "x"})
    assert wrong["problem"]["errors"][0]["pointer"] == "/values/rounding/0/step"
    said = await browser.script(form, {"values.rounding.0.method": "cash", "values.rounding.0.step": "5"})
    assert [one["step"] for one in said["answer"]["values"]["rounding"]] == ["5"]
    late = await browser.script(form, {})
    assert late["problem"]["code"] == "precondition-failed", "somebody else changed it meanwhile"
    fresh = _of_its_own(await browser.get("/settings/payments"), "rounding")
    fresh.fields[:] = [pair for pair in fresh.fields if ".0." not in pair[0]]
    none = await browser.script(fresh)
    assert none["answer"]["values"]["rounding"] == [], "all rows were taken away"


@of_no_database
async def test_a_cashier_sees_no_apps_no_settings_and_nothing_of_operators(box: Box) -> None:
    till = Browser(box, "cashier")
    for path in (
        "/apps",
        "/apps/daybook/disable",
        "/settings",
        "/operating",
        "/operating/backups",
        "/payments/operating",
    ):
        assert (await till.get(path)).status == 404, path
    owner = Browser(box)
    menu = (await owner.get("/")).text
    assert 'href="/console/apps"' in menu
    assert 'href="/console/operating"' not in menu
    assert (await owner.get("/operating/businesses")).status == 404


async def test_operators_look_after_businesses_and_dead_jobs(box: Box) -> None:
    job = new_id()

    async def die(work: Work) -> None:
        row = {"id": job, "business_id": box.shop.id, "plugin": "sales", "name": "sales.expire_pending"}
        row |= {"state": "dead", "run_at": work.now, "attempts": 8, "error": "ValueError('0712 345 678 owes')"}
        await work.execute(sa.insert(Job).values(**row, created_at=work.now, ended_at=work.now))
        await work.execute(sa.insert(JobPayload).values(business_id=box.shop.id, job_id=job, payload={}))

    async def fail_again(work: Work) -> None:
        await work.execute(sa.update(Job).where(Job.id == job).values(state="dead"))

    await box.act(die)
    browser = Browser(box, "operator")
    page = await browser.get("/operating/jobs")
    assert "ValueError" in page.text
    assert "0712" not in page.text, "nothing of what a business works with"
    assert (await browser.submit(page.form(f"/operating/jobs/{job}/retry"), {})).status == 200
    told = (await box.client("operator").get("/api/v1/operating/jobs", params={"state": "pending"})).json()["items"]
    assert [one["attempts"] for one in told if one["id"] == str(job)] == [0]
    again = await box.client("operator").post(f"/api/v1/operating/jobs/{job}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "not-dead")
    await box.act(fail_again)
    dead = await browser.get("/operating/jobs")
    put_away = await browser.submit(dead.form(f"/operating/jobs/{job}/drop"), {})
    assert "No dead jobs" in put_away.text
    assert "sales.expire_pending" in (await browser.get("/operating/jobs?state=dropped")).text
    for way in ("drop", "retry"):
        again = await box.client("operator").post(f"/api/v1/operating/jobs/{job}/{way}")
        assert (again.status_code, again.json()["code"]) == (409, "not-dead")
    overview = await browser.get("/operating")
    assert overview.status == 200
    assert "No process has said anything yet" in overview.text, "of this box none serves"
    assert "auth.login" not in overview.text, "who signs in is not what operators did"
    assert "kernel.forget_old_keys" in (await browser.get("/operating/jobs?state=scheduled")).text
    assert f"/operating/jobs/{job}/retry" not in (await browser.get("/operating/jobs?state=waiting")).text
    kept = await browser.get("/operating/backups")
    assert {one.to for one in kept.forms} >= {"/operating/backups", "/operating/rehearsals"}
    assert "Day book" in (await browser.get("/operating/apps")).text
    blocked = await browser.get("/operating/apps/daybook/uninstall")
    assert "disable it there first" in blocked.text
    assert (await browser.get("/apps/daybook/uninstall")).status == 404, (
        "what is done to all stands with the deployment"
    )
    assert not [one for one in (await browser.get("/operating/businesses/new")).forms if one.to == "/businesses"]
    begun = (await browser.get("/operating/businesses/new?region=UG")).form("/businesses")
    assert (dict(begun.fields)["currency"], dict(begun.fields)["zone"]) == ("UGX", "Africa/Kampala")
    made = await browser.submit(begun, {"name": "Kampala Fresh"})
    assert "Kampala Fresh" in made.text
    closing = (await browser.get("/operating/businesses/sharma-kirana")).form(
        "/operating/businesses/sharma-kirana/suspend"
    )
    closed = await browser.submit(closing, {"reason": "unpaid since March"})
    assert "unpaid since March" in closed.text
    assert (await box.client("owner", "sharma-kirana").get("/api/v1/locations")).status_code == 403
