"""Builders for other plugins' tests: links that go through the use case."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import convert

from kernel.testing.box import Box
from plugins.payment_links.schemas.links import LinkIn, LinkOut
from plugins.payment_links.services import cancel, make_link


async def a_link(
    box: Box,
    amount: str | None = "1500.00",
    *,
    role: str | None = "cashier",
    shop: str = "mama-njeri",
    **fields: object,
) -> LinkOut:
    """A link for an amount; None: the payer says how much. fields: more of the request."""
    said = {"location_id": await box.location(shop=shop), "words": "School shoes", **fields}
    data = convert(said | ({} if amount is None else {"amount": amount}), LinkIn)
    return await box.act(lambda work: make_link(work, data), role=role, shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str], text: Callable[[str], str] = str) -> None:
    """Two links, each with its turn: one for a customer if there is one, one cancelled. text: how words are written."""
    whose = {"customer_id": own["customer_id"]} if "customer_id" in own else {}
    own["link_id"] = str((await a_link(box, shop=shop, words=text("shoes"), **whose)).id)
    ended = await a_link(box, "20.00", shop=shop, words=text("books"))
    await box.act(lambda work: cancel(work, ended.id, text("mistake")), role="manager", shop=shop)
