"""A person whose data stands wherever the schema has a place for it, every value a canary; and the search for them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.db.personal import INFO, Personal
from kernel.personal import places_of, tables_of
from kernel.personal.erasing import may_carry, tells
from kernel.testing.box import Box
from kernel.work import NO_BUSINESS, Work
from tests.promises.filling import Filling

SHOP = "mama-njeri"
LEFT_OUT = {
    "kernel_mail_token": "letters to accounts and to the invited: no customer gets one",
    "kernel_limit": "counts tries above all businesses; only accounts leave traces there",
}
"""Tables that hold nothing of a customer's, whatever their columns may carry."""


@dataclass
class Seeded:
    """A person and their canaries: `table.column` → what was put there."""

    id: uuid.UUID
    canaries: dict[str, str] = field(default_factory=dict)

    def canary(self, column: sa.Column[Any]) -> str:
        """A value that stands nowhere else, in the form the column wants."""
        name = f"{column.table.name}.{column.name}"
        number = len(self.canaries) + 1
        forms = {"phone": f"+2547999900{number:02}", "email": f"canary{number}@canary.example"}
        self.canaries[name] = forms.get(column.name, f"Cänary {column.name} {number:02}")
        return self.canaries[name]


async def a_customer_everywhere(box: Box) -> Seeded:
    """Fill the shop; then put a canary into every erasable column of one customer, and into every document.

    The values are written past the use cases: what counts is where the schema has room for somebody's data.
    """
    filling = Filling(box, SHOP)
    own = await filling.fill()
    for held in (await filling.owner.get("/api/v1/sales/held")).json()["items"]:
        await filling.owner.send("DELETE", f"/api/v1/sales/held/{held['id']}")
    cart = {"location_id": own["location_id"], "lines": [{"product_id": own["product_id"]}]}
    await filling.make("/sales/held", cart | {"label": "cart"})
    seeded = Seeded(uuid.UUID(own["customer_id"]))
    await box.act(lambda work: put_canaries(work, "customer", seeded), shop=SHOP)
    return seeded


async def put_canaries(work: Work, kind: str, seeded: Seeded) -> None:
    """Into the person's own columns, and into one row of each table that may carry anybody's data."""
    tables = [
        one for one in tables_of(work.deployment.registry) if work.business_id == NO_BUSINESS or "business_id" in one.c
    ]
    for place in places_of(kind, tables_of(work.deployment.registry)):
        if place.table in tables:
            await _into_their_rows(work, place.rows(work.business_id, seeded.id), place.table, place.via, seeded)
    silent = {f"{table.name}.{one.name}" for table in tables for one in table.columns if not tells(one)}
    own = {name: canary for name, canary in seeded.canaries.items() if name not in silent}
    for table in tables:
        known = own.keys() | silent
        columns = [one for one in table.columns if may_carry(one) and f"{table.name}.{one.name}" not in known]
        if columns and table.name not in LEFT_OUT:
            await _into_a_document(work, columns, own, seeded)


async def _into_their_rows(
    work: Work, theirs: sa.ColumnElement[bool], table: sa.Table, via: str, seeded: Seeded
) -> None:
    values: dict[Any, Any] = {}
    for column in table.columns:
        said = column.info.get(INFO)
        if isinstance(said, Personal) and said.of == via and said.erasing != "keep":
            canary = seeded.canary(column)
            values[column] = {"anything": [canary]} if isinstance(column.type, sa.JSON) else canary
    if values:
        done = await work.execute(sa.update(table).where(theirs).values(values))
        assert done.rowcount, f"{table.name} has no row of theirs: the shop is not filled enough"


async def _into_a_document(work: Work, columns: list[sa.Column[Any]], own: dict[str, str], seeded: Seeded) -> None:
    table = columns[0].table
    assert isinstance(table, sa.Table)
    here = table.c.business_id == work.business_id if "business_id" in table.c else sa.true()
    keys = list(table.primary_key.columns)
    row = (await work.execute(sa.select(*keys).where(here).limit(1))).first()
    assert row is not None, f"{table.name} is empty: the shop is not filled enough"
    values: dict[Any, Any] = {}
    for column in columns:
        beside = seeded.canary(column)
        said = {"customer_id": str(seeded.id), "note": beside, "to": ["Dear " + ", ".join(own.values()) + "!"]}
        about = {"inside": [said]}
        text = msgspec.json.encode(about).decode() if column.name == "body" else ", ".join(own.values())
        if not isinstance(column.type, sa.JSON) and column.name != "body":
            del seeded.canaries[f"{table.name}.{column.name}"]  # a plain text bears the person's own values only
        values[column] = about if isinstance(column.type, sa.JSON) else text
    same = sa.and_(*(key == part for key, part in zip(keys, row, strict=True)))
    await work.execute(sa.update(table).where(same).values(values))


async def dump(box: Box) -> dict[str, str]:
    """Every row of every table of the database, as text: table → rows."""
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.connect() as connection:
            found = {}
            for name in await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()):
                rows = (await connection.execute(sa.text(f'SELECT * FROM "{name}"'))).all()
                found[name] = "\n".join(str(tuple(row)) for row in rows)
            return found
    finally:
        await engine.dispose()


def hits(where: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Which canaries still sing: `column's canary in table`."""
    return sorted(
        f"{name} in {table}"
        for table, text in where.items()
        for name, canary in wanted.items()
        if canary.casefold() in text.casefold() or msgspec.json.encode(canary).decode()[1:-1] in text
    )


async def figures(box: Box) -> dict[str, list[tuple[Any, ...]]]:
    """Every amount, quantity, id and date of every plugin's tables: what an erasure must leave as it is."""
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.connect() as connection:
            found = {}
            for table in tables_of(box.deployment.registry):
                if table.name.startswith("kernel_"):
                    continue
                columns = [one for one in table.columns if _is_figure(one)]
                rows = (await connection.execute(sa.select(*columns).order_by(*table.primary_key.columns))).all()
                found[table.name] = [tuple(row) for row in rows]
            return found
    finally:
        await engine.dispose()


def _is_figure(column: sa.Column[Any]) -> bool:
    if column.name in ("version", "is_active"):
        return False
    is_text = isinstance(column.type, sa.String | sa.JSON | sa.LargeBinary)
    return not is_text or (column.name.endswith("number") and column.name != "tax_number")
