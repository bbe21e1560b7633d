"""The opening stock of a demo business."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any, Protocol
from uuid import UUID

from kernel.money import MICRO, allocate, format_micro, parse_micro
from kernel.work import Shop, Work
from plugins.catalog.api import UNIT_DECIMALS
from plugins.inventory.schemas import ReceiptIn, ReceivedLine
from plugins.inventory.services.documents import receive_goods

OPENED_AT = dt.time(18, 0)
SHARE_OF_MAIN, SHARE_OF_REST = 6, 4


class Demo(Protocol):
    """What this needs of the demo in the making."""

    shop: Shop
    days: list[dt.date]
    rng: random.Random
    notes: dict[str, Any]
    locations: dict[str, tuple[UUID, str]]
    act: Any


async def stock_the_shelves(demo: Demo) -> None:
    """Take in each location's share of the opening stock, in one deed on the evening before the month."""
    eve = dt.datetime.combine(demo.days[0] - dt.timedelta(days=1), OPENED_AT, demo.shop.tz)
    receipts = list(_receipts(demo))

    async def receive(work: Work) -> None:
        for receipt in receipts:
            await receive_goods(work, receipt, "opening")

    await demo.act(receive, role="stock_keeper", at=eve.astimezone(dt.UTC))


def _receipts(demo: Demo) -> Iterator[ReceiptIn]:
    """Six tenths for the first storefront, the rest evenly for the others."""
    places = sorted(demo.locations.values(), key=lambda place: place[1] != "storefront")
    others = max(1, len(places) - 1)
    weights = [SHARE_OF_MAIN * others, *[SHARE_OF_REST] * (len(places) - 1)]
    lines: list[list[ReceivedLine]] = [[] for _ in places]
    for product in demo.notes.get("products", []):
        if not product["track_stock"] or not product["opening_stock"]:
            continue
        step = MICRO // 10 ** UNIT_DECIMALS[product["unit"]]
        for place, share in enumerate(allocate(parse_micro(product["opening_stock"]) // step, weights)):
            if share:
                quantity = format_micro(share * step)
                lines[place].append(
                    ReceivedLine(product_id=product["id"], quantity=quantity, unit_cost=product["cost"])
                )
    for (location_id, _), received in zip(places, lines, strict=True):
        if received:
            yield ReceiptIn(location_id=location_id, lines=received, note="Opening stock")
