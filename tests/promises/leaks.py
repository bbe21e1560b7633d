"""Deliberately broken twins: roads by which one business's things leak to another. Tests must find each of them."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.app import build, create_app
from kernel.errors import Forbidden, NotFound
from kernel.testing.box import Box
from kernel.web import SIGNED_IN, Route, query
from kernel.wire import ListQuery, Page
from kernel.work import Work
from plugins.catalog.models import Product


class Named(msgspec.Struct, frozen=True):
    """A product by its name."""

    name: str


class ByProduct(ListQuery, frozen=True):
    """Which products."""

    product_id: uuid.UUID | None = None


async def names(work: Work, product_id: uuid.UUID | None) -> list[str]:
    """Names of products, read as the database's login and without the business: all that must never be done."""
    statement = sa.select(Product.name)
    if product_id is not None:
        statement = statement.where(Product.id == product_id)
    async with work.deployment.database.writer.connect() as connection:
        return list((await connection.execute(statement)).scalars())


@query("/products/{product_id}", permission=SIGNED_IN)
async def leaks_by_path(work: Work, product_id: uuid.UUID) -> Named:
    """Show a product, whosever it is."""
    found = await names(work, product_id)
    if not found:
        raise NotFound
    return Named(found[0])


@query("/products", permission=SIGNED_IN)
async def leaks_by_query(work: Work, query: ByProduct) -> Page[Named]:
    """List products by an id, whosever they are."""
    return Page([Named(name) for name in await names(work, query.product_id)] if query.product_id else [])


@query("/oracle/{product_id}", permission=SIGNED_IN)
async def tells_that_it_exists(work: Work, product_id: uuid.UUID) -> Named:
    """Refuse politely, but otherwise than for an id of nothing."""
    if not await names(work, product_id):
        raise NotFound
    raise Forbidden


@query("/touch/{product_id}", permission=SIGNED_IN, method="POST")
async def changes_in_silence(work: Work, product_id: uuid.UUID) -> Named:
    """Say that there is nothing, after changing it."""
    async with work.deployment.database.writer.begin() as connection:
        await connection.execute(sa.update(Product).where(Product.id == product_id).values(description="touched"))
    raise NotFound


TWINS: tuple[Route, ...] = (leaks_by_path, leaks_by_query, tells_that_it_exists, changes_in_silence)


async def mount(box: Box, monkeypatch: pytest.MonkeyPatch) -> list[Route]:
    """Serve the box with the broken routes beside its own; returns them."""
    broken = [route.mounted("twin", "/api/v1/twin") for route in TWINS]
    whole = build.plugin_routes
    monkeypatch.setattr(build, "plugin_routes", lambda registry: [*whole(registry), *broken])
    box.app = create_app(box.deployment)
    await box.http.aclose()
    transport = httpx.ASGITransport(app=box.app, raise_app_exceptions=False)
    box.http = httpx.AsyncClient(transport=transport, base_url="http://duka.test")
    return broken


async def get_of_anyone(work: Work, model: Any, id_: uuid.UUID, **_: Any) -> Any:
    """Work.get as it would be if it forgot the business."""
    async with AsyncSession(bind=work._transaction.connection, expire_on_commit=False) as session:
        found = (await session.execute(sa.select(model).where(model.id == id_))).scalars().first()
    if found is None:
        raise NotFound
    return found
