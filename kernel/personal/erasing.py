"""One person taken out of every table: pseudonyms and blanks in their rows, scrubbed documents, and a tombstone.

Figures, numbers and ids stay, so the books stay what they were.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.db import new_id, upsert
from kernel.db.personal import INFO, Carries, Personal, Secret, class_of
from kernel.db.tables import Erased
from kernel.hooks import erasing_person
from kernel.personal.exporting import check_there
from kernel.personal.places import Place, in_reach, of_business, places_of, tables_of
from kernel.personal.scrubbing import Traces, scrub_stored, texts_in
from kernel.personal.wire import Erasure
from kernel.work import Work


class Former(msgspec.Struct, frozen=True):
    """What a person was called and known by, to be searched for in documents."""

    values: tuple[str, ...]


async def erase_person(work: Work, kind: str, person: uuid.UUID, *, reason: str) -> Erasure:
    """Erase one of the business's people. Raises NotFound, and what a plugin refuses with where something is open."""
    await check_there(work, kind, person)
    await work.write()
    installed = work.deployment.registry.plugins
    await work.tell_also(installed, erasing_person, work=work, kind=kind, person_id=person)
    done = await wipe(work, kind, person, await former_values(work, kind, person))
    await bury(work, kind, person)
    work.audit(subject=f"{kind}:{person}", reason=reason, changed=done.changed)
    return done


async def former_values(work: Work, kind: str, person: uuid.UUID) -> Former:
    """Every telling value of the person's that stands in a column of their own, before it goes."""
    values: list[str] = []
    for place, own in _theirs(work, kind):
        if columns := [column for column in own if tells(column)]:
            here = sa.select(*columns).where(place.rows(work.business_id, person)).distinct()
            values += [text for row in await work.execute(here) for value in row for text in texts_in(value)]
    return Former(tuple(dict.fromkeys(values)))


async def wipe(work: Work, kind: str, person: uuid.UUID, former: Former) -> Erasure:
    """Take the person out of every table in reach of this deed."""
    await work.write()
    changed: dict[str, int] = {}
    for place, columns in _theirs(work, kind):
        values = {column: erased(column, person) for column in columns}
        if values:
            if "version" in place.table.c:
                values[place.table.c.version] = place.table.c.version + 1
            done = await work.execute(sa.update(place.table).where(place.rows(work.business_id, person)).values(values))
            changed[place.table.name] = changed.get(place.table.name, 0) + done.rowcount
    traces = Traces.of(str(person), former.values, _keys(work, kind), pseudonym(person))
    for table in _reachable(work):
        if columns := [column for column in table.columns if may_carry(column)]:
            changed[table.name] = changed.get(table.name, 0) + await _scrub_table(work, table, columns, traces)
    return Erasure({name: rows for name, rows in sorted(changed.items()) if rows}, _kept(work, kind))


async def bury(work: Work, kind: str, person: uuid.UUID) -> None:
    """Leave a tombstone, so that who comes back with an older backup can be erased again."""
    stone = {
        "business_id": work.business_id,
        "id": new_id(),
        "kind": kind,
        "subject_hash": subject_hash(kind, person),
        "erased_at": work.now,
        "erased_by": work.actor.id,
    }
    await work.execute(upsert(work.deployment.database, Erased).values(stone).on_conflict_do_nothing())


def subject_hash(kind: str, person: uuid.UUID) -> str:
    """What a tombstone says of who lies there: nothing that can be read back without the id."""
    return hashlib.sha256(f"{kind}:{person}".encode()).hexdigest()


def pseudonym(person: uuid.UUID) -> str:
    """What stands where a name stood: the same in every table, so that documents still go together."""
    return f"erased-{hashlib.sha256(person.bytes).hexdigest()[:12]}"


def erased(column: sa.Column[Any], person: uuid.UUID) -> Any:
    """What a column holds once its person is erased."""
    said = class_of(column)
    if isinstance(said, Personal) and said.erasing == "pseudonym":
        return pseudonym(person) + ("@erased.invalid" if said.kind == "contact" else "")
    if column.nullable:
        return None
    if isinstance(column.type, sa.JSON):
        return {}
    return b"" if isinstance(column.type, sa.LargeBinary) else ""


