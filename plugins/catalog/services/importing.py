"""Tables of products taken in: checked against the catalog with nothing written, then applied part by part.

The checked rows wait in the database in parts. Each part is applied by a job of its own, in one deed that also deletes
the part, counts what it did and declares the next job: a crash loses nothing and does nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from kernel.auth import act, look
from kernel.custom import custom_fields, write_keys
from kernel.db import new_id
from kernel.errors import Fault as Problem
from kernel.errors import Forbidden
from kernel.web import Scene, page
from kernel.wire import ListQuery, Page, Upload
from kernel.work import Work
from plugins.catalog.errors import ImportNotReady
from plugins.catalog.models import Barcode, Import, ImportPart, PriceList, Product
from plugins.catalog.schemas.goods import ENTITY, BrandIn, CategoryIn, CellFault, Counts, ImportOut, ProductIn
from plugins.catalog.services.base_prices import COLUMNS, OwnChange, change_own
from plugins.catalog.services.common import locked
from plugins.catalog.services.comparing import (
    ABOVE,
    Change,
    Compared,
    Shelf,
    compare,
    names_missing,
    path_parts,
    read_shelf,
)
from plugins.catalog.services.forms import Fault, PriceRow, Row, Said
from plugins.catalog.services.keys import write_search
from plugins.catalog.services.own_columns import refuse_unknown
from plugins.catalog.services.price_tables import ComparedPrices, apply_prices, compare_prices
from plugins.catalog.services.products import add_products
from plugins.catalog.services.shelves import add_brand, add_category
from plugins.catalog.services.tables import Table, read_table

PART: Final = 250
MOST_FAULTS: Final = 1000
MOST_NAMES: Final = 200
KEPT_FOR: Final = dt.timedelta(days=7)
JOB: Final = "catalog.apply_import"
_COST = "cost_price"


Tried = Compared | ComparedPrices
"""What some rows do, of products or of prices."""


class _Tally:
    """What checking has found so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.counts = Counts()
        self.faults: list[Fault] = []
        self.categories: set[str] = set()
        self.brands: set[str] = set()

    def add(self, rows: int, compared: Tried) -> None:
        """Count a batch."""
        self.rows += rows
        self.counts = _summed(self.counts, compared)
        self.faults = [*self.faults, *compared.faults][:MOST_FAULTS]


Against = Callable[[Work, Sequence[Any], _Tally], Awaitable[Tried]]
"""Compares some rows with what is there, and notes in the tally what only it knows of."""


async def check_table(scene: Scene, upload: Upload) -> ImportOut:
    """Read a table, compare it with the catalog, and keep it to be applied. Raises TableRefused, Forbidden."""
    await scene.pause()
    shelf = await look(scene.deployment, scene.standing.business_id, read_shelf)

    async def against(work: Work, rows: Sequence[Any], tally: _Tally) -> Compared:
        compared = await compare(work, rows, shelf)
        categories, brands = names_missing((one.row for one in compared.changes), shelf)
        tally.categories |= categories
        tally.brands |= brands
        return compared

    return await _check_upload(scene, upload, "products", None, against)


async def check_prices(scene: Scene, list_id: UUID, upload: Upload) -> ImportOut:
    """Read a table of prices, compare it with a list, and keep it to be applied. Raises NotFound, TableRefused."""

    async def there(work: Work) -> None:
        await work.get(PriceList, list_id)

    await scene.pause()
    await look(scene.deployment, scene.standing.business_id, there, actor=scene.standing.actor)

    async def against(work: Work, rows: Sequence[Any], _tally: _Tally) -> ComparedPrices:
        return await compare_prices(work, list_id, rows)

    return await _check_upload(scene, upload, "prices", list_id, against)


async def _check_upload(scene: Scene, upload: Upload, form: str, list_id: UUID | None, against: Against) -> ImportOut:
    standing = scene.standing
    async with read_table(upload, form) as table:
        if _COST in table.columns and not standing.actor.may("catalog.see_cost"):
            raise Forbidden(faults=[Problem(f"/{_COST}", "forbidden", "This needs the permission catalog.see_cost")])
        fields = await look(scene.deployment, standing.business_id, lambda work: custom_fields(work, ENTITY))
        refuse_unknown(table.columns, fields)
        import_id = new_id()
        await act(
            scene.deployment,
            standing.business_id,
            lambda work: _begin(work, import_id, table, upload.digest, list_id),
            actor=standing.actor,
            audited=False,
        )
        tally, parts = await _check(scene, import_id, table, against)
    return await scene.deed(lambda work: _checked(work, import_id, tally, parts))


