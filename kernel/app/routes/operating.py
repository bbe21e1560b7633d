"""Operators and the businesses of the deployment: list, suspend, resume, export, delete, come in for support.

An operator sees that a business exists and where it stands, and nothing inside it, unless its owner lets them in.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

import sqlalchemy as sa
from msgspec import Meta, Struct, structs

from kernel.app.archive import archive_of
from kernel.auth import act, look
from kernel.auth.businesses import operating
from kernel.auth.businesses.operating import BeingDeleted, NotExported, NotSuspended
from kernel.auth.identity import OPERATOR as OPERATORS
from kernel.auth.rights import support
from kernel.db import Phase
from kernel.db.tables import Business
from kernel.errors import Conflict, Forbidden, NotFound
from kernel.web import OPERATOR, Scene, flow, page, query
from kernel.wire import Currency, Download, ListQuery, Name, Page, Region, Request, Search, Slug
from kernel.work import Actor, Origin, Work

T = TypeVar("T")
_Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\Z", examples=["unpaid since March"])
]
_STATES = ("active", "suspended", "deleting", "deleted")


class Operated(Struct, frozen=True):
    """A business as operators see it."""

    id: uuid.UUID
    slug: Slug
    name: Name
    region: Region
    currency: Currency
    state: Literal["active", "suspended", "deleting", "deleted"]
    created_at: dt.datetime
    suspended_at: dt.datetime | None
    suspended_reason: str | None
    exported_at: dt.datetime | None
    deleted_at: dt.datetime | None


class OperatedQuery(ListQuery, frozen=True):
    """Which businesses."""

    state: Literal["active", "suspended", "deleting", "deleted"] | None = None
    q: Search | None = None


class Why(Request, frozen=True):
    """Why it is done; the business can read it."""

    reason: _Reason


class Deletion(Why, frozen=True):
    """Why, and the business's slug once more, so that it is not another one that goes."""

    confirm: Slug


class EnteredOut(Struct, frozen=True):
    """An access token for the business that let operators in. It is not renewed: come in again while that lasts."""

    access_token: Annotated[str, Meta(examples=["eyJ…"])]
    expires_at: dt.datetime
    until: dt.datetime
    read_only: bool
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme


class LetInOut(Struct, frozen=True):
    """Whether a business lets operators in at present; what for is null where it does not."""

    is_open: bool
    reason: str | None = None
    until: dt.datetime | None = None
    read_only: bool | None = None


_B = Business.__table__.c
_columns = [_B[name] for name in Operated.__struct_fields__ if name in _B] + [_B.deleting_at]


@query("/operating/businesses", permission=OPERATOR)
async def list_all_businesses(work: Work, query: OperatedQuery) -> Page[Operated]:
    """Every business of the deployment, the deleted ones' tombstones included."""
    statement = sa.select(*_columns)
    if query.q:
        named = (one.icontains(query.q, autoescape=True) for one in (_B.slug, _B.name))
        statement = statement.where(sa.or_(*named))
    if query.state is not None:
        statement = statement.where(_in_state(query.state))
    return await page(work, statement, query, order=[_B.slug], make=_operated)


@query("/operating/businesses/{slug}", permission=OPERATOR)
async def get_any_business(work: Work, slug: Slug) -> Operated:
    """One business of the deployment."""
    row = (await work.execute(sa.select(*_columns).where(_B.slug == slug))).one_or_none()
    if row is None:
        raise NotFound
    return _operated(row)


@flow("POST", "/operating/businesses/{slug}/suspend", permission=OPERATOR, errors=(Conflict, BeingDeleted))
async def suspend_business(scene: Scene, slug: Slug, data: Why) -> Operated:
    """Close a business: its people get 403 on everything but signing in and out, its jobs wait."""
    return await _move(scene, slug, "operating.suspend_business", lambda work: operating.suspend(work, data.reason))


@flow("POST", "/operating/businesses/{slug}/resume", permission=OPERATOR, errors=(NotSuspended, BeingDeleted))
async def resume_business(scene: Scene, slug: Slug, data: Why) -> Operated:
    """Open a suspended business again, as it was."""
    return await _move(scene, slug, "operating.resume_business", lambda work: operating.resume(work, data.reason))


@flow("POST", "/operating/businesses/{slug}/export", permission=OPERATOR, errors=(NotSuspended, BeingDeleted))
async def export_business(scene: Scene, slug: Slug, data: Why) -> Download:
    """Take all of a suspended business out, as a zip of JSON lines; no secrets are in it.

    The export is in the business's own audit trail. Keep it: law asks for books for years after a business has gone.
    """
    chosen = await _chosen(scene, slug)
    deployment = scene.deployment
    await _as_operator(scene, chosen.id, "operating.export_business", operating.refuse_unless_suspended)
    now = deployment.clock()
    archive = await archive_of(deployment, chosen.id)
    facts = {"rows": archive.rows, "sha256": archive.sha256}
    await _both(
        scene,
        chosen.id,
        "operating.export_business",
        lambda work: operating.mark_exported(work, data.reason, **facts),
    )
    return Download(archive.file, "application/zip", f"duka-{slug}-{now:%Y%m%d}.zip")


