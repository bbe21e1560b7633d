"""An agent's day, as the agent, the manager and the accountant see it, on both databases."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.invariants import broken
from kernel.testing.box import Box
from kernel.work import Work
from plugins.agent_float.models import Balance
from plugins.agent_float.services import booking
from plugins.agent_float.testing import a_customer_served, a_day_closed, a_line

API = "/api/v1/agent_float"
DAY = "2026-11-21"


async def balances(box: Box) -> dict[str, str]:
    listed = (await box.client("accountant").get(f"{API}/lines")).json()["items"]
    return {one["id"]: one["balance"] for one in listed}


async def note(box: Box, what: str, role: str = "cashier", /, **said: Any) -> Any:
    return await box.client(role).post(f"{API}/{what}", {name: str(value) for name, value in said.items()})


async def test_a_day_of_an_agent_from_opening_to_closing_and_the_next_morning(box: Box) -> None:
    cash, till = await a_line(box, "cash", "20000.00"), await a_line(box, "float", "50000.00", name="Till 1")
    bank = await a_line(box, "bank", "0.00")
    both = {"cash_line_id": cash, "float_line_id": till}
    deposit = await note(
        box, "deposits", **both, amount="2500.00", commission="12.00", reference="TKL1", phone="0712 345 678"
    )
    assert (deposit.status_code, deposit.json()["number"]) == (201, "AF-2026-000003")
    assert [one["amount"] for one in deposit.json()["lines"]] == ["-2500.00", "2500.00"]
    assert (
        await note(box, "withdrawals", **both, amount="1000.00", commission="8.00", reference="TKL2")
    ).status_code == 201
    moved = await note(box, "transfers", from_line_id=cash, to_line_id=bank, amount="10000.00", fee="30.00")
    assert moved.status_code == 201
    assert (await note(box, "commissions", line_id=till, amount="400.00")).status_code == 201
    assert await balances(box) == {str(cash): "11470.00", str(till): "48900.00", str(bank): "10000.00"}
    day = (await box.client("accountant").get(f"{API}/days/{DAY}")).json()
    assert (day["deposits"], day["withdrawals"], day["commission_earned"]) == (1, 1, "20.00")
    drawer = next(one for one in day["lines"] if one["line_id"] == str(cash))
    assert (drawer["opening"], drawer["capital"], drawer["deposits"], drawer["withdrawals"]) == (
        "0.00",
        "20000.00",
        "2500.00",
        "-1000.00",
    )
    assert (drawer["transfers"], drawer["closing"], drawer["is_closed"]) == ("-10030.00", "11470.00", False)
    counts = [
        {"line_id": str(cash), "counted": "11450.00", "reason": ""},
        {"line_id": str(till), "counted": "48900.00", "reason": ""},
    ]
    cashier, manager = box.client("cashier"), box.client("manager")
    beside = await manager.post(
        f"{API}/closings", {"counts": [{"line_id": str(bank), "counted": "10000.00", "reason": ""}]}
    )
    assert beside.json()["errors"][0]["pointer"] == "/counts/0/line_id"
    silent = await manager.post(f"{API}/closings", {"counts": counts})
    assert silent.json()["errors"][0]["pointer"] == "/counts/0/reason"
    counts[0]["reason"] = "wrong change"
    alone = await cashier.post(f"{API}/closings", {"counts": counts})
    assert (alone.status_code, alone.json()["code"]) == (403, "approval-required")
    closed = await manager.post(f"{API}/closings", {"counts": counts})
    assert closed.status_code == 201, closed.text
    said = {one["line_id"]: (one["expected"], one["counted"], one["variance"]) for one in closed.json()}
    assert said == {str(cash): ("11470.00", "11450.00", "-20.00"), str(till): ("48900.00", "48900.00", "0.00")}
    for what, more in (
        ("deposits", {**both, "amount": "1.00"}),
        ("transfers", {"from_line_id": bank, "to_line_id": till, "amount": "1.00"}),
        ("commissions", {"line_id": till, "amount": "1.00"}),
    ):
        refused = await note(box, what, **more)
        assert (refused.status_code, refused.json()["code"]) == (409, "day-closed"), what
    taken = await note(box, f"transactions/{deposit.json()['id']}/reverse", "manager", reason="typed twice")
    assert (taken.status_code, taken.json()["code"]) == (409, "day-closed")
    again = await manager.post(f"{API}/closings", {"counts": counts})
    assert (again.status_code, again.json()["code"]) == (409, "day-closed")
    box.clock.pass_by(hours=24)
    assert (await note(box, "deposits", **both, amount="100.00")).status_code == 201
    days = (await cashier.get(f"{API}/lines/{cash}/days", params={"since": DAY, "until": "2026-11-30"})).json()
    assert [(one["opening"], one["closing"], one["counted"]) for one in days] == [
        ("0.00", "11450.00", "11450.00"),
        ("11450.00", "11550.00", None),
    ]


async def test_what_was_noted_wrongly_is_taken_back_once_and_its_number_is_free_again(box: Box) -> None:
    cash, till = await a_line(box, "cash", "20000.00"), await a_line(box)
    both = {"cash_line_id": cash, "float_line_id": till, "amount": "500.00", "reference": "TKL9"}
    first = (await note(box, "deposits", **both)).json()
    twice = await note(box, "deposits", **both)
    assert (twice.status_code, twice.json()["code"], twice.json()["errors"][0]["pointer"]) == (
        409,
        "reference-known",
        "/reference",
    )
    path = f"transactions/{first['id']}/reverse"
    assert (await note(box, path, "cashier", reason="typo")).status_code == 403
    back = (await note(box, path, "manager", reason="typed twice")).json()
    assert (back["kind"], back["reverses_id"], back["note"]) == ("reversal", first["id"], "typed twice")
    assert await balances(box) == {str(cash): "20000.00", str(till): "50000.00"}
    for id_ in (first["id"], back["id"]):
        again = await note(box, f"transactions/{id_}/reverse", "manager", reason="x")
        assert (again.status_code, again.json()["code"]) == (409, "already-taken-back")
    assert (await note(box, "deposits", **both)).status_code == 201


async def test_no_line_that_is_counted_goes_below_nothing_however_many_are_served_at_once(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    cash, till = await a_line(box, "cash", "0.00"), await a_line(box, "float", "1000.00")
    both = {"cash_line_id": cash, "float_line_id": till, "amount": "400.00"}

    async def rush() -> list[int]:
        meet = asyncio.Barrier(5)

        async def serve() -> int:
            await meet.wait()
            return int((await note(box, "deposits", **both)).status_code)

        return sorted(await asyncio.gather(*(serve() for _ in range(5))))

    assert await rush() == [201, 201, 409, 409, 409]
    short = await note(box, "deposits", **both)
    assert (short.json()["code"], short.json()["errors"][0]["available"]) == ("line-short", "200.00")

    monkeypatch.setattr(booking, "_change", read_then_write)
    await note(box, "deposits", **both | {"amount": "1.00"})
    assert "what stands on a line is the sum of its entries" in str(await broken(box.deployment)), "the twin is caught"
    for line, amount in ((cash, 80_100), (till, 19_900)):
        await set_balance(box, line, amount)


def read_then_write(work: Work, line: Any, amount: int) -> None:
    """The twin: a balance that is written as it was once read."""

    async def write() -> None:
        here = sa.and_(Balance.business_id == work.business_id, Balance.line_id == line.id)
        await work.execute(sa.update(Balance).where(here).values(amount=7 + amount))

    work.afterwards(write)


async def set_balance(box: Box, line: uuid.UUID, amount: int) -> None:
    async def run(work: Work) -> None:
        here = sa.and_(Balance.business_id == work.business_id, Balance.line_id == line)
        await work.execute(sa.update(Balance).where(here).values(amount=amount))

    await box.act(run)


async def test_a_closing_and_a_customer_at_the_same_moment_leave_a_closed_day_as_it_was_counted(box: Box) -> None:
    cash, till = await a_line(box, "cash", "1000.00"), await a_line(box, "float", "1000.00")
    meet = asyncio.Barrier(2)

    async def close() -> None:
        await meet.wait()
        await a_day_closed(box, {cash: "1000.00", till: "1000.00"}, reason="counted")

    async def serve() -> Any:
        await meet.wait()
        return await note(box, "deposits", cash_line_id=cash, float_line_id=till, amount="100.00")

    _, served = await asyncio.gather(close(), serve())
    closed = (await box.client("manager").get(f"{API}/closings")).json()["items"]
    variances = sorted(one["variance"] for one in closed)
    assert variances == (["-100.00", "100.00"] if served.status_code == 201 else ["0.00", "0.00"])
    assert await balances(box) == {str(cash): "1000.00", str(till): "1000.00"}


async def test_lines_are_exported_for_a_spreadsheet_with_what_stood_on_them(box: Box) -> None:
    cash, till = await a_line(box, "cash", "0.00"), await a_line(box, code="MPESA-1")
    await a_customer_served(box, cash, till, "500.00", note="=1+1")
    await a_customer_served(box, cash, till, "200.00", kind="withdrawal")
    span = {"since": DAY, "until": DAY}
    answer = await box.client("accountant").get(f"{API}/lines/{till}/export", params=span)
    assert 'filename="MPESA-1-2026-11-21-2026-11-21.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(one["kind"], one["in"], one["out"], one["balance"]) for one in rows] == [
        ("capital", "50000.00", "0.00", "50000.00"),
        ("deposit", "0.00", "500.00", "49500.00"),
        ("withdrawal", "200.00", "0.00", "49700.00"),
    ]
    assert rows[1]["note"] == "'=1+1"
    far = await box.client("accountant").get(f"{API}/lines/{till}/export", params={"since": DAY, "until": "2029-01-01"})
    assert far.status_code == 422


async def test_lines_are_what_they_say(box: Box) -> None:
    cash, till = await a_line(box, "cash"), await a_line(box)
    wrong = (
        ("deposits", {"cash_line_id": till, "float_line_id": till, "amount": "1"}, "/cash_line_id"),
        ("deposits", {"cash_line_id": cash, "float_line_id": cash, "amount": "1"}, "/float_line_id"),
        ("deposits", {"cash_line_id": cash, "float_line_id": till, "amount": "0"}, "/amount"),
        ("deposits", {"cash_line_id": cash, "float_line_id": till, "amount": "0.001"}, "/amount"),
        ("transfers", {"from_line_id": till, "to_line_id": till, "amount": "1"}, "/to_line_id"),
        ("commissions", {"line_id": uuid.uuid4(), "amount": "1"}, "/line_id"),
    )
    for what, said, pointer in wrong:
        refused = await note(box, what, **said)
        assert (refused.status_code in (404, 422), refused.json()["errors"][0]["pointer"]) == (True, pointer)
    owner = box.client("owner")
    keyless = await owner.send(
        "POST", f"{API}/deposits", json={"cash_line_id": str(cash), "float_line_id": str(till), "amount": "1"}
    )
    assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency-key-required")
    full = await owner.patch(f"{API}/lines/{till}", {"is_active": False}, version=1)
    assert full.json()["errors"][0]["pointer"] == "/is_active"
    assert (
        await note(box, "capital", "owner", line_id=till, direction="out", amount="50000.00", note="moved on")
    ).status_code == 201
    assert (await owner.patch(f"{API}/lines/{till}", {"is_active": False}, version=1)).json()["is_active"] is False
    idle = await note(box, "commissions", line_id=till, amount="1.00")
    assert "not in use" in idle.json()["errors"][0]["detail"]