async def apply_import(work: Work, import_id: UUID) -> ImportOut:
    """Begin to apply a checked import, or go on with one that has stopped. Raises NotFound, ImportNotReady."""
    row = await locked(work, Import, import_id)
    if row.state not in ("checked", "applying"):
        raise ImportNotReady(f"It is {row.state}")
    if _COST in row.columns:
        work.require("catalog.see_cost")
    if row.list_id is not None:
        work.require("catalog.prices")
        await work.get(PriceList, row.list_id)
    row.state = "applying"
    work.later(JOB, {"import_id": str(import_id)})
    work.audit(subject=f"import:{import_id}")
    return import_out(row)


async def apply_part(work: Work, import_id: UUID) -> None:
    """Apply the next part of an import, and leave the job for the one after it."""
    row = await work.session.get(Import, (work.business_id, import_id), with_for_update=True)
    if row is None or row.state != "applying":
        return
    here = sa.and_(ImportPart.business_id == work.business_id, ImportPart.import_id == import_id)
    found = await work.execute(sa.select(ImportPart.rows).where(here, ImportPart.number == row.next_part))
    part = found.scalar_one_or_none()
    if part is not None:
        compared: Tried
        if row.list_id is None:
            compared = await _apply(work, msgspec.convert(part["rows"], list[Row]))
        else:
            compared = await apply_prices(work, row.list_id, msgspec.convert(part["rows"], list[PriceRow]))
        row.result = msgspec.to_builtins(_summed(msgspec.convert(row.result, Counts), compared))
        row.errors = _with_faults(row.errors, compared.faults)
        await work.execute(sa.delete(ImportPart).where(here, ImportPart.number == row.next_part))
        work.audit(subject=f"import:{import_id}", part=row.next_part + 1, parts=row.parts)
    row.next_part += 1
    if row.next_part >= row.parts:
        row.state, row.ended_at = "applied", work.now
    else:
        work.later(JOB, {"import_id": str(import_id)})


async def forget_imports(work: Work) -> None:
    """Delete imports that ended, or were left lying, a week ago."""
    old = sa.select(Import.id).where(
        Import.business_id == work.business_id,
        Import.created_at < work.now - KEPT_FOR,
        Import.state != "applying",
    )
    for model, column in ((ImportPart, ImportPart.import_id), (Import, Import.id)):
        await work.execute(sa.delete(model).where(model.business_id == work.business_id, column.in_(old)))


async def list_imports(work: Work, query: ListQuery) -> Page[ImportOut]:
    """A page of imports, oldest first."""
    statement = sa.select(*Import.__table__.c).where(Import.business_id == work.business_id)
    return await page(work, statement, query, order=[Import.id], make=import_out)


