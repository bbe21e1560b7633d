"""Builders for other plugins' tests: lines and transactions that go through the use cases."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from msgspec import convert

from kernel.testing.box import Box
from plugins.agent_float.rules import Served
from plugins.agent_float.schemas import CloseIn, LineIn, ServedIn, TransactionOut
from plugins.agent_float.services import add_line, close_day, serve


async def a_line(
    box: Box, kind: str = "float", opening: str = "50000.00", *, shop: str = "mama-njeri", **fields: object
) -> uuid.UUID:
    """A line with money on it. fields: more of the request."""
    said = {
        "location_id": await box.location(shop=shop),
        "code": f"line-{uuid.uuid4().hex[:8]}",
        "name": kind,
        "kind": kind,
        "provider": "M-PESA" if kind == "float" else "",
        "opening": opening,
    }
    data = convert(said | fields, LineIn)
    return await box.act(lambda work: add_line(work, data), role="owner", shop=shop)


async def a_customer_served(
    box: Box,
    cash: uuid.UUID,
    float_: uuid.UUID,
    amount: str = "2500.00",
    *,
    kind: Served = "deposit",
    role: str | None = "cashier",
    shop: str = "mama-njeri",
    **fields: object,
) -> TransactionOut:
    """A deposit, or a withdrawal. fields: more of the request."""
    said = {"cash_line_id": cash, "float_line_id": float_, "amount": amount, **fields}
    data = convert(said, ServedIn)
    return await box.act(lambda work: serve(work, kind, data), role=role, shop=shop)


async def a_day_closed(box: Box, counts: dict[uuid.UUID, str], *, shop: str = "mama-njeri", reason: str = "") -> None:
    """The day of lines closed with counts; reason: why they differ."""
    said = [{"line_id": line, "counted": counted, "reason": reason} for line, counted in counts.items()]
    data = convert({"counts": said}, CloseIn)
    await box.act(lambda work: close_day(work, data), role="manager", shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str], text: Callable[[str], str] = str) -> None:
    """Cash and float with customers served; two lines whose day is closed. text: how words are written."""
    cash = await a_line(box, "cash", shop=shop, name=text("drawer"))
    float_ = await a_line(box, shop=shop, name=text("till"), account=text("1"))
    for number in "12":
        made = await a_customer_served(box, cash, float_, shop=shop, reference="", note=text(f"note {number}"))
        own["transaction_id"] = str(made.id)
    store = await box.location("store", shop=shop)
    closed = [await a_line(box, kind, shop=shop, name=text(kind), location_id=store) for kind in ("cash", "float")]
    await a_day_closed(box, dict.fromkeys(closed, "49990.00"), shop=shop, reason=text("wrong change"))
    own |= {"line_id": str(float_), "cash_line_id": str(cash), "float_line_id": str(float_)}
    own |= {"from_line_id": str(cash), "to_line_id": str(float_)}
