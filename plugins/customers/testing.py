"""Builders for tests of plugins that sell to customers; they go through the use cases."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from kernel.testing.box import Box
from kernel.work import Work
from plugins.customers.schemas import CustomerIn, GroupIn
from plugins.customers.services import add_customer, add_group


async def a_customer(
    box: Box,
    name: str = "Grace Wambui",
    *,
    phone: str | None = None,
    group_id: uuid.UUID | None = None,
    subdivision: str | None = None,
    ext: dict[str, Any] | None = None,
    shop: str = "mama-njeri",
) -> uuid.UUID:
    """The id of a new customer. ext: what plugins keep with them, as on the wire."""
    raw = {plugin: msgspec.Raw(msgspec.json.encode(said)) for plugin, said in (ext or {}).items()}
    data = CustomerIn(name=name, phone=phone, group_id=group_id, subdivision=subdivision, ext=raw)

    async def run(work: Work) -> uuid.UUID:
        return (await add_customer(work, data)).id

    return await box.act(run, shop=shop)


async def a_group(box: Box, code: str = "wholesale", name: str = "Wholesale", *, shop: str = "mama-njeri") -> uuid.UUID:
    """The id of a new group of customers."""

    async def run(work: Work) -> uuid.UUID:
        return (await add_group(work, GroupIn(code=code, name=name))).id

    return await box.act(run, shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two groups with a customer each."""
    for name in ("Asha Mwangi", "Brian Otieno"):
        own["group_id"] = str(await a_group(box, name.split()[0].lower(), f"Friends of {name}", shop=shop))
        own["customer_id"] = str(await a_customer(box, name, group_id=uuid.UUID(own["group_id"]), shop=shop))
