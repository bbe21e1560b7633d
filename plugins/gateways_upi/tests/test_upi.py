"""UPI by the shop's own address, over the API on both databases: codes, a person's word, statements."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from typing import Any

import pytest
import pytest_asyncio

from kernel.invariants import broken
from kernel.testing.box import Box
from plugins.gateways_upi.gateway.upi import Upi
from plugins.gateways_upi.rules.links import parse
from plugins.gateways_upi.testing import ADDRESS, PAYMENTS, SHOP, UpiShop, an_upi_shop
from plugins.gateways_upi.tests.scanning import scanned
from plugins.payments.api import ask_about_unverified
from plugins.payments.testing import state_money

on_one = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What stands on no database's manners: in usual runs on one."""


@pytest_asyncio.fixture
async def shop(box: Box) -> Any:
    made = await an_upi_shop(box)
    yield made
    assert await broken(box.deployment) == []


async def lines(shop: UpiShop, *said: tuple[str, int]) -> None:
    """A bank's statement with money by number."""
    await state_money(shop.box, uuid.UUID(shop.account), *said, shop=SHOP)


async def cut_off(shop: UpiShop, after: dt.timedelta = dt.timedelta(days=2)) -> int:
    """Statements are in, up to now."""
    before = shop.box.clock() + after
    return await shop.box.act(lambda work: ask_about_unverified(work, uuid.UUID(shop.account), before), shop=SHOP)


@on_one
async def test_a_code_is_made_without_any_call_and_scans_as_its_link(shop: UpiShop) -> None:
    asked = await shop.ask()
    assert (asked["status"], asked["show"]["kind"]) == ("pending", "qr")
    link = parse(asked["show"]["text"])
    assert (link.payee, link.amount, link.mode, link.category) == (ADDRESS, 25_000, "15", "5411")
    assert link.reference is not None
    assert link.reference.isalnum()
    for kind, media in (("png", "image/png"), ("svg", "image/svg+xml")):
        drawn = await shop.as_("cashier").get(f"{PAYMENTS}/payments/{asked['id']}/code", params={"kind": kind})
        assert (drawn.status_code, drawn.headers["content-type"]) == (200, media)
        assert drawn.headers["cache-control"] == "no-store"
        assert scanned(drawn.content, media) == asked["show"]["text"]
    app = await shop.ask("upi_app")
    assert (app["show"]["kind"], parse(app["show"]["text"]).mode) == ("page", "04")
    none = await shop.as_("cashier").get(f"{PAYMENTS}/payments/{app['id']}/code")
    assert (none.status_code, none.json()["code"]) == (409, "nothing-to-scan")
    asking = await shop.as_("cashier").post(f"{PAYMENTS}/payments/{asked['id']}/ask")
    assert (asking.status_code, asking.json()["code"]) == (409, "not-awaited")


