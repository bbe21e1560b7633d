"""Fields of a shop's own on customers: filtered by, and gone from every place when the customer is erased."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.work import Work
from plugins.customers.models import CustomerKey

FIELDS, CUSTOMERS = "/api/v1/custom-fields", "/api/v1/customers/customers"
BORN = {"entity": "customers.customer", "key": "born", "label": "Birthday", "kind": "date"}
ALIAS = {"entity": "customers.customer", "key": "alias", "label": "Known as", "kind": "text"}


async def test_customers_are_found_by_fields_and_forgotten_with_them(box: Box) -> None:
    owner = box.client("owner")
    for one in (BORN, ALIAS):
        assert (await owner.post(FIELDS, one)).status_code == 201
    ids = []
    for name, born in (("Asha", "1990-05-01"), ("Brian", "2001-01-31"), ("Chebet", None)):
        custom = {"born": born, "alias": f"Kipepeo{name}"}
        made = await owner.post(CUSTOMERS, {"name": name, "custom": custom})
        assert made.json()["custom"] == custom, made.text
        ids.append(made.json()["id"])
    changed = await owner.patch(f"{CUSTOMERS}/{ids[2]}", {"custom": {"born": "1988-02-29"}}, version=1)
    assert changed.json()["custom"] == {"born": "1988-02-29", "alias": "KipepeoChebet"}

    async def found(**params: str) -> list[str]:
        answer = await owner.get(CUSTOMERS, params=params)
        return [one["name"] for one in answer.json()["items"]]

    assert await found(**{"custom.born.to": "1999-12-31"}) == ["Asha", "Chebet"]
    assert await found(**{"custom.born": "2001-01-31", "q": "bri"}) == ["Brian"]
    handed = (await owner.get(f"{CUSTOMERS}/{ids[0]}/personal-data")).json()
    assert "1990-05-01" in json.dumps(handed)
    erased = await owner.post(f"{CUSTOMERS}/{ids[0]}/erase", {"reason": "wish"})
    assert erased.status_code == 200, erased.text
    assert await found(**{"custom.born.to": "1999-12-31"}) == ["Chebet"]

    async def keys(work: Work) -> list[str]:
        mine: Any = sa.select(CustomerKey.key).where(CustomerKey.business_id == work.business_id)
        return sorted((await work.execute(mine)).scalars())

    assert not [key for key in await box.look(keys) if "Asha" in key or "1990" in key]
    leaver = (await owner.get(f"{CUSTOMERS}/{ids[0]}")).json()
    assert leaver["custom"] == {"born": None, "alias": None}