def tells(column: sa.Column[Any]) -> bool:
    """Whether what a column holds of a person tells who it is of, so that it is looked for in documents."""
    said = column.info.get(INFO)
    return not isinstance(said, Personal) or said.telling


def may_carry(column: sa.Column[Any]) -> bool:
    """Whether a column that can be changed may hold the data of people whose id does not stand beside it."""
    if column.table.info.get("append_only"):
        return False
    said = column.info.get(INFO)
    if isinstance(said, Personal):
        return said.erasing != "keep" and (said.kind == "free_text" or not said.of)
    return isinstance(said, Carries)


def _reachable(work: Work) -> list[sa.Table]:
    return [table for table in tables_of(work.deployment.registry) if in_reach(table, work.business_id)]


def _theirs(work: Work, kind: str) -> Iterable[tuple[Place, list[sa.Column[Any]]]]:
    """Each place within reach, with its columns that are the person's and do not stay."""
    for place in places_of(kind, tables_of(work.deployment.registry)):
        if in_reach(place.table, work.business_id):
            yield place, [column for column in place.table.columns if goes(column, place.via)]


def goes(column: sa.Column[Any], via: str) -> bool:
    """Whether a column is emptied when the person whom `via` names is erased."""
    match column.info.get(INFO):
        case Personal(of=of, erasing=erasing):
            return of == via and erasing != "keep"
        case Secret(of=of):
            return of == via
    return False


def _kept(work: Work, kind: str) -> dict[str, str]:
    """What stays, and why: of this kind of person, and what is nobody's by its id."""
    vias = {(place.table.name, place.via) for place in places_of(kind, tables_of(work.deployment.registry))}
    return {
        f"{table.name}.{column.name}": said.why
        for table in _reachable(work)
        for column in table.columns
        if isinstance(said := column.info.get(INFO), Personal) and said.erasing == "keep"
        if not said.of or (table.name, said.of) in vias
    }


def _keys(work: Work, kind: str) -> Mapping[str, Mapping[str, bool]]:
    """By which keys documents hold the person's data: those of our columns, beside the column that names them."""
    found: dict[str, dict[str, bool]] = {}
    for place in places_of(kind, tables_of(work.deployment.registry)):
        for column in place.table.columns:
            said = column.info.get(INFO)
            if isinstance(said, Personal) and said.of == place.via and place.above is None and said.erasing != "keep":
                found.setdefault(place.via, {})[column.name] = said.erasing == "pseudonym"
    return found


async def _scrub_table(work: Work, table: sa.Table, columns: list[sa.Column[Any]], traces: Traces) -> int:
    """Scrub the rows whose documents and texts may hold the person; returns how many were changed."""
    keys, postgres = list(table.primary_key.columns), work.deployment.database.is_postgres
    found = await work.execute(
        sa.select(*keys, *(column for column in columns if column not in keys)).where(
            of_business(table, work.business_id),
            sa.or_(*(_holds(column, word, is_postgres=postgres) for column in columns for word in traces.telling)),
        )
    )
    changed = 0
    for row in found.mappings().all():
        was = {column: row[column.name] for column in columns if row[column.name] is not None}
        values = {column: now for column, stored in was.items() if (now := scrub_stored(stored, traces)) != stored}
        if values:
            same = sa.and_(*(key == row[key.name] for key in keys))
            await work.execute(sa.update(table).where(same).values(values))
            changed += 1
    return changed


def _holds(column: sa.Column[Any], word: str, *, is_postgres: bool) -> sa.ColumnElement[bool]:
    """Whether a stored text or document holds a word, as it is or as it stands inside JSON."""
    text = sa.func.lower(sa.cast(column, sa.Text))
    place = sa.func.strpos if is_postgres else sa.func.instr
    inside = msgspec.json.encode(word).decode()[1:-1]
    wanted = [sa.func.lower(sa.literal(one, sa.Text)) for one in dict.fromkeys((word, inside))]
    return sa.or_(*(place(text, one) > 0 for one in wanted))
