"""A change of many products taken back as one deed, all or none: looked at first, and a change like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from kernel.errors import Fault, NotFound
from kernel.money import format_micro
from kernel.work import Work
from plugins.catalog.errors import EditUndone, ProductsMoved
from plugins.catalog.models import Product, ProductEdit
from plugins.catalog.rules.spans import at_of
from plugins.catalog.schemas.edits import PRICES, MovedProduct, ProductChange, ProductsEdited, UndoLook
from plugins.catalog.services.base_prices import Known, own_spans
from plugins.catalog.services.common import missing_references
from plugins.catalog.services.edit_plans import (
    FIGURES,
    REFERENCES,
    Asked,
    Former,
    plan_changes,
    rows_of,
    shown_change,
    write_changes,
)
from plugins.catalog.services.kept_edits import CHANNELS, edit_out, former_in, keep_edit, kept_edit, lines_of

FIRST: Final = 100
_NEEDED: Final = {**dict.fromkeys(CHANNELS, PRICES), "cost_price": "catalog.see_cost"}
"""Fields that need a permission of their own, as `ProductChange` says."""


class _Line(NamedTuple):
    """A product of the edit. has_moved: whether it, or what is planned of its prices, has changed since."""

    row: Product
    was: Mapping[str, Any]
    has_moved: bool


async def preview_undo(work: Work, edit_id: UUID) -> UndoLook:
    """What taking a change back would do, and what has changed since. Raises as `undo_edit`, but for what has moved."""
    edit = await kept_edit(work, edit_id)
    _require_what_it_needed(work, edit)
    _refuse_undone(edit)
    lines = await _lines(work, edit, held=False)
    planned = await plan_changes(work, await _asked(work, lines))
    return UndoLook(
        edit=edit_out(edit),
        changed=len(planned),
        first=[shown_change(work, one) for one in planned[:FIRST]],
        moved=[MovedProduct(one.row.id, one.row.sku, one.row.name) for one in lines if one.has_moved],
    )


async def undo_edit(work: Work, edit_id: UUID, *, regardless: bool) -> ProductsEdited:
    """Let products be what they were before an edit, in what it changed of them.

    Prices go on from now as they were planned then; where others were planned since and it is done regardless, the
    product costs what it would have cost now, up to the next of those. Raises NotFound, EditUndone, ProductsMoved, and
    Invalid for what cannot be any more.
    """
    edit = await kept_edit(work, edit_id, held=True)
    _require_what_it_needed(work, edit)
    _refuse_undone(edit)
    lines = await _lines(work, edit, held=True)
    if not regardless:
        _refuse_moved(lines)
    planned = await plan_changes(work, await _asked(work, lines))
    await write_changes(work, planned)
    id_ = await keep_edit(work, planned, undoes_id=edit_id)
    edit.undo_id = id_
    await work.session.flush()
    return ProductsEdited(id=id_, changed=len(planned), unchanged=len(lines) - len(planned))


def _require_what_it_needed(work: Work, edit: ProductEdit) -> None:
    for permission in {_NEEDED[name] for name in edit.fields if name in _NEEDED}:
        work.require(permission)


def _refuse_undone(edit: ProductEdit) -> None:
    if edit.undo_id is not None:
        raise EditUndone("Undo what undid it to have it again")


def _refuse_moved(lines: Sequence[_Line]) -> None:
    if moved := [one.row for one in lines if one.has_moved]:
        raise ProductsMoved([("", f"{row.name} ({row.sku})") for row in moved])


async def _lines(work: Work, edit: ProductEdit, *, held: bool) -> list[_Line]:
    kept = await lines_of(work, edit.id)
    ids = [one.product_id for one in kept]
    rows = await rows_of(work, ids, held=held)
    spans = await own_spans(work, ids) if edit.fields and set(CHANNELS) & set(edit.fields) else {}
    return [
        _Line(rows[one.product_id], one.was, rows[one.product_id].version != one.version or _is_repriced(one, spans))
        for one in kept
    ]


def _is_repriced(line: Any, spans: Known) -> bool:
    """Whether prices were planned since the edit, which a product's version does not tell."""
    return any(
        str(span.id) not in line.was[column]["left"]
        for column, channel in CHANNELS.items()
        if column in line.was
        for span in spans.get((line.product_id, channel), ())
    )


async def _asked(work: Work, lines: Sequence[_Line]) -> list[Asked]:
    """What each product was, as a change that makes it so. Raises NotFound for what it named and is gone."""
    await _refuse_gone(work, lines)
    asked = []
    for one in lines:
        former = {column: former_in(one.was[column]) for column in CHANNELS if column in one.was}
        resumed = {} if one.has_moved else former
        asked.append(Asked(one.row, _change(work, one.was, former), "", resumed))
    return asked


def _change(work: Work, was: Mapping[str, Any], former: Mapping[str, Former]) -> ProductChange:
    said = {name: value for name, value in was.items() if name not in ("tags", "custom", *CHANNELS)}
    said |= {name: UUID(said[name]) for name in REFERENCES if said.get(name)}
    said |= {name: format_micro(said[name]) for name in FIGURES if said.get(name) is not None}
    for column, one in former.items():
        then = at_of(one.spans, work.now)
        price = one.row if then is None or then.price is None else then.price
        said[column] = None if price is None else format_micro(price)
    tags = was.get("tags", {"add": [], "remove": []})
    return ProductChange(**said, add_tags=tags["add"], remove_tags=tags["remove"], custom=was.get("custom", {}))


async def _refuse_gone(work: Work, lines: Sequence[_Line]) -> None:
    wanted = {name: {UUID(id_) for one in lines if (id_ := one.was.get(name))} for name in REFERENCES}
    missing = await missing_references(work, wanted)
    if gone := [name for name in REFERENCES if missing.get(name)]:
        raise NotFound(faults=[Fault(f"/{name}", "not-found", "What they had is not there any more") for name in gone])
