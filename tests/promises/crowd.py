"""A crowd of clients for the promises: real server processes, many connections, everyone starting at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.testing.box import Box
from kernel.testing.served import Server


def token_for(box: Box, role: str, shop: str = "mama-njeri") -> str:
    """An access token that is good by the real clock, which served processes go by."""
    person = box.people[shop, role]
    assert person.id
    assert person.session_id
    claims = Claims(person.id, person.session_id, box.shops[shop].id)
    return make_access_token(claims, box.deployment.secret, dt.datetime.now(dt.UTC), dt.timedelta(hours=1))


PATIENCE, PAUSE_S = 60, 0.1
"""A server is given up after so many answers of 503."""


class Crowd:
    """Clients that share connections to some servers; `rush` lets all requests start on one barrier."""

    def __init__(self, servers: Sequence[Server], token: str, connections: int = 20) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        limits = httpx.Limits(max_connections=connections)
        self.clients = [
            httpx.AsyncClient(base_url=one.url, headers=headers, limits=limits, timeout=300) for one in servers
        ]
        self._next = itertools.cycle(self.clients)

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self.clients:
            await client.aclose()

    async def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        """One POST, to the next server."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return await next(self._next).post(f"/api/v1{path}", json=body, headers=headers)

    async def rush(self, path: str, bodies: Sequence[Any], keys: Sequence[str] | None = None) -> list[httpx.Response]:
        """All POSTs at once; who is told that there was no time is patient, and asks again with the same key."""
        barrier = asyncio.Event()

        async def one(body: Any, key: str | None) -> httpx.Response:
            await barrier.wait()
            key = key or uuid.uuid4().hex
            answer = await self.post(path, body, key)
            for _ in range(PATIENCE):
                if answer.status_code == 503:
                    await asyncio.sleep(PAUSE_S)
                    answer = await self.post(path, body, key)
            return answer

        named: Sequence[str | None] = keys or [None] * len(bodies)
        tasks = [asyncio.create_task(one(body, key)) for body, key in zip(bodies, named, strict=True)]
        await asyncio.sleep(0)
        barrier.set()
        return await asyncio.gather(*tasks)


def statuses(answers: Sequence[httpx.Response]) -> Counter[int]:
    """How many answers of each status."""
    return Counter(answer.status_code for answer in answers)


def cart(location: uuid.UUID, products: Sequence[uuid.UUID], paid: str, quantity: str = "1") -> dict[str, Any]:
    """A sale of some products, paid in cash."""
    return {
        "location_id": str(location),
        "lines": [{"product_id": str(id_), "quantity": quantity} for id_ in products],
        "payments": [{"method": "cash", "amount": paid}],
    }


async def in_stock(box: Box, product: uuid.UUID, location: uuid.UUID, quantity: str) -> None:
    """Take goods in."""
    lines = [{"product_id": str(product), "quantity": quantity}]
    answer = await box.client("owner").post(
        "/api/v1/inventory/receipts", {"location_id": str(location), "lines": lines}
    )
    assert answer.status_code == 201, answer.text


async def on_hand(box: Box, product: uuid.UUID) -> str:
    """What is left of a product, over all locations."""
    answer = await box.client("owner").get("/api/v1/inventory/levels", params={"product_id": str(product)})
    found: str = answer.json()["items"][0]["on_hand"]
    return found
