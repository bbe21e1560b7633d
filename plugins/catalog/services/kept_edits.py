"""Changes of many products, kept for some days with what each product was, so that they can be undone.

`was` of a line holds each column that changed. A reference, a text, a flag or a figure stands as it was; `tags` as what
to `add` and `remove` to have the former ones; `custom` by field, None where nothing was set; a price of the product's
own as `row`, what its row said, `spans`, what ran and was planned, and `left`, the ids of those the edit left behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from kernel.db import new_id
from kernel.errors import NotFound
from kernel.web import page
from kernel.wire import ListQuery, Page
from kernel.work import Work
from plugins.catalog.models import ProductEdit, ProductEditLine
from plugins.catalog.rules.spans import Span
from plugins.catalog.schemas.edits import KeptEdit
from plugins.catalog.services.base_prices import COLUMNS, Known, own_spans
from plugins.catalog.services.edit_plans import Former, Planned, differing

KEPT_FOR: Final = dt.timedelta(days=7)
CHANNELS: Final = {column: channel for channel, column in COLUMNS.items()}


async def keep_edit(work: Work, planned: Sequence[Planned], *, undoes_id: UUID | None = None) -> UUID:
    """Keep a change that was just written, and tell the trail of it; returns its id. One of nothing is only told."""
    id_ = new_id()
    fields = sorted({name for one in planned for name in one.after})
    facts: dict[str, Any] = {} if undoes_id is None else {"undoes": str(undoes_id)}
    work.audit(subject=f"product_edit:{id_}", changed=len(planned), fields=fields, **facts)
    if planned:
        work.session.add(
            ProductEdit(
                business_id=work.business_id,
                id=id_,
                made_at=work.now,
                made_by=work.actor.id,
                made_by_name=work.actor.name,
                changed=len(planned),
                fields=fields,
                undoes_id=undoes_id,
            )
        )
        await work.session.flush()
        left = await own_spans(work, [one.row.id for one in planned if one.former])
        base = {"business_id": work.business_id, "edit_id": id_}
        lines = [
            base | {"product_id": one.row.id, "version": one.row.version, "was": _was(one, left)} for one in planned
        ]
        await work.execute(sa.insert(ProductEditLine), lines)
    return id_


async def kept_edit(work: Work, edit_id: UUID, *, held: bool = False) -> ProductEdit:
    """A change that can still be looked at. held: to the end of the deed. Raises NotFound, also when it is too old."""
    row = await work.get(ProductEdit, edit_id, to_change=held)
    if row.made_at <= work.now - KEPT_FOR:
        raise NotFound("It is too long ago to be undone")
    return row


async def lines_of(work: Work, edit_id: UUID) -> Sequence[sa.Row[tuple[UUID, int, dict[str, Any]]]]:
    """The products of a change, in the order of their ids: product_id, version, was."""
    line = ProductEditLine
    here = sa.and_(line.business_id == work.business_id, line.edit_id == edit_id)
    found = await work.execute(sa.select(line.product_id, line.version, line.was).where(here).order_by(line.product_id))
    return found.all()


async def list_edits(work: Work, query: ListQuery) -> Page[KeptEdit]:
    """A page of the changes of the last days, newest first."""
    statement = sa.select(*ProductEdit.__table__.c).where(
        ProductEdit.business_id == work.business_id, ProductEdit.made_at > work.now - KEPT_FOR
    )
    return await page(
        work, statement, query, order=[ProductEdit.made_at, ProductEdit.id], make=edit_out, descending=True
    )


async def forget_edits(work: Work) -> None:
    """Delete what is too old to be undone."""
    old = sa.select(ProductEdit.id).where(
        ProductEdit.business_id == work.business_id, ProductEdit.made_at <= work.now - KEPT_FOR
    )
    for model, column in ((ProductEditLine, ProductEditLine.edit_id), (ProductEdit, ProductEdit.id)):
        await work.execute(sa.delete(model).where(model.business_id == work.business_id, column.in_(old)))


def edit_out(row: Any) -> KeptEdit:
    """A change as it travels."""
    return KeptEdit(
        id=row.id,
        made_at=row.made_at,
        made_by=row.made_by,
        made_by_name=row.made_by_name,
        changed=row.changed,
        fields=row.fields,
        undoes_id=row.undoes_id,
        undo_id=row.undo_id,
        undo_until=row.made_at + KEPT_FOR,
    )


def former_in(said: Mapping[str, Any]) -> Former:
    """A product's own price as a line keeps it."""
    return Former(said["row"], [_span(one) for one in said["spans"]])


def _was(one: Planned, left: Known) -> dict[str, Any]:
    was = {name: _kept(value) for name, value in one.before.items() if name not in ("tags", "custom")}
    if "tags" in one.before:
        before, after = set(one.before["tags"]), set(one.after["tags"])
        was["tags"] = {"add": sorted(before - after), "remove": sorted(after - before)}
    if "custom" in one.before:
        was["custom"] = {key: one.before["custom"].get(key) for key in differing(one)}
    for column, former in one.former.items():
        spans = left.get((one.row.id, CHANNELS[column]), ())
        was[column] = {
            "row": former.row,
            "spans": [[span.price, span.starts_at.isoformat(), _iso(span.ends_at), span.mark] for span in former.spans],
            "left": [str(span.id) for span in spans],
        }
    return was


def _kept(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _iso(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _span(said: Sequence[Any]) -> Span:
    price, starts_at, ends_at, mark = said
    end = None if ends_at is None else dt.datetime.fromisoformat(ends_at)
    return Span(new_id(), price, dt.datetime.fromisoformat(starts_at), end, mark)
