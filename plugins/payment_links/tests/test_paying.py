"""A link from its making to the receipt, as the shop and the payer see it, on both databases."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from kernel.web import streams
from plugins.payment_links.testing import a_link
from plugins.payment_links.tests.payer import Payer
from plugins.payments.api import GatewayFact
from plugins.payments.testing import hear
from plugins.payments.testing.toy_box import ToyBox

LINKS, SALES = "/api/v1/payment_links/links", "/api/v1/sales/sales"


async def made(toy: ToyBox, **said: Any) -> dict[str, Any]:
    body = {"location_id": str(await toy.box.location()), "words": "School shoes", **said}
    answer = await toy.box.client("cashier").post(LINKS, body)
    assert answer.status_code == 201, answer.text
    link: dict[str, Any] = answer.json()
    return link


async def of(toy: ToyBox, link: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await toy.box.client("cashier").get(f"{LINKS}/{link['id']}")).json()
    return found


async def captured(toy: ToyBox) -> list[dict[str, Any]]:
    listed = (await toy.box.client("cashier").get("/api/v1/payments/payments")).json()["items"]
    return [one for one in listed if one["captured"] != "0.00"]


async def test_a_payer_opens_a_link_pays_by_prompt_and_has_a_receipt(toy: ToyBox) -> None:
    link = await made(toy, amount="1500.00")
    assert (link["state"], link["number"]) == ("open", "PL-2026-000001")
    assert link["address"] in link["message"]
    assert "KSh 1,500.00" in link["message"]
    payer = Payer(toy, link["address"])
    page = await payer.look()
    assert page.status_code == 200
    for words in ("Mama Njeri Stores", "KSh 1,500.00", "School shoes", "Pay with Toy money", "Pay with Toy code"):
        assert words in page.text
    wrong = await payer.pays(phone="0212 345 678")
    assert (wrong.status_code, "This number cannot pay" in wrong.text, 'value="0212 345 678"' in wrong.text) == (
        422,
        True,
        True,
    )
    assert "Your request is on its way" in (await payer.pays()).text
    toy.provider.next("ask", "decline")
    assert "Nothing was taken" in (await payer.goes_on()).text
    assert "Your request is on its way" in (await payer.pays()).text
    page = await payer.goes_on()
    assert "Confirm on your phone" in page.text
    assert "712345678" not in page.text.replace(" ", "")
    toy.provider.pay(max(toy.provider.payments))
    toy.box.clock.pass_by(seconds=13)
    assert "Confirm on your phone" in (await payer.send(do="ask")).text
    page = await payer.goes_on()
    [money] = await captured(toy)
    assert "Paid. Thank you!" in page.text
    assert money["reference"] in page.text
    assert (money["subject_number"], money["captured"]) == (link["number"], "1500.00")
    after = await of(toy, link)
    assert (after["state"], after["paid"], after["payments"]) == ("paid", "1500.00", 1)
    assert "Paid. Thank you!" in (await payer.pays()).text
    await toy.box.run_jobs()
    assert len(await captured(toy)) == 1


async def test_a_payer_calls_a_request_back_and_chooses_another_way(toy: ToyBox) -> None:
    payer = Payer(toy, (await a_link(toy.box)).address)
    await payer.pays()
    assert "Confirm on your phone" in (await payer.goes_on()).text
    assert "Confirm on your phone" in (await payer.send(do="cancel")).text
    assert "The request was declined. Nothing was taken." in (await payer.goes_on()).text
    await payer.pays(method="toy_qr")
    assert "Scan this to pay" in (await payer.goes_on()).text


async def test_a_page_that_waits_is_told_when_there_is_something_new_to_see(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    payer, commits, listens = Payer(toy, (await a_link(toy.box)).address), toy.box.deployment.commits, asyncio.Event()
    wait = commits.wait

    async def waits(business_id: uuid.UUID, seconds: float) -> None:
        listens.set()
        await wait(business_id, seconds)

    monkeypatch.setattr(streams, "LONGEST_S", 60.0)
    monkeypatch.setattr(commits, "wait", waits)
    toy.provider.next("ask", "capture")
    before = await payer.pays()
    news = asyncio.create_task(toy.box.http.get(payer.path.partition("?")[0] + "/events"))
    await listens.wait()
    page = await payer.goes_on()
    states = re.findall(r'data: {"state":"(\w+)"}', (await news).text)
    assert f'data-state="{states[0]}"' in before.text
    assert f'data-state="{states[-1]}"' in page.text
    assert states[0] != states[-1]
    assert "Paid. Thank you!" in page.text


async def test_a_link_for_a_waiting_sale_completes_it_as_the_till_does(toy: ToyBox) -> None:
    box, cashier = toy.box, toy.box.client("cashier")
    product = {"sku": uuid.uuid4().hex, "name": "Rice", "price": "500.00", "track_stock": False}
    rice = (await box.client("owner").post("/api/v1/catalog/products", product)).json()
    ways = [{"method": "cash", "amount": "100.00"}, {"method": "payment_link", "amount": "400.00"}]
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": rice["id"]}], "payments": ways}
    sale = (await cashier.post(SALES, cart)).json()
    assert sale["status"] == "pending", sale
    link = await made(toy, subject_kind="sale", subject_id=sale["id"])
    assert (link["amount"], link["subject_number"]) == ("400.00", sale["number"])
    payer = Payer(toy, link["address"])
    toy.provider.next("ask", "capture")
    await payer.pays()
    assert "Paid. Thank you!" in (await payer.goes_on()).text
    after = (await cashier.get(f"{SALES}/{sale['id']}")).json()
    assert (after["status"], after["paid"], after["balance_due"]) == ("completed", "500.00", "0.00")
    assert {one["method"]: one["status"] for one in after["payments"]}["payment_link"] == "cancelled"
    assert (await of(toy, link))["state"] == "paid"
    again = await cashier.post(
        LINKS, {"location_id": cart["location_id"], "subject_kind": "sale", "subject_id": sale["id"]}
    )
    assert (again.status_code, again.json()["code"]) == (409, "nothing-due")


async def test_a_sale_that_is_given_up_takes_its_link_along(toy: ToyBox) -> None:
    box, cashier = toy.box, toy.box.client("manager")
    product = {"sku": uuid.uuid4().hex, "name": "Rice", "price": "500.00", "track_stock": False}
    rice = (await box.client("owner").post("/api/v1/catalog/products", product)).json()
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": rice["id"]}]}
    sale = (await cashier.post(SALES, cart | {"payments": [{"method": "payment_link", "amount": "500.00"}]})).json()
    link = await made(toy, subject_kind="sale", subject_id=sale["id"])
    await cashier.post(f"{SALES}/{sale['id']}/void", {"reason": "changed their mind"})
    after = await of(toy, link)
    assert (after["state"], after["end_reason"]) == ("cancelled", "changed their mind")
    assert (await Payer(toy, link["address"]).look()).status_code == 404


async def test_many_pay_at_one_link_each_what_they_like_and_none_sees_the_other(toy: ToyBox) -> None:
    link = await made(toy, least="50.00", most="2000.00", is_many=True)
    first, second = Payer(toy, link["address"]), Payer(toy, link["address"])
    for amount, words in (("", "in figures"), ("1e3", "in figures"), ("49", "too little"), ("2000.01", "too much")):
        refused = await first.pays(amount=amount)
        assert (refused.status_code, words in refused.text) == (422, True), amount
    await first.pays(amount="100")
    await second.pays(amount="1,250.00", phone="0712 345 679")
    assert first.path != second.path
    await toy.box.run_jobs()
    toy.provider.pay(min(toy.provider.payments))
    toy.box.clock.pass_by(seconds=13)
    assert "Paid. Thank you!" in (await first.goes_on()).text
    assert "Confirm on your phone" in (await second.look()).text
    assert "How much do you want" in (await Payer(toy, link["address"]).look()).text
    after = await of(toy, link)
    assert (after["state"], after["paid"], after["payments"]) == ("open", "100.00", 1)
    turns = (await toy.box.client("cashier").get("/api/v1/payment_links/turns")).json()["items"]
    assert sorted((one["amount"], one["paid"]) for one in turns) == [("100.00", "100.00"), ("1250.00", "0.00")]


async def test_of_two_clicks_at_once_one_asks_for_money(toy: ToyBox) -> None:
    link = await a_link(toy.box)
    clicks = [Payer(toy, link.address) for _ in range(4)]
    barrier = asyncio.Barrier(len(clicks))

    async def click(payer: Payer) -> None:
        await barrier.wait()
        await payer.pays(method="toy_qr")

    await asyncio.gather(*map(click, clicks))
    listed = (await toy.box.client("cashier").get("/api/v1/payments/payments")).json()["items"]
    assert len(listed) == 1
    await toy.box.run_jobs()
    page = await clicks[0].look()
    assert "Scan this to pay" in page.text
    assert 'href="upi://pay?pa=shop@bank&amp;pn=' in page.text


async def test_a_second_payment_is_found_and_a_person_is_asked(toy: ToyBox) -> None:
    link = await made(toy, amount="200.00")
    payer = Payer(toy, link["address"])
    toy.provider.next("ask", "capture")
    await payer.pays()
    await payer.goes_on()
    [first] = await captured(toy)
    twice = GatewayFact(kind="captured", key="again", money_key="SECOND", amount=20_000, currency="KES")
    await toy.box.act(lambda work: hear(work, uuid.UUID(first["id"]), [twice], "query"))
    page = await payer.look()
    assert "That is more than was asked for" in page.text
    assert ((await of(toy, link))["paid"], len(await captured(toy))) == ("200.00", 2)
    manager = toy.box.client("manager")
    [review] = (await manager.get("/api/v1/payments/reviews")).json()["items"]
    assert (review["kind"], review["amount"], "refund" in review["actions"]) == ("paid_twice", "200.00", True)
    back = await manager.post(f"/api/v1/payments/reviews/{review['id']}/resolve", {"action": "refund", "note": "twice"})
    assert back.status_code == 200, back.text
    page = await payer.goes_on()
    assert "Given back" in page.text
    assert "That is more" not in page.text


async def test_a_cancelled_link_takes_no_money_and_what_comes_late_is_for_a_person(toy: ToyBox) -> None:
    link = await made(toy, amount="200.00")
    payer, manager = Payer(toy, link["address"]), toy.box.client("manager")
    await payer.pays()
    await toy.box.run_jobs()
    gone = await manager.post(f"{LINKS}/{link['id']}/cancel", {"reason": "wrong customer"})
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    toy.provider.pay(max(toy.provider.payments))
    toy.box.clock.pass_by(seconds=13)
    page = await payer.goes_on()
    assert "Your money has come" in page.text
    assert "The shop has been told" in page.text
    [review] = (await manager.get("/api/v1/payments/reviews")).json()["items"]
    assert (review["kind"], review["amount"]) == ("late", "200.00")
    twice = await manager.post(f"{LINKS}/{link['id']}/cancel", {"reason": "again"})
    assert (twice.status_code, twice.json()["code"]) == (409, "link-ended")


async def test_the_code_of_a_link_leads_to_its_page(toy: ToyBox, tmp_path: Any) -> None:
    link = await a_link(toy.box)
    cashier = toy.box.client("cashier")
    picture = await cashier.get(f"{LINKS}/{link.id}/picture", params={"kind": "png"})
    assert picture.headers["Content-Type"] == "image/png"
    (tmp_path / "code.png").write_bytes(picture.content)
    with Image.open(tmp_path / "code.png") as image:
        [code] = zxingcpp.read_barcodes(image.convert("L"))
    assert code.text == link.address
    drawn = await cashier.get(f"{LINKS}/{link.id}/picture")
    assert drawn.content.startswith(b"<?xml")
