"""Pages of reconciliation: a bank is added, its file is shown before it is taken in, a difference is decided about."""

from __future__ import annotations

import uuid

import pytest

from kernel.testing.box import Box
from plugins.console.testing import Browser
from plugins.payments.testing.toy_box import ToyBox
from plugins.reconciliation.tests.looking import fetched
from plugins.reconciliation.tests.test_statements import booked

of_no_database = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What is proved asks nothing of the database."""
HERE = "/reconciliation"
BANK = b"Date,Description,Debit,Credit,Reference No\n21/11/2026,Deposit,,500.00,DS-1\n21/11/2026,Fee,20.00,,FE-1\n"


@of_no_database
async def test_a_bank_is_added_and_its_file_is_shown_before_it_is_taken_in(box: Box) -> None:
    browser = Browser(box)
    assert "Nobody states money yet" in (await browser.get(f"{HERE}/days")).text
    made = await browser.submit((await browser.get(f"{HERE}/sources")).form(f"{HERE}/sources"), {"name": "Equity"})
    source = made.answer.url.path.removeprefix("/console")
    proof = dict(made.form("/console/sign-out").fields)["_proof"]
    said = {"X-Proof": proof, "Idempotency-Key": uuid.uuid4().hex, "Content-Type": "text/csv"}
    sent = await browser.http.post(f"/console/api/v1{source}/imports", content=BANK, headers=said)
    assert sent.status_code == 201, sent.text
    file = f"{HERE}/imports/{sent.json()['id']}"
    shown = await browser.get(file)
    assert "Nothing is taken in yet" in shown.text
    assert "500.00" in shown.text
    applied = await browser.submit(shown.form(f"{file}/apply"))
    assert all(one.to != f"{file}/apply" for one in applied.forms)
    off = await browser.submit((await browser.get(source)).form(source), {"name": "Equity Bank"}, leave=("is_on:bool",))
    assert "Equity Bank" in off.text
    assert (await Browser(box, "cashier").get(f"{HERE}/sources")).status == 404


@of_no_database
async def test_a_difference_is_decided_about_with_a_reason_and_taken_back(toy: ToyBox) -> None:
    booked(toy, "payment", "X1", 12_300, fee=500, net=11_700)
    await fetched(toy)
    browser = Browser(toy.box)
    listed = (await toy.box.client("owner").get("/api/v1/reconciliation/differences?state=open")).json()["items"]
    one = next(row for row in listed if "dismiss" in row["resolutions"])
    here = f"{HERE}/differences/{one['id']}"
    assert one["id"] in (await browser.get(f"{HERE}/differences")).text
    form = (await browser.get(here)).form(f"{here}/resolve")
    done = await browser.script(form, {"resolution": "dismiss", "note": "the bank says so"})
    assert done["answer"]["state"] == "resolved"
    decided = await browser.get(here)
    assert "the bank says so" in decided.text
    again = await browser.submit(decided.form(f"{here}/reverse"), {"note": "it does not"})
    assert again.form(f"{here}/resolve").to
    for path in ("days", "truth", "settlements", "lines"):
        page = await browser.get(f"{HERE}/{path}?date={one['day']}")
        assert page.status == 200
        assert "</main>" in page.text


async def test_an_account_that_is_opened_has_a_source_for_files_at_once(toy: ToyBox) -> None:
    owner = toy.box.client("owner")
    new = {"gateway": "toy", "label": "Second", "mode": "test", "config": {"secret": "a very secret word"}}
    made = await owner.post("/api/v1/payments/accounts", new)
    assert made.status_code == 201, made.text
    found = (await owner.get("/api/v1/reconciliation/sources")).json()["items"]
    [source] = [one for one in found if one["account_id"] == made.json()["id"]]
    assert source["is_on"]
    page = await Browser(toy.box).get(f"{HERE}/sources/{source['id']}")
    assert "Take a statement in" in page.text


@of_no_database
async def test_how_files_are_read_is_corrected_and_cash_for_the_bank_is_noted_and_taken_back(box: Box) -> None:
    browser = Browser(box)
    made = await browser.submit((await browser.get(f"{HERE}/sources")).form(f"{HERE}/sources"), {"name": "Equity"})
    source = made.answer.url.path.removeprefix("/console")
    form = (await browser.get(f"{source}/layout")).form(source)
    columns = {"layout.columns.date:opt": "Day", "layout.columns.amount:opt": "Sum", "layout.decimal": ","}
    await browser.submit(form, columns)
    kept = (await box.client("owner").get(f"/api/v1{source}")).json()["layout"]
    assert (kept["columns"], kept["decimal"]) == ({"date": "Day", "amount": "Sum"}, ",")
    noted = (await browser.get(f"{HERE}/deposits")).form(f"{HERE}/deposits")
    listed = await browser.submit(noted, {"amount": "500.00", "reference": "DS-1"})
    assert "On its way" in listed.text
    assert "DS-1" in listed.text
    back = await browser.submit(listed.form(f"{HERE}/deposits/*/reverse"), {"note": "typed twice"})
    assert "On its way" not in back.text
    assert "Taken back" in back.text