@flow(
    "POST",
    "/operating/businesses/{slug}/delete",
    permission=OPERATOR,
    status=202,
    errors=(NotSuspended, NotExported, BeingDeleted),
)
async def delete_business(scene: Scene, slug: Slug, data: Deletion) -> Operated:
    """Delete a business that is suspended and was exported since. It goes in the background; a tombstone stays.

    Its fiscal records go with it: the archive is then the only copy, and yours to keep as long as law asks.
    """
    return await _move(
        scene, slug, "operating.delete_business", lambda work: operating.give_up(work, data.confirm, data.reason)
    )


@flow("GET", "/operating/businesses/{slug}/support-access", permission=OPERATOR)
async def see_support_access(scene: Scene, slug: Slug) -> LetInOut:
    """Whether a business lets operators in, what for, until when, and whether only to look."""
    chosen = await _chosen(scene, slug)
    deployment = scene.deployment
    access = await look(deployment, chosen.id, support.access_of)
    if chosen.deleted_at is not None or access is None or not access.is_open(deployment.clock()):
        return LetInOut(is_open=False)
    return LetInOut(is_open=True, reason=access.reason, until=access.ends_at, read_only=access.role_id is None)


@flow("POST", "/operating/businesses/{slug}/enter", permission=OPERATOR, errors=(Forbidden,))
async def enter_business(scene: Scene, slug: Slug) -> EnteredOut:
    """Come into a business that lets operators in; ends by itself, and at once when it is revoked."""
    chosen = await _chosen(scene, slug)

    async def enter(work: Work) -> EnteredOut:
        access = await support.access_of(work)
        if access is None or not access.is_open(work.now):
            raise Forbidden("Its owner lets nobody in at present")
        token, ends = support.access_token(work, access)
        await support.come_in(work, access)
        return EnteredOut(token, ends, access.ends_at, access.role_id is None)

    return await _as_operator(scene, chosen.id, support.ENTERED, enter, supporting=True)


async def _move(scene: Scene, slug: str, deed: str, run: Callable[[Work], Awaitable[None]]) -> Operated:
    """Do something with a business, in its own trail and the deployment's, and answer how it stands then."""
    chosen = await _chosen(scene, slug)
    await _both(scene, chosen.id, deed, run)
    return _operated(await _chosen(scene, slug))


async def _both(scene: Scene, business_id: uuid.UUID, deed: str, run: Callable[[Work], Awaitable[None]]) -> None:
    await _as_operator(scene, business_id, deed, run, phase=Phase.SWITCH)

    async def note(work: Work) -> None:
        work.audit(subject=f"business:{business_id}")

    await _as_operator(scene, None, deed, note)


async def _as_operator(
    scene: Scene,
    business_id: uuid.UUID | None,
    deed: str,
    run: Callable[[Work], Awaitable[T]],
    *,
    phase: Phase = Phase.WRITE,
    supporting: bool = False,
) -> T:
    """Run a deed in a business that the operator is not at work in."""
    visit = scene.visit
    standing = visit.standing
    assert standing is not None  # noqa: S101 - the gate lets nobody in without one
    actor: Actor = structs.replace(standing.actor, permissions=OPERATORS, supporting=supporting)
    origin = Origin(deed, visit.request_id, visit.address)
    return await act(scene.deployment, business_id, run, actor=actor, phase=phase, origin=origin)


async def _chosen(scene: Scene, slug: str) -> Any:
    """The row of a business. The visit's own transaction ends here: what follows may take its time."""
    await scene.visit.leave()
    async with scene.deployment.database.reading(None) as transaction:
        row = (await transaction.execute(sa.select(*_columns).where(_B.slug == slug))).one_or_none()
    if row is None:
        raise NotFound
    return row


def _in_state(state: str) -> sa.ColumnElement[bool]:
    marks = {"deleted": _B.deleted_at, "deleting": _B.deleting_at, "suspended": _B.suspended_at}
    later = [marks[name].is_(None) for name in _STATES[_STATES.index(state) + 1 :]]
    return sa.and_(*later, *([marks[state].is_not(None)] if state in marks else []))


def _operated(row: Any) -> Operated:
    said = {name: getattr(row, name) for name in Operated.__struct_fields__ if name != "state"}
    return Operated(**said, state=operating.state_of(row))
