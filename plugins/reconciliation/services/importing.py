"""Statements that come as files: read apart, checked with nothing written, then taken in part by part.

A part is one job and one deed, which deletes the part, counts what it did and declares the job of the next.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import structs

from kernel.auth import act, look
from kernel.db import new_id
from kernel.money import format_amount
from kernel.sheets import SheetRefused, run_apart
from kernel.web import Scene
from kernel.wire import SPREADSHEET, Upload
from kernel.work import Work
from plugins.payments.api import StatementLine, number_writer
from plugins.reconciliation.errors import StatementNotReady, StatementRefused
from plugins.reconciliation.models import Import, ImportPart, Line, Source
from plugins.reconciliation.rules.days import day_of, days_between
from plugins.reconciliation.rules.layouts import Layout
from plugins.reconciliation.schemas.statements import Counts, ImportOut, Preview, RowFault, UploadQuery
from plugins.reconciliation.services.keeping import keep_lines, mark_stated
from plugins.reconciliation.services.matching import MATCH
from plugins.reconciliation.services.reporting import check_days
from plugins.reconciliation.services.sheets import Given, Header, Row

APPLY: Final = "reconciliation.apply"
"""The job that takes in the next part of a file. Payload: `import_id`."""
KINDS: Final = {"text/csv": "csv", SPREADSHEET: "xlsx"}
LONGEST_S: Final = 120.0
PART: Final = 500
MOST_FAULTS: Final = 200
KEPT_FOR: Final = dt.timedelta(days=7)
MONTH_FIRST: Final = frozenset({"US", "PH", "FM", "MH", "PW"})
"""Regions that write the month before the day."""
_L = Line.__table__.c


class _Tally:
    """What is known of a file while it is checked."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.rows, self.parts = layout, 0, 0
        self.lines = self.known = self.refused = self.left_out = self.paid_in = self.paid_out = 0
        self.faults: list[RowFault] = []
        self.days: list[dt.date] = []

    def note(self, rows: list[Row], zone: str) -> list[StatementLine]:
        """Count rows; returns their lines."""
        lines = [row.line for row in rows if row.line is not None]
        wrong = [row for row in rows if row.said]
        self.rows += len(rows)
        self.lines += len(lines)
        self.refused += len(wrong)
        self.left_out += len(rows) - len(lines) - len(wrong)
        self.paid_in += sum(max(line.net_of, 0) for line in lines)
        self.paid_out += sum(min(line.net_of, 0) for line in lines)
        self.faults += [RowFault(row.row, row.column, row.said) for row in wrong[: MOST_FAULTS - len(self.faults)]]
        days = [day_of(line.occurred_at, zone) for line in lines]
        self.days = [min([*self.days, *days]), max([*self.days, *days])] if days or self.days else []
        return lines


async def check_statement(scene: Scene, source_id: uuid.UUID, upload: Upload, asked: UploadQuery) -> ImportOut:
    """Read a statement, hold it against what is known, and keep it to be applied. Raises NotFound, StatementRefused."""
    check_days(asked.first_day, asked.last_day)
    business, actor = scene.standing.business_id, scene.standing.actor
    await scene.pause()
    source = await look(scene.deployment, business, lambda work: work.get(Source, source_id), actor=actor)
    given = await look(scene.deployment, business, lambda work: _given(work, source))
    write = await look(scene.deployment, business, lambda work: number_writer(work, source.account_id))
    with tempfile.TemporaryDirectory(prefix="duka-statement-") as folder:
        rows = await _read(Path(folder), upload, given)
        import_id = new_id()
        with rows.open("rb") as lines:
            tally = _Tally(msgspec.json.decode(lines.readline(), type=Header).layout)
            await act(scene.deployment, business, lambda work: _begin(work, import_id, source_id, upload, tally))
            await _check(scene, import_id, source, renumbered(_decoded(lines), write), tally)
    return await scene.deed(lambda work: _checked(work, import_id, tally, asked))


