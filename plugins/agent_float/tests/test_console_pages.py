"""An agent's pages: lines opened, a customer served, what was noted taken back, a line counted and closed."""

from __future__ import annotations

import html
import re
import uuid
from decimal import Decimal

import pytest

from kernel.testing.box import Box
from plugins.agent_float.testing import a_customer_served, a_day_closed, a_line
from plugins.console.testing import Browser

HERE = "/agent_float"


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_a_customer_is_served_taken_back_and_the_line_closed_by_its_pages(box: Box) -> None:
    owner, till = Browser(box), Browser(box, "cashier")
    cash = await a_line(box, "cash", name="Drawer")
    form = (await owner.get(f"{HERE}/lines")).form(f"{HERE}/lines")
    opened = await owner.submit(form, {"name": "Till 7", "code": "MPESA-7", "provider": "M-PESA", "opening": "50000"})
    assert "Till 7" in opened.text
    asked = (await till.get(f"{HERE}/serve?kind=deposit")).form(f"{HERE}/deposits")
    served = await till.submit(asked, {"amount": "2500", "reference": "TKL1AB2CD3"})
    assert "TKL1AB2CD3" in served.text
    here = served.answer.url.path.removeprefix("/console")
    assert all(one.to != f"{here}/reverse" for one in served.forms), "a cashier takes nothing back"
    again = await till.script((await till.get(f"{HERE}/serve")).form(f"{HERE}/deposits"), {"amount": "9999999"})
    assert again["problem"]["code"] == "line-short"
    back = await owner.submit((await owner.get(here)).form(f"{here}/reverse"), {"reason": "typed twice"})
    assert "Taken back" in back.text
    closing = await till.get(f"{HERE}/close")
    forms = [one for one in closing.forms if one.to == f"{HERE}/closings"]
    mine = next(one for one in forms if ("counts.0.line_id", str(cash)) in one.fields)
    counted = {"counts.0.counted": "10000", "counts.0.reason": "the drawer was robbed"}
    asked_for = (await till.script(mine, counted))["problem"]
    assert asked_for["code"] == "approval-required"
    waiting = (await owner.get("/approvals")).form(f"/approvals/{asked_for['approval']}/approve")
    await owner.submit(waiting, {"reason": "the police were here"})
    mine.fields = [(name, value) for name, value in mine.fields if name != "_key"]
    mine.fields += [("_key", uuid.uuid4().hex), ("_approval", asked_for["approval"])]
    await till.submit(mine, counted)
    listed = (await box.client("owner").get(f"/api/v1{HERE}/closings")).json()["items"]
    assert [(one["line_id"], one["variance"]) for one in listed] == [(str(cash), "-40000.00")]
    assert (await till.get(f"{HERE}/day?date={listed[0]['business_date']}")).status == 200
    assert (await till.get(f"{HERE}/lines")).status == 404


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_the_bell_tells_of_a_day_that_was_not_closed_until_it_is(box: Box) -> None:
    owner, word = Browser(box), "Not counted since yesterday"
    cash, till = await a_line(box, "cash", name="Drawer"), await a_line(box, name="Till 7")
    await a_customer_served(box, cash, till, "2500.00")
    assert word not in (await owner.get("/notices")).text, "today is not over"
    box.clock.pass_by(hours=24)
    waits = await owner.get("/notices")
    assert waits.text.count(word) == 2
    assert waits.links["Till 7"] == "/console/agent_float/close"
    await a_day_closed(box, {cash: "52500.00", till: "47500.00"})
    assert word not in (await owner.get("/notices")).text


async def test_a_line_adds_up_on_its_day_and_goes_out_for_the_month(box: Box) -> None:
    cash, till = await a_line(box, "cash", "0.00", name="Drawer"), await a_line(box, name="Till", code="MPESA-1")
    await a_customer_served(box, cash, till, "500.00")
    page = await Browser(box, "accountant").get(f"{HERE}/day")
    row = re.search(r"<tr><td>Till.*?</tr>", page.text, re.DOTALL)
    assert row is not None
    figures = re.findall(r'<td class="num[^>]*>([^<]*)</td>', row[0])
    opening, *moved, closing = (Decimal(re.sub(r"[^\d.-]", "", one)) for one in figures)
    assert (opening + sum(moved), closing) == (closing, Decimal("49500.00"))
    path = re.search(r'href="/console(/api/v1/[^"]+)" download', row[0])
    assert path is not None
    answer = await box.client("accountant").get(html.unescape(path[1]))
    assert answer.text.count("\n") == 3, "its head, its opening, what was served"
