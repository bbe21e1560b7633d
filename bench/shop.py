"""The shop that is measured: a deployment with every plugin on, products in stock, its owner at the till."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec

from bench import sizes
from bench.load import load, post
from kernel.registry import Registry, discover
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, SECRET, prepare_template
from kernel.testing.served import Server, serving

SALES = "/api/v1/sales/sales"


@dataclass(frozen=True)
class Shop:
    """A business that sells: where, what, and as whom (headers of a request)."""

    business: uuid.UUID
    location: str
    products: list[str]
    headers: dict[str, str]

    def body(self, lines: int = 5, hot: bool = False) -> bytes:
        """A cart of so many products of 100.00, one each, paid in cash. hot: the first product is in every cart."""
        chosen = random.sample(self.products[1:], lines - 1) + self.products[:1] if hot else self._any(lines)
        sale = {
            "location_id": self.location,
            "lines": [{"product_id": id_, "quantity": "1"} for id_ in chosen],
            "payments": [{"method": "cash", "amount": f"{lines}00.00", "tendered": f"{lines}00.00"}],
        }
        return msgspec.json.encode(sale)

    def sale(self, lines: int = 5, hot: bool = False) -> bytes:
        """A checkout, as it travels to Duka."""
        return post(SALES, self.body(lines, hot), self.headers | {"Idempotency-Key": uuid.uuid4().hex})

    def by_hand(self, lines: int = 5, path: str = "/sale") -> bytes:
        """The same, as it travels to what is written by hand."""
        return post(path, self.body(lines), {})

    def _any(self, lines: int) -> list[str]:
        return random.sample(self.products, lines)


async def prepared(url: str, home: Path, registry: Registry | None = None) -> Settings:
    """Make a deployment in an empty database, with every plugin on, or those given."""
    settings = Settings(home=str(home), database_url=url, secret_key=SECRET)
    plugins = registry or discover()
    await prepare_template(settings, plugins, plugins.plugins)
    return settings


@contextmanager
def served(settings: Settings, extra: dict[str, str] | None = None) -> Iterator[Server]:
    """One server process of a deployment."""
    with serving(settings, 1, extra) as (server,):
        yield server


async def sign_in(port: int) -> tuple[uuid.UUID, dict[str, str]]:
    """Sign the owner in: the business, and the headers of a request."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60) as http:
        credentials = {"username": "owner@mama-njeri.example", "password": PASSWORD}
        said = (await http.post("/auth/login", json=credentials)).raise_for_status().json()
    return uuid.UUID(said["business"]["id"]), {"Authorization": f"Bearer {said['access_token']}"}


async def stocked(port: int) -> Shop:
    """Put products on the shelves, a million of each, through the API."""
    business, headers = await sign_in(port)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60, headers=headers) as http:

        async def add(path: str, said: dict[str, Any]) -> Any:
            answer = await http.post(path, json=said, headers={"Idempotency-Key": uuid.uuid4().hex})
            return answer.raise_for_status().json()

        location = (await http.get("/locations", params={"kind": "storefront"})).json()["items"][0]["id"]
        products = []
        for number in range(sizes.products()):
            said = {"sku": f"P{number}", "name": f"Product {number}", "price": "100.00", "cost_price": "60.00"}
            products.append((await add("/catalog/products", said))["id"])
        lines = [{"product_id": id_, "quantity": "1000000", "unit_cost": "60.00"} for id_ in products]
        await add("/inventory/receipts", {"location_id": location, "lines": lines})
    return Shop(business, location, products, headers)


async def one_sale(port: int, shop: Shop, lines: int = 5) -> str:
    """Make one sale; its id."""
    headers = shop.headers | {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        answer = await http.post(SALES, content=shop.body(lines), headers=headers)
    return str(answer.raise_for_status().json()["id"])


async def settle(url: str, port: int, shop: Shop) -> None:
    """Make some sales and let PostgreSQL look at them, as it does by itself within a minute.

    Plans made for empty tables take any index that begins with the business, those of foreign keys among them.
    """
    await load(port, 4, sizes.seconds(), shop.sale)
    connection = await asyncpg.connect(plain(url))
    await connection.execute("ANALYZE")
    await connection.close()


def plain(url: str) -> str:
    """A database's URL as asyncpg itself takes it."""
    return url.replace("+asyncpg", "")
