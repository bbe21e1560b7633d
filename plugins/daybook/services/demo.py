"""A month of small expenses for a demo business."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, Final, Protocol
from uuid import UUID

from kernel.work import Shop, Work
from plugins.daybook.schemas import ExpenseIn
from plugins.daybook.services.entering import note_expense

SPENT_ON: Final = (
    ("transport", "Boda rider", (150, 600)),
    ("cleaning", "", (100, 400)),
    ("airtime", "", (50, 200)),
    ("packaging", "Paper bags", (200, 900)),
    ("repairs", "Electrician", (500, 2500)),
)
"""Category, payee, and least and most in whole units of the currency."""
CHANCE_A_DAY: Final = 0.4


class Demo(Protocol):
    """What this needs of the demo in the making."""

    shop: Shop
    days: list[dt.date]
    rng: random.Random
    locations: dict[str, tuple[UUID, str]]
    act: Any


async def spend_for_a_month(demo: Demo) -> None:
    """Note an expense at each storefront on some days, paid from the till."""
    shops = [id_ for id_, kind in demo.locations.values() if kind == "storefront"]
    for day in demo.days:
        for location_id in shops:
            if demo.rng.random() < CHANCE_A_DAY:
                await _spend(demo, location_id, day)


async def _spend(demo: Demo, location_id: UUID, day: dt.date) -> None:
    category, payee, (least, most) = demo.rng.choice(SPENT_ON)
    amount = str(demo.rng.randrange(least, most + 1, 10))
    expense = ExpenseIn(location_id=location_id, method="cash", amount=amount, category=category, payee=payee)

    async def note(work: Work) -> None:
        await note_expense(work, expense)

    at = dt.datetime.combine(day, dt.time(demo.rng.randint(9, 18), demo.rng.randint(0, 59)), demo.shop.tz)
    await demo.act(note, role="manager", at=at.astimezone(dt.UTC))
