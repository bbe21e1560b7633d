"""An accountant's day over the API, on both databases: reports, decisions, money put onto a sale, files, cash."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.errors import AlreadyExists
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.daybook.testing import an_expense
from plugins.payments.api import StatementLine
from plugins.payments.testing import a_payment
from plugins.payments.testing.toy_box import ToyBox, open_toy_box
from plugins.reconciliation.models import Difference, Line, Posting
from plugins.reconciliation.services import keeping, resolving
from plugins.reconciliation.services.keeping import keep_lines
from plugins.reconciliation.tests.looking import HERE, days_later, fetched, paid, rows
from plugins.reconciliation.tests.test_statements import booked

LONG = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
BANK_CSV = (
    "Mama Njeri Stores,,,,\n"
    "Account 0110,,,,\n"
    "Txn Date;x,,,,\n"
    "Date,Narration,Ref No.,Debit,Credit,Balance\n"
    '21/11/2026,CASH DEPOSIT DS-1042,DS-1042,,"1,500.00","10,000.00"\n'
    '21/11/2026,TRANSFER FT26325,FT26325,,350.00,"10,350.00"\n'
    '21/11/2026,SETTLEMENT UTIB0001,UTIB0001,,240.00,"10,590.00"\n'
    '21/11/2026,LEDGER FEE,,35.00,,"10,555.00"\n'
    'not a day,LEDGER FEE,,35.00,,"10,520.00"\n'
)


async def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_days_report_says_what_is_missing_extra_and_differing_and_each_is_decided_once(toy: ToyBox) -> None:
    accountant, owner = toy.box.client("accountant"), toy.box.client("owner")
    for amount in (25_000, 30_000):
        await paid(toy, amount)
    differing = next(one for one in toy.provider.payments.values() if one["amount"] == 30_000)
    differing["money"][0]["amount"] = 29_500
    booked(toy, "payment", "X1", 12_300, fee=500, net=11_700)
    await fetched(toy)
    day = await ok(await accountant.get(f"{HERE}/days/2026-11-21"))
    [source] = [one for one in day["sources"] if one["source"] == "Toy money: Toy"]
    sums = {name: (source[name]["count"], source[name]["amount"]) for name in ("matched", "extra", "differing", "open")}
    assert sums == {
        "matched": (2, "545.00"),
        "extra": (1, "123.00"),
        "differing": (1, "295.00"),
        "open": (2, "118.00"),
    }
    listed = (await ok(await accountant.get(f"{HERE}/differences", params={"state": "open"})))["items"]
    found = {one["kind"]: one for one in listed}
    differing_path = f"{HERE}/differences/{found['amount_diff']['id']}"
    refused = await accountant.post(f"{differing_path}/resolve", {"resolution": "claim", "note": "no"})
    assert (refused.status_code, refused.json()["code"]) == (409, "resolution-not-offered")
    decided = await ok(await accountant.post(f"{differing_path}/resolve", {"resolution": "record_fee", "note": "kept"}))
    assert (decided["state"], decided["amount"]) == ("resolved", "-5.00")
    again = await accountant.post(f"{differing_path}/resolve", {"resolution": "dismiss", "note": "again"})
    assert again.json()["code"] == "difference-closed"
    await ok(await accountant.post(f"{differing_path}/reverse", {"note": "wrong account"}))
    await ok(await accountant.post(f"{differing_path}/resolve", {"resolution": "accept", "note": "over and short"}))
    booked_of = (await ok(await accountant.get(differing_path)))["postings"]
    assert [(one["debit"], one["credit"], one["amount"], one["is_reversal"]) for one in booked_of] == [
        ("fees", "clearing", "5.00", False),
        ("clearing", "fees", "5.00", True),
        ("over_short", "clearing", "5.00", False),
    ]
    exported = await owner.get(f"{HERE}/export", params={"first_day": "2026-11-21", "last_day": "2026-11-21"})
    assert exported.status_code == 200
    assert b"Toy money: Toy" in exported.content
    await put_onto_a_sale(toy, found["missing_here"]["id"])


async def put_onto_a_sale(toy: ToyBox, difference_id: str) -> None:
    """Money that nobody knew completes a sale that waits for money."""
    owner = toy.box.client("owner")
    product = await a_product(toy.box, price="123.00", track_stock=False)
    sale = await ok(
        await owner.post(
            "/api/v1/sales/sales",
            {
                "location_id": str(await toy.box.location()),
                "lines": [{"product_id": str(product), "quantity": "1"}],
                "payments": [{"method": "bank_transfer", "amount": "123.00", "awaited": True}],
            },
        ),
        202,
    )
    said = {"resolution": "claim", "note": "the customer showed the message", "subject_id": sale["id"]}
    await ok(await owner.post(f"{HERE}/differences/{difference_id}/resolve", said))
    await toy.box.run_jobs()
    done = await ok(await owner.get(f"/api/v1/sales/sales/{sale['id']}"))
    assert (done["status"], done["paid"]) == ("completed", "123.00")
    [line] = (await ok(await owner.get(f"{HERE}/lines", params={"money_key": "X1"})))["items"]
    assert (line["outcome"], line["payment_id"] is not None) == ("fee_diff", True)
    back = await owner.post(f"{HERE}/differences/{difference_id}/reverse", {"note": "no"})
    assert back.json()["code"] == "not-reversible"


@LONG
async def test_a_banks_file_is_checked_taken_in_once_and_proves_transfers_payouts_and_cash(toy: ToyBox) -> None:
    owner, place = toy.box.client("owner"), str(await toy.box.location())
    booked(toy, "payment", "X1", 25_000, fee=1_000, net=24_000, settlement="S1", utr="UTIB0001")
    await fetched(toy)
    await a_payment(toy.box, method="bank_transfer", amount=35_000, reference="FT26325")
    bank = await ok(
        await owner.post(f"{HERE}/sources", {"name": "Bank", "is_bank": True, "methods": ["bank_transfer"]}), 201
    )
    deposit = {"source_id": bank["id"], "location_id": place, "business_date": "2026-11-21", "amount": "1500.00"}
    await ok(await owner.post(f"{HERE}/deposits", deposit | {"reference": "DS-1042"}), 201)
    for turn in ("first", "again"):
        sent = {"content": BANK_CSV.encode(), "headers": {"Content-Type": "text/csv"}}
        checked = await ok(await owner.send("POST", f"{HERE}/sources/{bank['id']}/imports", **sent), 201)
        assert (checked["layout"]["header_row"], checked["layout"]["date_order"]) == (4, "dmy")
        assert checked["preview"]["fresh"] == (4 if turn == "first" else 0)
        assert [(one["row"], one["said"]) for one in checked["errors"]] == [(9, "This is no date")]
        await ok(await owner.post(f"{HERE}/imports/{checked['id']}/apply"), 202)
        await toy.box.run_jobs()
        applied = await ok(await owner.get(f"{HERE}/imports/{checked['id']}"))
        assert (applied["state"], applied["result"]["fresh"]) == ("applied", 4 if turn == "first" else 0)
    of_bank = {"source_id": bank["id"]}
    found = (await ok(await owner.get(f"{HERE}/lines", params=of_bank)))["items"]
    assert [(one["outcome"], one["matched_by"], one["gross"]) for one in found] == [
        ("matched", "reference", "1500.00"),
        ("matched", "money_key", "350.00"),
        ("matched", "settlement", "240.00"),
        ("noted", None, "0.00"),
    ]
    [settled] = (await ok(await owner.get(f"{HERE}/settlements")))["items"]
    assert (settled["net"], settled["arrived"], settled["agrees"]) == ("240.00", "240.00", True)


async def test_the_truth_of_a_day_says_of_each_way_of_paying_where_the_money_is(toy: ToyBox) -> None:
    owner = toy.box.client("owner")
    await paid(toy, 25_000)
    await paid(toy, 40_000)
    next(one for one in toy.provider.payments.values() if one["amount"] == 40_000)["money"].clear()
    await a_payment(toy.box, method="cash", amount=100_000)
    await a_payment(toy.box, method="card", amount=7_000)
    await an_expense(toy.box, "100.00")
    bank = await ok(await owner.post(f"{HERE}/sources", {"name": "Bank", "is_bank": True}), 201)
    said = {"source_id": bank["id"], "location_id": str(await toy.box.location()), "business_date": "2026-11-21"}
    await ok(await owner.post(f"{HERE}/deposits", said | {"amount": "850.00"}), 201)
    await fetched(toy)
    found = await ok(await owner.get(f"{HERE}/truth/2026-11-21"))
    by = {one["method"]: one for one in found["methods"]}
    assert (by["toy"]["taken"], by["toy"]["stated"], by["toy"]["in_transit"]) == ("650.00", "250.00", "400.00")
    assert (by["cash"]["taken"], by["cash"]["spent"], by["cash"]["banked"]) == ("1000.00", "100.00", "850.00")
    assert (by["cash"]["difference"], by["card"]["by_hand"], found["agrees"]) == ("50.00", "70.00", False)
    days_later(toy, 4)
    await fetched(toy)
    later = {one["method"]: one for one in (await ok(await owner.get(f"{HERE}/truth/2026-11-21")))["methods"]}
    assert (later["toy"]["in_transit"], later["toy"]["missing"], later["toy"]["difference"]) == (
        "0.00",
        "400.00",
        "-400.00",
    )


async def decide_at_once(toy: ToyBox) -> list[int]:
    """Two people decide the same difference at once; returns how each was answered."""
    booked(toy, "payment", "X1", 12_300)
    await fetched(toy)
    [one] = await rows(toy, Difference)
    path, said = f"{HERE}/differences/{one.id}/resolve", {"resolution": "unidentified", "note": "kept"}
    people = [toy.box.client(role) for role in ("owner", "accountant")]
    return sorted(one.status_code for one in await asyncio.gather(*(who.post(path, said) for who in people)))


@LONG
async def test_a_twin_that_does_not_look_whether_it_is_open_decides_twice_and_is_caught(
    box_settings: Settings, toy_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def close(work: Work, row: Any, resolution: str, note: str) -> Any:
        mine = sa.and_(Difference.business_id == work.business_id, Difference.id == row.id)
        said = {"state": "resolved", "resolution": resolution, "note": note, "times": Difference.times + 1}
        return (await work.execute(sa.update(Difference).where(mine).values(**said).returning(Difference.times))).one()

    monkeypatch.setattr(resolving, "_close", close)
    with pytest.raises(AssertionError, match="is its whole amount while it is resolved"):
        async with open_toy_box(box_settings, toy_registry) as toy:
            assert await decide_at_once(toy) == [200, 200]


async def test_of_two_at_once_one_decides_and_one_keeps_each_line(toy: ToyBox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await decide_at_once(toy) == [200, 409]
    assert len(await rows(toy, Posting)) == 1
    lines = [_line(n) for n in range(20)]

    async def keep(work: Work) -> keeping.Kept:
        return await keep_lines(work, toy.accounts["mama-njeri"], "UTC", lines)

    kept = await asyncio.gather(*(toy.box.act(keep) for _ in range(3)))
    assert sorted(one.fresh for one in kept) == [0, 0, 20]
    assert len([row for row in await rows(toy, Line) if row.line_key.startswith("L")]) == 20

    async def insert(work: Work, fresh: Any) -> keeping.Kept:
        await work.execute(sa.insert(Line), list(fresh))
        return keeping.Kept(len(fresh))

    monkeypatch.setattr(keeping, "_upsert", insert)
    with pytest.raises(AlreadyExists):  # a twin that does not go by the key fails where the other has kept the line
        await toy.box.act(keep)


def _line(n: int) -> Any:
    at = dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC)
    return StatementLine(line_key=f"L{n}", kind="payment", gross=100, currency="KES", occurred_at=at, money_key=f"L{n}")