@on_one
async def test_the_code_of_a_counter_scans_and_is_asked_about_again(shop: UpiShop) -> None:
    path, where = f"{PAYMENTS}/methods/upi/code", {"location_id": shop.place}
    drawn = await shop.as_("cashier").get(path, params=where)
    assert (drawn.status_code, drawn.headers["cache-control"]) == (200, "private, no-cache")
    link = parse(scanned(drawn.content, "image/svg+xml"))
    assert (link.payee, link.amount, link.mode, link.note) == (ADDRESS, None, "01", "Sharma Kirana Kilimani")
    again = await shop.as_("cashier").get(path, params=where, headers={"If-None-Match": drawn.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")
    named = await shop.as_("owner").get(path, params=where | {"account_id": shop.account, "kind": "png"})
    assert parse(scanned(named.content, "image/png")) == link
    for wrong in ({"location_id": str(uuid.uuid4())}, where | {"account_id": str(uuid.uuid4())}):
        assert (await shop.as_("cashier").get(path, params=wrong)).status_code == 404
    cash = await shop.as_("cashier").get(f"{PAYMENTS}/methods/cash/code", params=where)
    assert (cash.status_code, cash.json()["code"]) == (409, "nothing-to-scan")


@on_one
async def test_a_persons_word_completes_a_sale_and_a_statement_proves_it(shop: UpiShop) -> None:
    asked = await shop.ask()
    for number in ("12345", "१२३४५६७८९०१२"):
        refused = await shop.seen(asked, number)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reference")
    said = await shop.seen(asked, "0123 4567 8901")
    assert said.status_code == 200, said.text
    paid = said.json()
    assert (paid["status"], paid["reference"], paid["flags"]) == ("captured", "012345678901", ["unverified"])
    sale = await shop.sale(paid)
    assert (sale["status"], sale["payments"][0]["unverified"]) == ("completed", True)
    gone = await shop.as_("cashier").get(f"{PAYMENTS}/payments/{asked['id']}/code")
    assert (gone.status_code, gone.json()["code"]) == (409, "not-awaited")
    [trail] = [one for one in await shop.box.trail(f"payment:{asked['id']}", SHOP) if one["deed"].endswith("by_hand")]
    assert trail["actor_name"] == "Cashier"
    await lines(shop, ("012345678901", 25_000))
    proved = await shop.payment(asked["id"])
    assert (proved["status"], proved["flags"], proved["captured"]) == ("captured", [], "250.00")
    assert await cut_off(shop) == 0
    assert await shop.questions() == []


async def test_one_number_counts_once_whoever_says_it(shop: UpiShop) -> None:
    first, second = await shop.ask(), await shop.ask()
    said = ((first, "111122223333"), (second, "1111 2222 3333"), (first, "1111-22223333"), (second, "111122223333"))
    answers = await asyncio.gather(*(shop.seen(one, number) for one, number in said))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    standing = [(await shop.payment(one["id"]))["captured"] for one in (first, second)]
    assert sorted(standing) == ["0.00", "250.00"]
    assert {one.json()["code"] for one in answers if one.status_code == 409} <= {"already-claimed", "not-awaited"}
    noted = await shop.noted("111122223333")
    assert (noted.status_code, noted.json()["code"]) == (409, "already-claimed")


@on_one
async def test_the_twin_that_keeps_numbers_as_they_are_typed_counts_one_twice(
    shop: UpiShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above would fail on it."""
    monkeypatch.setattr(Upi, "number", lambda self, said: said)
    first, second = await shop.ask(), await shop.ask()
    answers = [await shop.seen(first, "111122223333"), await shop.seen(second, "1111 2222 3333")]
    assert [one.status_code for one in answers] == [200, 200]


@on_one
async def test_beyond_a_limit_a_second_person_says_so_too(shop: UpiShop) -> None:
    refused = await shop.noted("777788889999", "5000.01")
    assert (refused.status_code, refused.json()["code"]) == (403, "approval-required"), refused.text
    assert refused.json()["action"] == "payments.confirmed_amount"
    assert (await shop.noted("777788889999", "5000.01", "manager")).status_code == 201
    keeper = await shop.noted("777788880000", "1.00", "stock_keeper")
    assert keeper.status_code == 403


@on_one
async def test_another_amount_late_money_and_money_twice_are_a_persons_to_decide(shop: UpiShop) -> None:
    less, more = await shop.ask(), await shop.ask()
    assert (await shop.seen(less, "100000000001", amount="200.00")).json()["captured"] == "200.00"
    assert (await shop.seen(more, "100000000002", amount="300.00")).json()["captured"] == "300.00"
    twice = await shop.seen(more, "100000000003")
    assert (twice.status_code, twice.json()["code"]) == (409, "not-awaited")
    assert (await shop.seen(more, "100000000003", again=True)).status_code == 200
    late = await shop.ask()
    shop.box.clock.pass_by(minutes=16)
    await shop.box.run_jobs()
    assert (await shop.sale(late))["status"] == "expired"
    assert (await shop.seen(late, "100000000004")).json()["status"] == "captured"
    found = {one["kind"]: one for one in await shop.questions()}
    assert {kind: one["amount"] for kind, one in found.items()} == {
        "underpaid": "50.00",
        "overpaid": "50.00",
        "paid_twice": "250.00",
        "late": "250.00",
        "refund_failed": "200.00",
    }
    assert found["late"]["actions"][0] == "refund_by_hand"
    back = await shop.decide(found["late"], "refund_by_hand", reference="100000000099")
    assert back.status_code == 200, back.text
    assert (await shop.payment(late["id"]))["refunded"] == "250.00"


@on_one
async def test_what_no_statement_shows_is_asked_about_and_answered_by_a_later_one(shop: UpiShop) -> None:
    asked = await shop.ask()
    assert (await shop.seen(asked, "200000000001")).status_code == 200
    assert await cut_off(shop, dt.timedelta(days=-1)) == 0
    assert await cut_off(shop) == 1
    await cut_off(shop)
    [question] = await shop.questions()
    assert (question["kind"], question["payment_id"]) == ("unverified", asked["id"])
    await lines(shop, ("200000000001", 25_000))
    await lines(shop, ("200000000001", 25_000))
    assert await shop.questions() == []
    assert (await shop.payment(asked["id"]))["flags"] == []


@on_one
async def test_a_statement_shows_another_amount_than_was_said(shop: UpiShop) -> None:
    asked = await shop.ask()
    assert (await shop.seen(asked, "200000000002")).status_code == 200
    await lines(shop, ("200000000002", 20_000))
    [question] = await shop.questions()
    assert (question["kind"], question["amount"]) == ("contradicted", "200.00")


async def test_money_at_the_counter_stands_in_the_tray_until_one_sale_claims_it(shop: UpiShop) -> None:
    noted = await shop.noted("300000000001", words="two bags")
    assert (noted.status_code, noted.json()["unverified"], noted.json()["reference"]) == (201, True, "two bags")
    claim = {"method": "upi", "amount": "250.00", "claims": noted.json()["id"]}
    answers = await asyncio.gather(*(shop.sell(claim) for _ in range(3)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409]
    [sale] = [one.json() for one in answers if one.status_code == 201]
    assert sale["payments"][0]["unverified"] is True
    await lines(shop, ("300000000001", 25_000), ("300000000002", 10_000), ("300000000002", 10_000))
    assert (await shop.payment(sale["payments"][0]["id"]))["flags"] == []
    [left] = (await shop.as_("cashier").get(f"{PAYMENTS}/incoming")).json()["items"]
    assert (left["number"], left["unverified"], left["amount"]) == ("300000000002", False, "100.00")


@on_one
async def test_money_in_the_tray_is_the_money_that_a_person_means(shop: UpiShop) -> None:
    asked = await shop.ask()
    await lines(shop, ("400000000001", 25_000))
    other = await shop.seen(asked, "400000000001", amount="249.00")
    assert (other.status_code, other.json()["errors"][0]["available"]) == (422, "250.00")
    paid = (await shop.seen(asked, "400000000001")).json()
    assert (paid["status"], paid["flags"]) == ("captured", [])
    assert (await shop.as_("cashier").get(f"{PAYMENTS}/incoming")).json()["items"] == []


@on_one
async def test_what_nobody_paid_is_called_back_and_asked_for_again(shop: UpiShop) -> None:
    asked = await shop.ask()
    cashier = shop.as_("cashier")
    back = await cashier.post(f"{PAYMENTS}/payments/{asked['id']}/cancel")
    assert (back.status_code, back.json()["status"]) == (200, "cancelled")
    again = await cashier.post(f"{PAYMENTS}/payments/{asked['id']}/resend", {})
    assert again.status_code == 201, again.text
    await shop.box.run_jobs()
    assert (await shop.payment(again.json()["id"]))["show"]["kind"] == "qr"
    assert (await shop.seen(again.json(), "500000000001")).status_code == 200
    assert (await shop.sale(asked))["status"] == "completed"
    cash = (await shop.sell({"method": "cash", "amount": "250.00"})).json()["payments"][0]
    assert (await shop.seen(cash, "500000000002")).json()["code"] == "not-awaited"
