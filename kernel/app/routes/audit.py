"""The audit trail: who did what, when, where and why; to browse and to take away."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct, field, structs

from kernel.audit import anchors, ask_to_verify, known_of
from kernel.audit.anchors import Anchor
from kernel.auth.identity import standing_above
from kernel.auth.limits import count_try
from kernel.db import Base
from kernel.db.private import needed_for
from kernel.db.tables import Audit, AuditSeal
from kernel.errors import NotFound, RateLimited
from kernel.web import OPERATOR, command, page, query
from kernel.web.exports import csv_line, gathered, json_line
from kernel.wire import Download, Line, ListQuery, Page, Search
from kernel.work import NO_BUSINESS, Work

_Day = Annotated[dt.date, Meta(description="A day of the business, inclusive.", examples=["2026-11-21"])]
_Deed = Annotated[Line, Meta(description="An operation.", examples=["sales.void_sale"])]
_Subject = Annotated[Line, Meta(description="`<kind>:<id>`.", examples=["sale:0193…"])]
_Supporting = Annotated[bool, Meta(description="Done by an operator who was let in.")]
_AT_ONCE = 1000
VERIFIED_AN_HOUR = 10


class AuditQuery(ListQuery, frozen=True):
    """Which rows. `from` and `to` are days in the business's time zone; `q` looks in the reasons."""

    since: _Day | None = field(name="from", default=None)
    until: _Day | None = field(name="to", default=None)
    actor_id: uuid.UUID | None = None
    deed: _Deed | None = None
    subject: _Subject | None = None
    supporting: _Supporting | None = None
    q: Search | None = None


