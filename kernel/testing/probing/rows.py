"""What a business has in the database, seen with the database's own login, which no row-level security binds."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.db import Base
from kernel.registry import Registry
from kernel.testing.box import Box

WORDS = frozenset({"sku", "code", "number", "email", "phone", "barcode", "name", "q"})
"""Texts by which a thing of a business can be named."""
_OF_PEOPLE = frozenset(
    {"kernel_user", "kernel_sign_in", "kernel_device", "kernel_second_factor", "kernel_recovery_code"}
)
"""Tables above all businesses, of which the rows of its people count as a business's."""
_LEFT_OUT = frozenset({"kernel_limit", "kernel_mail_token", "kernel_refresh_token"})
"""Tables that count tries and keep hashes of tokens: they belong to no business."""


@dataclass(frozen=True)
class Rows:
    """The ids and words of a business by what they are called, and a hash a table."""

    ids: Mapping[str, list[str]]
    words: Mapping[str, list[str]]
    hashes: Mapping[str, str]
    empty: frozenset[str]

    @property
    def every_id(self) -> frozenset[str]:
        """Every id in every column."""
        return frozenset(itertools.chain.from_iterable(self.ids.values()))

    def changed(self, later: Rows) -> list[str]:
        """The tables that are no longer what they were."""
        return sorted(name for name, was in self.hashes.items() if later.hashes[name] != was)


def tables(registry: Registry) -> list[sa.Table]:
    """The tables of the kernel and of the plugins of this run."""
    prefixes = ("kernel_", *(f"{name}_" for name in registry.plugins))
    found = [one for one in Base.metadata.sorted_tables if one.name.startswith(prefixes)]
    return [one for one in found if one.name not in _LEFT_OUT]


async def read_rows(box: Box, shop: str, mark: str = "") -> Rows:
    """Read all of a business. mark: a word that stands in all its texts."""
    ids: dict[str, set[str]] = {}
    words: dict[str, set[str]] = {"q": {mark} if mark else set()}
    hashes: dict[str, str] = {}
    empty = set()
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.connect() as connection:
            for table in tables(box.deployment.registry):
                rows = await _rows_of(connection, table, box.shops[shop].id)
                hashes[table.name] = hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
                if not rows:
                    empty.add(table.name)
                for name, value in ((column.name, row[column.name]) for row in rows for column in table.columns):
                    if isinstance(value, uuid.UUID):
                        ids.setdefault(_called(table, name), set()).add(str(value))
                    elif isinstance(value, str) and name in WORDS:
                        words.setdefault("barcode" if table.name.endswith("barcode") else name, set()).add(value)
    finally:
        await engine.dispose()
    return Rows(_sorted(ids), _sorted(words), hashes, frozenset(empty))


async def _rows_of(connection: AsyncConnection, table: sa.Table, business: uuid.UUID) -> list[Mapping[str, Any]]:
    member = Base.metadata.tables["kernel_membership"].c
    people = sa.select(member.user_id).where(member.business_id == business)
    if "business_id" in table.c:
        mine: sa.ColumnElement[bool] = table.c.business_id == business
    elif table.name == "kernel_business":
        mine = table.c.id == business
    elif table.name in _OF_PEOPLE:
        mine = table.c["id" if table.name == "kernel_user" else "user_id"].in_(people)
    else:
        return []
    return [dict(row) for row in (await connection.execute(sa.select(table).where(mine))).mappings()]


def _called(table: sa.Table, column: str) -> str:
    """What an id is an id of: `catalog_product.id` and `sales_line.product_id` are both of a product."""
    return table.name.partition("_")[2] if column == "id" else column.removesuffix("_id")


def _sorted(found: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {name: sorted(values) for name, values in found.items()}