def import_out(row: Any) -> ImportOut:
    """A row as it is answered. What an import has still to do shows as the difference of its counts."""
    return ImportOut(
        id=row.id,
        price_list_id=row.list_id,
        state=row.state,
        columns=row.columns,
        rows=row.rows,
        preview=msgspec.convert(row.preview, Counts),
        result=msgspec.convert(row.result, Counts),
        errors=msgspec.convert(row.errors.get("faults", []), list[CellFault]),
        new_categories=row.errors.get("categories", []),
        new_brands=row.errors.get("brands", []),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


async def _begin(work: Work, import_id: UUID, table: Table, digest: str, list_id: UUID | None) -> None:
    none = msgspec.to_builtins(Counts())
    row = {
        "business_id": work.business_id,
        "id": import_id,
        "list_id": list_id,
        "state": "checking",
        "digest": digest,
        "columns": table.columns,
        "rows": 0,
        "parts": 0,
        "next_part": 0,
        "preview": none,
        "result": none,
        "errors": {},
        "created_at": work.now,
    }
    await work.execute(sa.insert(Import), [row])


async def _check(scene: Scene, import_id: UUID, table: Table, against: Against) -> tuple[_Tally, int]:
    """Compare each batch in a reading of its own, and put it by; returns what was found, and how many parts wait."""
    business, actor = scene.standing.business_id, scene.standing.actor
    tally, parts = _Tally(), 0
    async for batch in table.batches(PART):

        async def compared(work: Work, rows: Sequence[Any] = batch) -> Tried:
            return await against(work, rows, tally)

        tally.add(len(batch), await look(scene.deployment, business, compared))
        kept = [row for row in batch if row.said is not None]
        if kept:
            part = {"rows": msgspec.to_builtins(kept)}

            async def put_by(work: Work, number: int = parts, rows: Any = part) -> None:
                here = {"business_id": work.business_id, "import_id": import_id}
                await work.execute(sa.insert(ImportPart), [here | {"number": number, "rows": rows}])

            await act(scene.deployment, business, put_by, actor=actor, audited=False)
            parts += 1
    return tally, parts


async def _checked(work: Work, import_id: UUID, tally: _Tally, parts: int) -> ImportOut:
    row = await locked(work, Import, import_id)
    row.state, row.rows, row.parts = "checked", tally.rows, parts
    row.preview = msgspec.to_builtins(tally.counts)
    names = {"categories": sorted(tally.categories)[:MOST_NAMES], "brands": sorted(tally.brands)[:MOST_NAMES]}
    row.errors = _with_faults(names, tally.faults)
    work.audit(subject=f"import:{import_id}", rows=tally.rows, digest=row.digest)
    return import_out(row)


async def _apply(work: Work, rows: Sequence[Row]) -> Compared:
    shelf = await read_shelf(work)
    wanted = await compare(work, rows, shelf)
    if await _make_missing(work, [one.row for one in wanted.changes], shelf):
        shelf = await read_shelf(work)
        wanted = await compare(work, rows, shelf)
    fresh = [one for one in wanted.changes if one.kind == "created"]
    if fresh:
        await add_products(work, [_product_in(one) for one in fresh])
    await _change(work, [one for one in wanted.changes if one.kind == "changed"])
    return wanted


async def _make_missing(work: Work, rows: Sequence[Row], shelf: Shelf) -> bool:
    """Add the brands and categories that rows name, with the categories above them."""
    categories, brands = names_missing(rows, shelf)
    for name in sorted(brands):
        await add_brand(work, BrandIn(name=name))
    known = dict(shelf.categories)
    for said in sorted(categories):
        parts = path_parts(said)
        for depth in range(1, len(parts) + 1):
            path, above = ABOVE.join(parts[:depth]), ABOVE.join(parts[: depth - 1])
            if path not in known:
                data = CategoryIn(name=parts[depth - 1], parent_id=known.get(above))
                known[path] = (await add_category(work, data)).id
    return bool(categories or brands)


def _product_in(change: Change) -> ProductIn:
    said, values = change.row.said, change.values
    assert said is not None  # noqa: S101 - only such rows change anything
    taken = {name: value for name in _TAKEN if (value := getattr(said, name)) is not UNSET}
    ids = {name: values[name] for name in ("category_id", "brand_id", "tax_class_id") if name in values}
    return ProductIn(**taken, **ids, custom=dict(values.get("custom", {})))


_TAKEN = tuple(name for name in Said.__struct_fields__ if name not in ("category", "brand", "tax_class", "custom"))


async def _change(work: Work, changes: Sequence[Change]) -> None:
    ids = [one.product.id for one in changes if one.product is not None]
    if not ids:
        return
    statement = sa.select(Product).where(Product.business_id == work.business_id, Product.id.in_(ids))
    rows = {row.id: row for row in (await work.session.scalars(statement.with_for_update(key_share=True))).all()}
    renamed = []
    await change_own(work, [own for one in changes for own in _own_changes(one, rows)], work.now)
    for one in changes:
        assert one.product is not None  # noqa: S101 - a change of what is there
        row = rows[one.product.id]
        for name, value in one.values.items():
            setattr(row, name, value)
        row.version += 1
        row.updated_at = work.now
        if {"name", "tags"} & one.values.keys() or one.codes is not None:
            renamed.append(row)
    await work.session.flush()
    await _change_codes(work, [one for one in changes if one.codes is not None])
    await write_search(work, renamed)
    own = [(one.product.id, one.values["custom"]) for one in changes if one.product and "custom" in one.values]
    await write_keys(work, ENTITY, own)


def _own_changes(change: Change, rows: Mapping[UUID, Product]) -> Iterator[OwnChange]:
    """The prices of a product's own that a row changes."""
    assert change.product is not None  # noqa: S101 - as above
    row = rows[change.product.id]
    for channel, column in COLUMNS.items():
        if column in change.values:
            yield OwnChange(row.id, channel, getattr(row, column), row.created_at, change.values[column])


async def _change_codes(work: Work, changes: Sequence[Change]) -> None:
    gone = [code for one in changes for code in one.had - (one.codes or frozenset())]
    if gone:
        await work.execute(sa.delete(Barcode).where(Barcode.business_id == work.business_id, Barcode.code.in_(gone)))
    for one in changes:
        assert one.product is not None  # noqa: S101 - as above
        for code in sorted((one.codes or frozenset()) - one.had):
            base = {"business_id": work.business_id, "product_id": one.product.id}
            work.session.add(Barcode(**base, id=new_id(), code=code, pack_id=None, mrp=None))
        work.audit(barcodes=True)
    await work.session.flush()


def _summed(counts: Counts, compared: Tried) -> Counts:
    kinds = [one.kind for one in compared.changes]
    return Counts(
        counts.created + kinds.count("created"),
        counts.changed + kinds.count("changed"),
        counts.unchanged + kinds.count("unchanged"),
        counts.refused + compared.refused,
    )


def _with_faults(errors: dict[str, Any], faults: Sequence[Fault]) -> dict[str, Any]:
    """The errors with more faults, each once, as far as they are kept."""
    known = errors.get("faults", [])
    more = [one for one in msgspec.to_builtins(list(faults)) if one not in known]
    return {**errors, "faults": [*known, *more][:MOST_FAULTS]}
