"""Replays invoices: makes the business and what it needs, receives the goods, rings up every sale.

Every id and every Idempotency-Key is made from the file, so that a second replay changes nothing, and one that broke
off goes on where it stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

from examples.online_retail.client import Client
from examples.online_retail.figures import Product, customers_of, invoice_total, products_of
from examples.online_retail.reading import Invoice

T = TypeVar("T")
Say = Callable[[str, int, int], None]
"""Told of progress: what is being done, how many are, out of how many."""

PLUGINS: Final = ("taxes", "catalog", "customers", "payments", "sales", "inventory", "daybook")
BATCH: Final = 2000
"""The most lines of one receipt."""
_OURS: Final = UUID("6f2c1f0e-9f0d-5c52-8f0b-52a3f1a2d7c4")


@dataclass
class Rung:
    """What the answers to the sales say."""

    sales: int = 0
    lines: int = 0
    units: int = 0
    most_lines: int = 0
    total: Decimal = Decimal(0)

    def add(self, sale: Any) -> None:
        """Count one sale."""
        self.sales += 1
        self.lines += len(sale["lines"])
        self.units += sum(int(line["quantity"]) for line in sale["lines"])
        self.most_lines = max(self.most_lines, len(sale["lines"]))
        self.total += Decimal(sale["total"])


class Replay:
    """A replay of some invoices into one business, with so many requests at a time."""

    def __init__(self, client: Client, slug: str, concurrency: int, say: Say) -> None:
        self.client, self.slug, self.concurrency, self.say = client, slug, concurrency, say

    async def run(self, invoices: Sequence[Invoice]) -> Rung:
        """Everything, in order. Raises `Refused` at the first request the server will not do."""
        await self.open_business()
        location = await self.storefront()
        products = products_of(invoices)
        await self._each("products", products, self.add_product)
        await self._each("customers", customers_of(invoices), self.add_customer)
        await self.receive(products, location)
        prices = {product.code: product.price for product in products}
        rung = Rung()

        async def ring_up(invoice: Invoice) -> None:
            rung.add(await self.ring_up(invoice, prices, location))

        await self._each("sales", invoices, ring_up)
        return rung

    async def open_business(self) -> None:
        """Make the business, unless it is there, and go on in it; its goods bear no tax unless they say so."""
        mine = {one["slug"] async for one in self.client.every("/businesses")}
        if self.slug not in mine:
            body = {"slug": self.slug, "name": "Online Retail", "region": "GB", "currency": "GBP", "plugins": PLUGINS}
            await self.client.post("/businesses", body, f"business-{self.slug}")
        await self.client.switch(self.slug)
        classes = [one["code"] async for one in self.client.every("/taxes/classes", category="out_of_scope")]
        if "untaxed" not in classes:
            untaxed = {"code": "untaxed", "name": "Untaxed", "category": "out_of_scope", "is_default": True}
            await self.client.post("/taxes/classes", untaxed, "untaxed")

    async def storefront(self) -> str:
        """Where all is sold."""
        found = await self.client.get("/locations", kind="storefront", limit=1)
        location: str = found["items"][0]["id"]
        return location

    async def add_product(self, product: Product) -> None:
        """Add a product, its stock counted."""
        id_ = self.id_of("product", product.code)
        body = {"id": id_, "sku": product.code, "name": product.name, "price": f"{product.price:f}"}
        await self.client.make("/catalog/products", body, id_)

    async def add_customer(self, number: str) -> None:
        """Add a customer, of whom the file tells a number and no name."""
        id_ = self.id_of("customer", number)
        await self.client.make("/customers/customers", {"id": id_, "name": f"Customer {number}"}, id_)

    async def receive(self, products: Sequence[Product], location: str) -> None:
        """Take in exactly what will be sold, so that nothing is left. Receipts bear no id of ours: their note is it."""
        there = {one["supplier"] async for one in self.client.every("/inventory/receipts")}
        batches = [products[start : start + BATCH] for start in range(0, len(products), BATCH)]
        named = {f"Opening stock, part {part} of {len(batches)}": batch for part, batch in enumerate(batches, 1)}

        async def take_in(name: str) -> None:
            lines = [{"product_id": self.id_of("product", one.code), "quantity": str(one.units)} for one in named[name]]
            body = {"location_id": location, "supplier": name, "lines": lines}
            await self.client.post("/inventory/receipts", body, self.id_of("receipt", name))

        await self._each("receipts", [name for name in named if name not in there], take_in)

    async def ring_up(self, invoice: Invoice, prices: dict[str, Decimal], location: str) -> Any:
        """Sell what an invoice says, at its prices and at its time, paid in cash; answers the sale."""
        lines = []
        for line in invoice.lines:
            said = {"product_id": self.id_of("product", line.code), "quantity": str(line.quantity)}
            if line.price != prices[line.code]:
                said["unit_price"] = f"{line.price:f}"
            lines.append(said)
        body = {
            "id": self.id_of("sale", invoice.number),
            "location_id": location,
            "customer_id": self.id_of("customer", invoice.customer) if invoice.customer else None,
            "sold_at": invoice.sold_at.isoformat(),
            "lines": lines,
            "payments": [{"method": "cash", "amount": str(invoice_total(invoice))}],
        }
        return await self.client.make("/sales/sales", body, invoice.number)

    def id_of(self, kind: str, name: str) -> str:
        """The id of a thing of this business: the same in every replay."""
        return str(uuid5(_OURS, f"{self.slug}/{kind}/{name}"))

    async def _each(self, what: str, things: Sequence[T], do: Callable[[T], Awaitable[None]]) -> None:
        """Do the same with many things, some at a time, begun in their order."""
        waiting = iter(things)
        done = 0

        async def work() -> None:
            nonlocal done
            for thing in waiting:
                await do(thing)
                done += 1
                self.say(what, done, len(things))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.concurrency, len(things))):
                group.create_task(work())
