"""A till with a few goods whose prices do not come out even, and what its sales cost."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
from hypothesis import HealthCheck, settings

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.taxes.testing import a_tax_class, tax_class
from tests.promises.pricing import Bill, Good, stored_goods, text
from tests.promises.rows import read_rows

SHOPS = ("mama-njeri", "sharma-kirana")
FEW = settings(
    max_examples=25, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PLENTY = [{"method": "cash", "amount": "900000000.00"}]
PRICES = {
    "RICE": ("380.00", "352.495"),
    "SUGAR": ("152.345", "151.115"),
    "BREAD": ("65.50", None),
    "NAILS": ("0.335", "0.3"),
}
"""Retail and wholesale."""


class Till:
    """A till with a few goods whose prices do not come out even."""

    def __init__(self, box: Box, shop: str, place: str, goods: dict[str, Good]) -> None:
        self.box, self.shop, self.place, self.goods = box, shop, place, goods
        self.by_name = {good.name: id_ for id_, good in goods.items()}

    def cart(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A body; lines without a product are of rice."""
        rice = {"product_id": self.by_name["RICE"]}
        return {
            "location_id": self.place,
            "lines": [rice | line for line in lines or ({},)],
            "payments": PLENTY,
            **more,
        }

    async def sell(self, body: Any, role: str = "cashier") -> httpx.Response:
        """Complete a sale."""
        return await self.box.client(role, self.shop).post("/api/v1/sales/sales", body)

    async def quote(self, body: Any) -> httpx.Response:
        """Ask what it would cost."""
        asked = {name: value for name, value in body.items() if name != "payments"}
        return await self.box.client("cashier", self.shop).post("/api/v1/sales/quote", asked)

    @contextlib.asynccontextmanager
    async def untouched(self) -> AsyncIterator[None]:
        """What is done in here leaves every row of the shop as it was."""
        before = await read_rows(self.box, self.shop)
        yield
        changed = before.changed(await read_rows(self.box, self.shop))
        assert not changed, f"written to: {changed}"

    async def refuses(self, body: Any, status: int, code: str | None = None, role: str = "cashier") -> None:
        """The sale is refused with a status, and a code if one is named."""
        answer = await self.sell(body, role)
        assert answer.status_code == status, answer.text
        assert code is None or code in codes_of(answer.json()), answer.text


def codes_of(problem: dict[str, Any]) -> set[str]:
    """The codes of a problem document and of its errors."""
    return {problem["code"], *(one["code"] for one in problem.get("errors", ()))}


async def open_till(box: Box, shop: str) -> Till:
    low = await a_tax_class(box, "7", shop=shop) if shop == SHOPS[0] else await tax_class(box, "gst-5", shop=shop)
    kinds = {"RICE": None, "SUGAR": str(low), "BREAD": None, "NAILS": str(low)}
    for name, kind in kinds.items():
        price, wholesale = PRICES[name]
        unit = "kg" if name == "SUGAR" else "piece"
        more: dict[str, Any] = {"wholesale_price": wholesale, "tax_class_id": kind, "unit": unit, "track_stock": False}
        await a_product(box, name, price, shop=shop, **more)
    return Till(box, shop, str(await box.location(shop=shop)), await stored_goods(box, shop))


def costs(said: dict[str, Any]) -> dict[str, Any]:
    """The figures of a quote or sale."""
    names = ("subtotal", "discount_total", "tax_total", "total")
    lines = [(line["gross"], line["total"], line["tax"]) for line in said["lines"]]
    return {name: said[name] for name in names} | {"lines": lines}


def as_costs(expected: Bill) -> dict[str, Any]:
    """The figures that must be, in the same shape."""
    return expected.sums | {"lines": [tuple(map(text, line)) for line in expected.lines]}


async def stored_figures(till: Till, sale_id: str) -> dict[str, Any]:
    """The figures that stand in the sale as it is read again."""
    return costs((await till.box.client("manager", till.shop).get(f"/api/v1/sales/sales/{sale_id}")).json())
