"""Builders for other plugins' tests: expenses that go through the use case."""

from __future__ import annotations

from msgspec import convert

from kernel.testing.box import Box
from plugins.daybook.schemas import ExpenseIn, ExpenseOut, ExpenseQuery
from plugins.daybook.services import list_expenses, note_expense


async def an_expense(
    box: Box, amount: str = "35.00", *, role: str | None = "manager", shop: str = "mama-njeri", **fields: object
) -> ExpenseOut:
    """Note an expense, paid in cash unless `method` says otherwise. fields: more of the request."""
    said = {"location_id": await box.location(shop=shop), "amount": amount, "category": "transport", **fields}
    data = convert(said, ExpenseIn)
    id_ = (await box.act(lambda work: note_expense(work, data), role=role, shop=shop)).id
    listed = await box.look(lambda work: list_expenses(work, ExpenseQuery(limit=200)), shop=shop)
    return next(one for one in listed.items if one.id == id_)


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two expenses."""
    for amount in ("35.00", "40.00"):
        made = await an_expense(box, amount, shop=shop)
        own["expense_id"], own["date"] = str(made.id), str(made.business_date)