class AuditExport(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which rows, and as what; a file has no pages."""

    format: Literal["csv", "jsonl"] = "csv"
    since: _Day | None = field(name="from", default=None)
    until: _Day | None = field(name="to", default=None)
    actor_id: uuid.UUID | None = None
    deed: _Deed | None = None
    subject: _Subject | None = None
    supporting: _Supporting | None = None
    q: Search | None = None


class ChangeOut(Struct, frozen=True):
    """A row that was there and was changed: the columns that differ, as they were and as they became.

    Amounts are in minor units and prices in millionths of them, as stored. `after` is null for a row that was deleted.
    """

    table: Annotated[str, Meta(examples=["catalog_product"])]
    id: Annotated[str, Meta(examples=["0193…"])]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditOut(Struct, frozen=True):
    """One deed. `number` is its place in the sealed chain, null for a few seconds."""

    id: uuid.UUID
    number: int | None
    at: dt.datetime
    actor_id: uuid.UUID | None
    actor_name: str
    supporting: bool
    deed: str
    subject: str | None
    reason: str | None
    changes: list[ChangeOut]
    facts: dict[str, Any]
    location_id: uuid.UUID | None
    register_id: uuid.UUID | None
    address: str | None
    request_id: str | None
    epoch: int


class AnchorOut(Struct, frozen=True):
    """The head of the chain when a day was over: to be kept on paper, in a mailbox, on another machine."""

    day: dt.date
    number: Annotated[int, Meta(description="Rows sealed so far.", examples=[1841])]
    hash: Annotated[str, Meta(description="SHA-256 of the chain, hexadecimal.", examples=["9f2c…"])]
    anchored_at: dt.datetime


class VerificationOut(Struct, frozen=True):
    """What is known of the chain: how far it is sealed, when it was last found whole, and what was found wrong.

    A fault stays until the operators have looked and verified the chain by hand: a row that was put back was touched
    all the same.
    """

    sealed: Annotated[int, Meta(description="Rows sealed so far.", examples=[1841])]
    verified_at: Annotated[dt.datetime | None, Meta(description="When every hash was last worked out and was right.")]
    is_asked: Annotated[bool, Meta(description="It is being verified, or will be in a moment.")]
    fault: Annotated[str | None, Meta(description="What is not as it was sealed.")]


_A, _S = Audit.__table__.c, AuditSeal.__table__.c
_rows = sa.select(*_A, _S.number.label("number")).select_from(
    Audit.__table__.outerjoin(AuditSeal.__table__, sa.and_(_S.business_id == _A.business_id, _S.audit_id == _A.id))
)
_FIELDS = tuple(AuditOut.__struct_fields__)


@query("/audit", permission="audit.see")
async def list_audit(work: Work, query: AuditQuery) -> Page[AuditOut]:
    """Who did what, newest first.

    Values of people's own data and secrets are never in it; cost prices are shown to who may see them.
    """
    return await _page(work, query)


@query("/audit/export", permission="audit.see")
async def export_audit(work: Work, query: AuditExport) -> Download:
    """The same as a file, oldest first, as CSV or as JSON lines."""
    kind = query.format
    chunks = _as_csv(work, query) if kind == "csv" else _as_json_lines(work, query)
    media = "text/csv; charset=utf-8" if kind == "csv" else "application/x-ndjson"
    return Download(await gathered(chunks), media, f"audit-{work.shop.slug}-{work.now:%Y%m%d}.{kind}")


@query("/audit/anchors", permission="audit.see")
async def list_anchors(work: Work) -> Page[AnchorOut]:
    """The daily anchors of the chain, oldest first: what to keep elsewhere, to hold against the chain later."""
    return Page([_anchor(one) for one in await anchors.anchors_of(work)])


@query("/audit/verification", permission="audit.see")
async def get_verification(work: Work) -> VerificationOut:
    """Whether the chain is whole, as it was last verified: once a day, and when somebody asks."""
    return await _verification(work)


@command("POST", "/audit/verification", permission="audit.see", status=200, errors=(RateLimited,))
async def ask_for_verification(work: Work) -> VerificationOut:
    """Have every hash of the chain worked out anew, in the background; `GET` of the same tells what is found.

    Ten times an hour for a business; seconds for 100,000 rows.
    """
    await count_try(work, f"verify-trail:{work.business_id}", VERIFIED_AN_HOUR, dt.timedelta(hours=1))
    await ask_to_verify(work)
    work.audit(subject=f"business:{work.business_id}")
    return await _verification(work)


@query("/audit/{audit_id}", permission="audit.see")
async def get_audit(work: Work, audit_id: uuid.UUID) -> AuditOut:
    """One deed."""
    row = (await work.execute(_rows.where(_A.business_id == work.business_id, _A.id == audit_id))).one_or_none()
    if row is None:
        raise NotFound
    return _out(work, row)


@query("/operating/audit", permission=OPERATOR)
async def list_operators_deeds(work: Work, query: AuditQuery) -> Page[AuditOut]:
    """What was done above all businesses, newest first: by operators, by the command line, at sign-in."""
    deployment = work.deployment
    async with deployment.database.reading(NO_BUSINESS) as transaction:
        above = Work(deployment, transaction, await standing_above(transaction, work.actor), work.origin)
        return await _page(above, query)


async def _page(work: Work, query: AuditQuery) -> Page[AuditOut]:
    chosen = _chosen(work, query)
    return await page(work, chosen, query, order=[_A.at, _A.id], make=lambda row: _out(work, row), descending=True)


def _chosen(work: Work, query: AuditQuery | AuditExport) -> sa.Select[*tuple[Any, ...]]:
    statement = _rows.where(_A.business_id == work.business_id, work.here(_A.location_id))
    zone = work.standing.shop.tz if work.standing.shop else dt.UTC
    if query.since is not None:
        statement = statement.where(_A.at >= dt.datetime.combine(query.since, dt.time(), zone))
    if query.until is not None and query.until < dt.date.max:
        after = query.until + dt.timedelta(days=1)
        statement = statement.where(_A.at < dt.datetime.combine(after, dt.time(), zone))
    for name in ("actor_id", "deed", "subject", "supporting"):
        if (wanted := getattr(query, name)) is not None:
            statement = statement.where(_A[name] == wanted)
    if query.q:
        statement = statement.where(_A.reason.icontains(query.q, autoescape=True))
    return statement


async def _all(work: Work, query: AuditExport) -> AsyncIterator[AuditOut]:
    """Every row, oldest first, a thousand at a time in the one snapshot of the request."""
    ordered = _chosen(work, query).order_by(_A.at, _A.id).limit(_AT_ONCE)
    last = None
    while True:
        behind = ordered
        if last is not None:
            behind = ordered.where(sa.or_(_A.at > last.at, sa.and_(_A.at == last.at, _A.id > last.id)))
        rows = (await work.execute(behind)).all()
        for row in rows:
            yield _out(work, row)
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1]


async def _as_csv(work: Work, query: AuditExport) -> AsyncIterator[bytes]:
    yield csv_line(_FIELDS)
    async for one in _all(work, query):
        said = structs.asdict(one) | {"at": one.at.isoformat(), "changes": [structs.asdict(c) for c in one.changes]}
        yield csv_line([said[name] or None if name in ("changes", "facts") else said[name] for name in _FIELDS])


async def _as_json_lines(work: Work, query: AuditExport) -> AsyncIterator[bytes]:
    async for one in _all(work, query):
        yield json_line(one)


def _out(work: Work, row: Any) -> AuditOut:
    said = {name: getattr(row, name) for name in _FIELDS}
    changes = [_shown(work, one) for one in row.changes or ()]
    return AuditOut(**{**said, "facts": row.facts or {}, "changes": changes})


def _shown(work: Work, change: dict[str, Any]) -> ChangeOut:
    """A change without the columns that the caller may not see."""
    table = Base.metadata.tables.get(change["table"])
    hidden = set()
    for column in table.c if table is not None else ():
        needed = needed_for(column)
        if needed is not None and not work.actor.may(needed):
            hidden.add(column.name)

    def seen(values: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if values is None else {name: value for name, value in values.items() if name not in hidden}

    return ChangeOut(change["table"], change["id"], seen(change["before"]), seen(change["after"]))


async def _verification(work: Work) -> VerificationOut:
    sealed = (await work.execute(sa.select(sa.func.max(_S.number)).where(_S.business_id == work.business_id))).scalar()
    known = await known_of(work)
    if known is None:
        return VerificationOut(sealed or 0, None, True, None)
    return VerificationOut(sealed or 0, known.verified_at, known.looked_at is None, known.fault)


def _anchor(one: Anchor) -> AnchorOut:
    return AnchorOut(one.day, one.number, one.hash, one.anchored_at)
