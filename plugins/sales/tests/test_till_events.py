"""P43: what happens at a till without a sale leaves a row with person, reason and till that nobody changes."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kernel.db.tables import Audit
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.sales.models import TillEvent
from plugins.sales.testing import a_sale


async def events_of(box: Box) -> str:
    registers = (await box.client("cashier").get("/api/v1/sales/registers")).json()["items"]
    return f"/api/v1/sales/registers/{registers[0]['id']}/events"


async def test_an_opened_drawer_a_deleted_line_and_a_reprint_are_kept_with_person_and_reason(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    sale = await a_sale(box, {rice: "1"})
    path, cashier = await events_of(box), box.client("cashier")
    said = [
        {"kind": "drawer_opened", "reason": "change for the next stall"},
        {"kind": "line_deleted", "reason": "wrong rice", "product_id": str(rice), "quantity": "2", "amount": "200.00"},
        {"kind": "reprint", "reason": "paper ran out", "sale_id": str(sale.id)},
    ]
    for one in said:
        box.clock.pass_by(minutes=1)
        answer = await cashier.post(path, one)
        assert answer.status_code == 201, answer.text
    listed = (await box.client("manager").get(path)).json()["items"]
    assert [one["kind"] for one in listed] == ["reprint", "line_deleted", "drawer_opened"]
    assert {one["by_name"] for one in listed} == {"Cashier"}
    deleted = listed[1]
    assert (deleted["reason"], deleted["quantity"], deleted["amount"]) == ("wrong rice", "2", "200.00")
    only = (await cashier.get(path, params={"kind": "reprint"})).json()["items"]
    assert [one["sale_id"] for one in only] == [str(sale.id)]

    async def trail(work: Work) -> list[tuple[str | None, str | None, uuid.UUID | None]]:
        mine = sa.select(Audit.subject, Audit.reason, Audit.register_id).where(
            Audit.business_id == work.business_id, Audit.deed == "sales.note_till_event"
        )
        return [tuple(row) for row in (await work.execute(mine.order_by(Audit.id))).all()]

    register = uuid.UUID(path.split("/")[-2])
    assert await box.look(trail) == [(f"register:{register}", one["reason"], register) for one in said]


async def test_an_event_says_why_and_names_what_it_is_about(box: Box) -> None:
    path, cashier = await events_of(box), box.client("cashier")
    for body, pointer, *unknown in (
        ({"kind": "drawer_opened", "reason": ""}, "/reason"),
        ({"kind": "drawer_opened"}, "/reason"),
        ({"kind": "line_deleted", "reason": "x"}, "/product_id"),
        ({"kind": "line_deleted", "reason": "x", "product_id": str(uuid.uuid4())}, "/product_id", 404),
        ({"kind": "reprint", "reason": "x"}, "/sale_id"),
        ({"kind": "reprint", "reason": "x", "sale_id": str(uuid.uuid4())}, "/sale_id", 404),
        ({"kind": "drawer_opened", "reason": "x", "amount": "1.005"}, "/amount"),
    ):
        answer = await cashier.post(path, body)
        status = unknown[0] if unknown else 422
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text
    nowhere = f"/api/v1/sales/registers/{uuid.uuid4()}/events"
    assert (await cashier.post(nowhere, {"kind": "drawer_opened", "reason": "x"})).status_code == 404
    assert (await box.client("stock_keeper").post(path, {"kind": "drawer_opened", "reason": "x"})).status_code == 403


@pytest.mark.parametrize("deed", ["UPDATE sales_till_event SET reason = 'as if'", "DELETE FROM sales_till_event"])
async def test_an_event_is_never_changed(box: Box, deed: str) -> None:
    path = await events_of(box)
    assert (await box.client("cashier").post(path, {"kind": "drawer_opened", "reason": "x"})).status_code == 201
    async with box.deployment.database.writer.connect() as connection:
        with pytest.raises(DBAPIError, match="append-only"):
            await connection.execute(sa.text(deed))

    async def count(work: Work) -> int:
        mine = sa.select(sa.func.count()).where(TillEvent.business_id == work.business_id)
        return int((await work.execute(mine)).scalar_one())

    assert await box.look(count) == 1
