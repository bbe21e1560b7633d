"""Browsing the audit trail and taking it away."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest

from kernel.cells import csv_cell
from kernel.testing.box import Box
from kernel.work import Work

AUDIT = "/api/v1/audit"


async def some_deeds(box: Box) -> None:
    """Three deeds on two days, one of them a change."""
    owner = box.client("owner")
    place = {"code": "west", "name": "=HYPERLINK(1)", "kind": "storefront"}
    made = await owner.post("/api/v1/locations", place)
    assert made.status_code == 201, made.text
    box.clock.pass_by(days=1)
    path = f"/api/v1/locations/{made.json()['id']}"
    assert (await owner.patch(path, {"name": "@SUM(A1)"}, version=1)).status_code == 200

    async def explain(work: Work) -> None:
        work.audit(subject="till:1", reason="Recount 100% of the drawer")

    await box.act(explain, role="cashier")


async def test_the_trail_is_filtered_by_day_person_deed_subject_and_reason(box: Box) -> None:
    await some_deeds(box)
    owner = box.client("owner")

    async def deeds(**query: str) -> list[str]:
        answer = await owner.get(AUDIT, params=query)
        assert answer.status_code == 200, answer.text
        return [one["deed"] for one in answer.json()["items"]]

    assert (await deeds())[:3] == ["test", "locations.change_location", "locations.add_location"]
    assert await deeds(**{"from": "2026-11-22"}) == ["test", "locations.change_location"]
    assert await deeds(**{"from": "2026-11-22", "to": "2026-11-21"}) == []
    assert await deeds(actor_id=str(box.people["mama-njeri", "cashier"].id)) == ["test"]
    assert await deeds(deed="locations.change_location") == ["locations.change_location"]
    assert await deeds(subject="till:1") == ["test"]
    assert await deeds(q="RECOUNT") == ["test"]
    assert await deeds(q="0% of") == ["test"]
    assert await deeds(q="%recount%drawer%") == []
    assert await deeds(supporting="true") == []


async def test_the_trail_is_read_page_by_page_and_row_by_row(box: Box) -> None:
    await some_deeds(box)
    owner = box.client("owner")
    first = (await owner.get(AUDIT, params={"limit": "1"})).json()
    second = (await owner.get(AUDIT, params={"limit": "1", "cursor": first["next_cursor"]})).json()
    one = second["items"][0]
    assert one["deed"] == "locations.change_location"
    assert [(c["table"], c["before"], c["after"]) for c in one["changes"]] == [
        ("kernel_location", {"name": "=HYPERLINK(1)"}, {"name": "@SUM(A1)"})
    ]
    assert (await owner.get(f"{AUDIT}/{one['id']}")).json() == one
    assert (await box.client("owner", "sharma-kirana").get(f"{AUDIT}/{one['id']}")).status_code == 404


async def test_who_may_not_see_the_trail_is_refused_it_in_every_form(box: Box) -> None:
    for path in (AUDIT, f"{AUDIT}/export", f"{AUDIT}/anchors"):
        assert (await box.client("cashier").get(path)).status_code == 403
        assert (await box.client("accountant").get(path)).status_code == 200


async def test_an_export_is_a_file_that_no_spreadsheet_runs(box: Box) -> None:
    await some_deeds(box)

    async def rename(work: Work) -> None:
        work.audit(subject="@SUM(A1)", reason="=1+1")

    await box.act(rename)
    answer = await box.client("owner").get(f"{AUDIT}/export")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-mama-njeri-20261122.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert (rows[-1]["subject"], rows[-1]["reason"]) == ("'@SUM(A1)", "'=1+1")
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    lines = (await box.client("owner").get(f"{AUDIT}/export", params={"format": "jsonl", "deed": "test"})).text
    assert [json.loads(line)["reason"] for line in lines.splitlines()][-1] == "=1+1"
    assert (await box.client("owner").get(f"{AUDIT}/export", params={"limit": "5"})).status_code == 422


async def test_an_export_of_many_rows_leaves_none_out(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    async def say(work: Work) -> None:
        work.audit(subject="many:1")

    for _ in range(60):
        await box.act(say)
    monkeypatch.setattr("kernel.app.routes.audit._AT_ONCE", 7)
    text = (await box.client("owner").get(f"{AUDIT}/export", params={"subject": "many:1"})).text
    assert len(set(text.splitlines())) == 61


def test_cells_that_a_spreadsheet_would_run_are_text() -> None:
    for live in (
        "=1+1",
        "+1",
        "-1",
        "@SUM",
        "\t=1",
        "\r=1",
        " =1",
        "\n=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM",
    ):
        assert csv_cell(live)[0] == "'"
    assert csv_cell('Soap;=HYPERLINK("x");-1') == "Soap;'=HYPERLINK(\"x\");'-1", "some part cells by semicolons"
    assert csv_cell("a note\n=1 of it; and more") == "a note\n'=1 of it; and more"
    assert csv_cell("a\0b") == "ab"
    assert (csv_cell(-5), csv_cell(None), csv_cell(True), csv_cell({"a": 1})) == ("-5", "", "yes", '{"a":1}')


def test_a_figure_below_zero_is_a_number_and_no_text() -> None:
    assert (csv_cell(Decimal("-50.00")), csv_cell("-50.00")) == ("-50.00", "'-50.00")