async def apply_import(work: Work, import_id: uuid.UUID) -> ImportOut:
    """Begin to take a checked file in, or go on with one that has stopped; its layout is kept for the next file.

    Raises NotFound, StatementNotReady.
    """
    row = await work.get(Import, import_id, to_change=True)
    if row.state not in ("checked", "applying"):
        raise StatementNotReady(f"It is {row.state}")
    row.state = "applying"
    source = await work.get(Source, row.source_id, to_change=True)
    if source.layout != row.layout:
        source.layout = row.layout
        source.version += 1
    work.later(APPLY, {"import_id": str(import_id)})
    work.audit(subject=f"statement:{import_id}", digest=row.digest)
    return import_out(row, work.shop.exponent)


async def apply_part(work: Work, import_id: uuid.UUID) -> None:
    """Take in the next part of a file, and leave the job for the one after it."""
    row = await work.session.get(Import, (work.business_id, import_id), with_for_update=True)
    if row is None or row.state != "applying":
        return
    source = await work.get(Source, row.source_id)
    here = sa.and_(ImportPart.business_id == work.business_id, ImportPart.import_id == import_id)
    found = await work.execute(sa.select(ImportPart.rows).where(here, ImportPart.number == row.next_part))
    part = found.scalar_one_or_none()
    if part is not None:
        kept = await keep_lines(work, source.id, source.zone, msgspec.convert(part["lines"], list[StatementLine]))
        before = msgspec.convert(row.result, Counts)
        after = Counts(before.fresh + kept.fresh, before.changed + kept.changed, before.known + kept.known)
        row.result = msgspec.to_builtins(after)
        await work.execute(sa.delete(ImportPart).where(here, ImportPart.number == row.next_part))
        work.audit(subject=f"statement:{import_id}", part=row.next_part + 1, parts=row.parts)
    row.next_part += 1
    if row.next_part < row.parts:
        work.later(APPLY, {"import_id": str(import_id)})
        return
    row.state, row.ended_at = "applied", work.now
    if row.first_day is not None and row.last_day is not None:
        await mark_stated(work, source.id, list(days_between(row.first_day, row.last_day)))
    work.later(MATCH, {"source_id": str(source.id)})


async def forget_imports(work: Work) -> None:
    """Delete files that ended, or were left lying, a week ago; their lines stay."""
    old = sa.select(Import.id).where(
        Import.business_id == work.business_id,
        Import.created_at < work.now - KEPT_FOR,
        Import.state != "applying",
    )
    for model, column in ((ImportPart, ImportPart.import_id), (Import, Import.id)):
        await work.execute(sa.delete(model).where(model.business_id == work.business_id, column.in_(old)))


def import_out(row: Any, exponent: int) -> ImportOut:
    """A row as it is answered."""
    money = {name: format_amount(row.preview.get(name, 0), exponent) for name in ("paid_in", "paid_out")}
    return ImportOut(
        row.id,
        row.source_id,
        row.state,
        msgspec.convert(row.layout, Layout),
        row.rows,
        row.first_day,
        row.last_day,
        msgspec.convert({**row.preview, **money}, Preview),
        msgspec.convert(row.result, Counts),
        msgspec.convert(row.errors.get("faults", []), list[RowFault]),
        row.created_at,
        row.ended_at,
    )


async def _given(work: Work, source: Source) -> Given:
    layout = None if source.layout is None else msgspec.convert(source.layout, Layout)
    shop = work.shop
    return Given(
        layout,
        source.zone,
        shop.currency,
        shop.exponent,
        is_numbered=source.account_id is not None,
        days_first=shop.region not in MONTH_FIRST,
    )


