"""Customers and groups over the API, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.db.tables import Audit
from kernel.testing.box import Box
from kernel.work import Work
from plugins.customers.api import CustomerFacts, customer
from plugins.customers.testing import a_customer, a_group

CUSTOMERS, GROUPS = "/api/v1/customers/customers", "/api/v1/customers/groups"


async def names(box: Box, **params: Any) -> list[str]:
    answer = await box.client("cashier").get(CUSTOMERS, params=params)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["items"]]


async def test_a_cashier_adds_a_customer_and_finds_them_again(box: Box) -> None:
    cashier = box.client("cashier")
    made = await cashier.post(
        CUSTOMERS,
        {"name": "Grace Wambui", "phone": "0712345678", "email": "grace@mail.example", "tax_number": "a004416331m"},
    )
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == '"1"'
    body = made.json()
    assert (body["phone"], body["tax_number"], body["kind"]) == ("+254712345678", "A004416331M", "person")
    read = await cashier.get(made.headers["Location"])
    assert read.json() == body
    for said in ("wambui", "GRACE wam", "0712 345 678", "grace@mail", "a004416331"):
        assert await names(box, q=said) == ["Grace Wambui"], said
    assert await names(box, phone="0712345678") == ["Grace Wambui"]
    assert await names(box, q="grace otieno") == []


async def test_signs_of_the_search_language_are_only_letters(box: Box) -> None:
    await a_customer(box, "100% Cotton")
    await a_customer(box, "Plain")
    assert await names(box, q="%") == ["100% Cotton"]
    assert await names(box, q="_") == []


async def test_a_family_may_share_a_phone(box: Box) -> None:
    await a_customer(box, "Ali", phone="0712345678")
    again = await box.client("cashier").post(CUSTOMERS, {"name": "Halima", "phone": "+254712345678"})
    assert again.status_code == 201
    assert await names(box, phone="0712345678") == ["Ali", "Halima"]


async def test_a_till_chooses_the_id_once(box: Box) -> None:
    chosen = str(uuid.uuid4())
    cashier = box.client("cashier")
    assert (await cashier.post(CUSTOMERS, {"name": "Ali", "id": chosen})).json()["id"] == chosen
    again = await cashier.post(CUSTOMERS, {"name": "Other", "id": chosen})
    assert (again.status_code, again.json()["code"]) == (409, "already-exists")
    elsewhere = await box.client("cashier", "sharma-kirana").post(CUSTOMERS, {"name": "Anita", "id": chosen})
    assert elsewhere.status_code == 201, "another business has its own ids"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"phone": "12345"}, "/phone"),
        ({"phone": "call me"}, "/phone"),
        ({"tax_number": "P05136594M"}, "/tax_number"),
        ({"email": "nobody"}, "/email"),
        ({"group_id": "00000000-0000-0000-0000-000000000001"}, "/group_id"),
        ({"kind": "ghost"}, "/kind"),
        ({"name": ""}, "/name"),
        ({"points": 3}, "/points"),
        ({"ext": {"ghost": {}}}, "/ext/ghost"),
    ],
)
async def test_a_wrong_detail_is_refused_at_its_place(box: Box, wrong: dict[str, Any], pointer: str) -> None:
    answer = await box.client("cashier").post(CUSTOMERS, {"name": "Ali", **wrong})
    assert answer.status_code == (404 if pointer == "/group_id" else 422), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert await names(box) == []


async def test_an_indian_company_is_supplied_where_its_gstin_says(box: Box) -> None:
    client = box.client("manager", "sharma-kirana")
    data = {"name": "Sai Foods", "kind": "company", "tax_number": "27AAPFU0939F1ZV", "phone": "98000 00101"}
    made = (await client.post(CUSTOMERS, data)).json()
    assert (made["subdivision"], made["phone"]) == ("27", "+919800000101")
    stated = (await client.post(CUSTOMERS, {**data, "subdivision": "08"})).json()
    assert stated["subdivision"] == "08"
    wrong = await client.post(CUSTOMERS, {**data, "tax_number": "27AAPFU0939F1ZO"})
    assert wrong.status_code == 422


async def test_a_change_needs_the_version_that_was_read(box: Box) -> None:
    id_, client = await a_customer(box, "Ali", phone="0712345678"), box.client("manager")
    path = f"{CUSTOMERS}/{id_}"
    assert (await client.patch(path, {"name": "Ali Noor"})).status_code == 428
    changed = await client.patch(path, {"name": "Ali Noor", "phone": None}, version=1)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["phone"], changed.headers["ETag"]) == ("Ali Noor", None, '"2"')
    assert (await client.patch(path, {"note": "late"}, version=1)).status_code == 412
    assert await names(box, q="noor") == ["Ali Noor"]
    assert await names(box, q="0712345678") == []
    assert (await client.patch(path, {"name": None}, version=2)).status_code == 422


async def test_a_customer_who_left_is_switched_off_and_stays(box: Box) -> None:
    id_ = await a_customer(box, "Ali")
    await a_customer(box, "Rose")
    await box.client("manager").patch(f"{CUSTOMERS}/{id_}", {"is_active": False}, version=1)
    assert await names(box, is_active="true") == ["Rose"]
    facts = await box.look(lambda work: customer(work, id_))
    assert facts is not None
    assert not facts.is_active


async def test_a_list_goes_on_where_its_page_ended(box: Box) -> None:
    for name in ("Cy", "Ann", "Bob"):
        await a_customer(box, name)
    client = box.client("accountant")
    first = (await client.get(CUSTOMERS, params={"limit": 2, "include_total": "true"})).json()
    assert ([one["name"] for one in first["items"]], first["total"]) == (["Ann", "Bob"], 3)
    rest = (await client.get(CUSTOMERS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert ([one["name"] for one in rest["items"]], rest["next_cursor"]) == (["Cy"], None)
    assert await names(box, sort="-name") == ["Cy", "Bob", "Ann"]
    assert (await client.get(CUSTOMERS, params={"sort": "phone"})).status_code == 422


async def test_another_business_sees_nothing(box: Box) -> None:
    id_, group = await a_customer(box, "Ali"), await a_group(box)
    stranger = box.client("owner", "sharma-kirana")
    for path in (f"{CUSTOMERS}/{id_}", f"{GROUPS}/{group}"):
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.patch(path, {"name": "Mine"}, version=1)).status_code == 404
    assert (await stranger.get(CUSTOMERS)).json()["items"] == []
    assert await box.look(lambda work: customer(work, id_), shop="sharma-kirana") is None
    joined = await stranger.post(CUSTOMERS, {"name": "Anita", "group_id": str(group)})
    assert joined.status_code == 404


async def test_who_may_not_see_or_edit_is_refused(box: Box) -> None:
    id_, group = await a_customer(box), await a_group(box)
    keeper, accountant = box.client("stock_keeper"), box.client("accountant")
    for path in (CUSTOMERS, f"{CUSTOMERS}/{id_}", GROUPS, f"{GROUPS}/{group}"):
        assert (await keeper.get(path)).status_code == 403
        assert (await accountant.get(path)).status_code == 200
        assert (await box.client(None).get(path)).status_code == 401
    assert (await accountant.post(CUSTOMERS, {"name": "Ali"})).status_code == 403
    assert (await accountant.post(GROUPS, {"code": "vip", "name": "Best"})).status_code == 403
    assert (await accountant.patch(f"{CUSTOMERS}/{id_}", {"name": "Ali"}, version=1)).status_code == 403
    assert (await accountant.patch(f"{GROUPS}/{group}", {"name": "Ali"}, version=1)).status_code == 403


async def test_groups_gather_customers(box: Box) -> None:
    manager = box.client("manager")
    made = await manager.post(GROUPS, {"code": "wholesale", "name": "Wholesale"})
    assert made.status_code == 201, made.text
    group = made.json()["id"]
    assert (await manager.get(made.headers["Location"])).json() == made.json()
    same = await manager.post(GROUPS, {"code": "wholesale", "name": "Again"})
    assert (same.status_code, same.json()["errors"][0]["pointer"]) == (409, "/code")
    await a_customer(box, "Rose", group_id=uuid.UUID(group), phone="0712345678")
    await a_customer(box, "Ali")
    assert await names(box, group_id=group) == ["Rose"]
    changed = await manager.patch(f"{GROUPS}/{group}", {"code": "trade"}, version=1)
    assert changed.json() == {"id": group, "code": "trade", "name": "Wholesale"}
    await a_group(box, "staff", "Staff")
    taken = await manager.patch(f"{GROUPS}/{group}", {"code": "staff"}, version=2)
    assert taken.status_code == 409
    listed = (await manager.get(GROUPS)).json()["items"]
    assert [one["code"] for one in listed] == ["staff", "trade"]
    assert len((await manager.get(GROUPS, params={"code": "trade"})).json()["items"]) == 1


async def test_other_plugins_get_the_facts_of_a_customer(box: Box) -> None:
    group = await a_group(box)
    id_ = await a_customer(box, "Rose", phone="0712345678", group_id=group, subdivision="47")
    facts = await box.look(lambda work: customer(work, id_))
    assert facts == CustomerFacts(
        id_, "Rose", "person", "+254712345678", group, "wholesale", "47", None, is_active=True
    )
    assert await box.look(lambda work: customer(work, uuid.uuid4())) is None


async def test_the_audit_trail_names_no_personal_data(box: Box) -> None:
    client = box.client("manager")
    data = {"name": "Grace Wambui", "phone": "0712345678", "email": "grace@mail.example"}
    id_ = (await client.post(CUSTOMERS, data)).json()["id"]
    await client.patch(f"{CUSTOMERS}/{id_}", {"email": "wambui@mail.example"}, version=1)

    async def trail(work: Work) -> list[tuple[str | None, str]]:
        rows = await work.execute(sa.select(Audit.subject, Audit.facts).where(Audit.business_id == work.business_id))
        return [(row.subject, str(row.facts)) for row in rows.all()]

    rows = await box.look(trail)
    said = " ".join(f"{subject} {facts}" for subject, facts in rows)
    assert f"customer:{id_}" in said
    for private in ("Grace", "Wambui", "wambui", "712345678", "mail.example"):
        assert private not in said
