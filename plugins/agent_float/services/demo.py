"""A week of an M-PESA agent beside a demo shop in Kenya."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, Final, Protocol
from uuid import UUID

from kernel.work import Shop, Work
from plugins.agent_float.rules import Served
from plugins.agent_float.schemas import CloseIn, CountIn, LineIn, ServedIn
from plugins.agent_float.services.closing import close_day
from plugins.agent_float.services.lines import add_line, find_line
from plugins.agent_float.services.noting import serve

DAYS: Final = 7
REGION: Final = "KE"
LINES: Final = (("CASH", "Agent drawer", "cash", "", "60000"), ("MPESA-1", "M-PESA till 1", "float", "M-PESA", "80000"))
"""Code, name, kind, provider, and what stands on it at the beginning."""
A_DAY: Final = (3, 7)
"""Customers a day: least and most."""


class Demo(Protocol):
    """What this needs of the demo in the making."""

    shop: Shop
    days: list[dt.date]
    locations: dict[str, tuple[UUID, str]]
    act: Any


async def serve_for_a_week(demo: Demo) -> None:
    """Open a drawer and a float at the first storefront, serve customers for a week, and close each day."""
    if demo.shop.region != REGION:
        return
    rng = random.Random(f"{demo.shop.slug}/agent_float")  # noqa: S311 - demo data, not a secret
    location_id = next(id_ for id_, kind in demo.locations.values() if kind == "storefront")
    days = demo.days[-DAYS:]
    lines = [await _open(demo, location_id, *said, days[0]) for said in LINES]
    for day in days:
        for number in range(rng.randint(*A_DAY)):
            await _serve(demo, rng, lines, day, number)
        await _close(demo, lines, day)


async def _open(
    demo: Demo, location_id: UUID, code: str, name: str, kind: str, provider: str, opening: str, day: dt.date
) -> UUID:
    said = LineIn(
        location_id=location_id,
        code=code,
        name=name,
        kind=kind,  # type: ignore[arg-type]
        provider=provider,
        opening=opening,
    )
    made: UUID = await demo.act(lambda work: add_line(work, said), role="owner", at=_at(demo, day, 8))
    return made


async def _serve(demo: Demo, rng: random.Random, lines: list[UUID], day: dt.date, number: int) -> None:
    kind: Served = "deposit" if rng.random() < 0.5 else "withdrawal"
    amount = rng.randrange(200, 3000, 50)
    said = ServedIn(cash_line_id=lines[0], float_line_id=lines[1], amount=str(amount), commission=str(amount // 200))
    await demo.act(lambda work: serve(work, kind, said), role="cashier", at=_at(demo, day, 9 + number))


async def _close(demo: Demo, lines: list[UUID], day: dt.date) -> None:
    async def close(work: Work) -> None:
        counts = tuple(
            [
                CountIn(line_id=line_id, counted=(await find_line(work, line_id))[0].balance, reason="")
                for line_id in lines
            ]
        )
        await close_day(work, CloseIn(counts=counts))

    await demo.act(close, role="manager", at=_at(demo, day, 20))


def _at(demo: Demo, day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), demo.shop.tz).astimezone(dt.UTC)