async def _read(folder: Path, upload: Upload, given: Given) -> Path:
    """The rows of a file, read by a process of its own. A layout that does not fit gives way to one that is found."""
    source, by, to = folder / "statement", folder / "given", folder / "rows"
    with source.open("wb") as copy:
        await asyncio.to_thread(shutil.copyfileobj, upload.file, copy)
    for wanted in (given, structs.replace(given, layout=None)):
        by.write_bytes(msgspec.json.encode(wanted))
        try:
            await run_apart("plugins.reconciliation.services.sheets", by, KINDS[upload.media_type], source, to)
        except SheetRefused as refusal:
            if wanted.layout is None:
                raise StatementRefused(str(refusal)) from refusal
        else:
            break
    return to


async def _begin(work: Work, import_id: uuid.UUID, source_id: uuid.UUID, upload: Upload, tally: _Tally) -> None:
    row = {
        "business_id": work.business_id,
        "id": import_id,
        "source_id": source_id,
        "state": "checking",
        "digest": upload.digest,
        "layout": msgspec.to_builtins(tally.layout),
        "rows": 0,
        "parts": 0,
        "next_part": 0,
        "preview": {},
        "result": msgspec.to_builtins(Counts()),
        "errors": {},
        "created_at": work.now,
    }
    await work.execute(sa.insert(Import), [row])


async def _check(scene: Scene, import_id: uuid.UUID, source: Source, rows: Iterator[Row], tally: _Tally) -> None:
    """Count each batch, look which of its lines are known, and put it by."""
    business, actor = scene.standing.business_id, scene.standing.actor
    while batch := await asyncio.to_thread(lambda: list(itertools.islice(rows, PART))):
        lines = tally.note(batch, source.zone)
        if not lines:
            continue
        keys = [line.line_key for line in lines]
        tally.known += await look(scene.deployment, business, _count_known(source.id, keys))
        part = {"lines": msgspec.to_builtins(lines)}
        await act(scene.deployment, business, _put_by(import_id, tally.parts, part), actor=actor, audited=False)
        tally.parts += 1


def renumbered(rows: Iterator[Row], write: Callable[[str], str]) -> Iterator[Row]:
    """Rows whose money has its number as its provider writes it; a line that is known by its number too."""
    for row in rows:
        line = row.line
        if line is None or line.money_key is None or (number := write(line.money_key)) == line.money_key:
            yield row
        else:
            key = line.line_key.replace(line.money_key, number, 1)
            yield structs.replace(row, line=structs.replace(line, money_key=number, line_key=key))


def _decoded(rows: IO[bytes]) -> Iterator[Row]:
    for line in rows:
        yield msgspec.json.decode(line, type=Row)


def _count_known(source_id: uuid.UUID, keys: list[str]) -> Any:
    async def count(work: Work) -> int:
        here = sa.and_(_L.business_id == work.business_id, _L.source_id == source_id, _L.line_key.in_(keys))
        found: int = (
            await work.execute(sa.select(sa.func.count()).select_from(Line.__table__).where(here))
        ).scalar_one()
        return found

    return count


def _put_by(import_id: uuid.UUID, number: int, part: Any) -> Any:
    async def put(work: Work) -> None:
        here = {"business_id": work.business_id, "import_id": import_id, "number": number}
        await work.execute(sa.insert(ImportPart), [here | {"rows": part}])

    return put


async def _checked(work: Work, import_id: uuid.UUID, tally: _Tally, asked: UploadQuery) -> ImportOut:
    row = await work.get(Import, import_id, to_change=True)
    first, last = tally.days or (None, None)
    row.state, row.rows, row.parts = "checked", tally.rows, tally.parts
    row.first_day = asked.first_day or first
    row.last_day = asked.last_day or last
    row.preview = {
        "lines": tally.lines,
        "fresh": tally.lines - tally.known,
        "known": tally.known,
        "refused": tally.refused,
        "left_out": tally.left_out,
        "paid_in": tally.paid_in,
        "paid_out": tally.paid_out,
    }
    row.errors = {"faults": msgspec.to_builtins(tally.faults)}
    work.audit(subject=f"statement:{import_id}", rows=tally.rows, digest=row.digest)
    return import_out(row, work.shop.exponent)
