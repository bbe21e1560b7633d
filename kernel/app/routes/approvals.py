"""Approvals: what waits for a second person, and their answer, from their own device or at the same till."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.app.routes.proving import Digits, prove_colleague, prove_pin
from kernel.auth.rights import approvals
from kernel.auth.secrets.passwords import password_matches
from kernel.auth.signing_in import second_factor, sessions
from kernel.db.tables import Approval
from kernel.errors import (
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    SecondFactorRequired,
    SecondFactorWrong,
    Unauthenticated,
)
from kernel.money import format_micro
from kernel.web import SIGNED_IN, Scene, command, flow, page, query
from kernel.wire import Email, ListQuery, Name, Page, Request
from kernel.work import Actor, Work

State = Literal["waiting", "approved", "refused", "used", "expired"]
Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*\Z", examples=["torn bag"])
]


class AnswerIn(Request, frozen=True):
    """Why it is approved or refused."""

    reason: Reason


class ApprovalHere(Request, frozen=True, kw_only=True):
    """A second person at the same till, and why they approve.

    By `username` and `password`, with `code` where they have a second factor; or by `user_id` and `pin`, at a
    registered till, or wherever `GET /approvals/{id}/here` names them.
    """

    username: Email | None = None
    password: Annotated[str, Meta(min_length=1, max_length=200, examples=["DemoPass123!"])] | None = None
    code: second_factor.Code | None = None
    user_id: uuid.UUID | None = None
    pin: Digits | None = None
    reason: Reason


class Colleague(Struct, frozen=True):
    """Somebody who can approve by PIN."""

    id: uuid.UUID
    name: Name


class ApproversHere(Struct, frozen=True):
    """Who can approve a request by PIN where the caller is; nobody: by password, or from their own sign-in."""

    people: list[Colleague]


class ApprovalOut(Struct, frozen=True):
    """A request for approval and what became of it. `used_for` names what was done with it."""

    id: uuid.UUID
    action: Annotated[str, Meta(description="The limit or permission.", examples=["sales.discount_percent"])]
    amount: Annotated[str | None, Meta(description="How far it must reach.", examples=["20"])]
    words: Annotated[str, Meta(examples=["20 % off by hand"])]
    deed: Annotated[str, Meta(examples=["sales.complete_sale"])]
    state: State
    location_id: uuid.UUID | None
    register_id: uuid.UUID | None
    requested_by: uuid.UUID
    requested_by_name: Name
    requested_at: dt.datetime
    expires_at: dt.datetime
    answered_by: uuid.UUID | None
    answered_by_name: Name | None
    answered_at: dt.datetime | None
    reason: str | None
    used_at: dt.datetime | None
    used_for: str | None


class ApprovalQuery(ListQuery, frozen=True):
    """Which requests, the newest first."""

    state: State | None = None


_A = Approval.__table__.c


@query("/approvals", permission=approvals.ANSWERS)
async def list_approvals(work: Work, query: ApprovalQuery) -> Page[ApprovalOut]:
    """Requests for approval, of the locations where the caller works."""
    statement: sa.Select[Any] = sa.select(Approval.__table__).where(_A.business_id == work.business_id)
    open_still = sa.and_(_A.state.in_(("waiting", "approved")), _A.expires_at > work.now)
    if query.state == "expired":
        statement = statement.where(_A.state.in_(("waiting", "approved")), _A.expires_at <= work.now)
    elif query.state in ("waiting", "approved"):
        statement = statement.where(_A.state == query.state, open_still)
    elif query.state is not None:
        statement = statement.where(_A.state == query.state)
    return await page(work, statement, query, order=[_A.id], make=lambda row: _shown(work, row), descending=True)


@query("/approvals/{approval_id}", permission=SIGNED_IN)
async def get_approval(work: Work, approval_id: uuid.UUID) -> ApprovalOut:
    """One request: one's own, or any for those who answer them."""
    row = await work.get(Approval, approval_id)
    if row.requested_by != work.actor.id and not work.actor.may(approvals.ANSWERS):
        raise NotFound
    return _shown(work, row)


@query("/approvals/{approval_id}/here", permission=SIGNED_IN)
async def list_approvers_here(work: Work, approval_id: uuid.UUID) -> ApproversHere:
    """Who can approve one's own request by PIN, here: those who may do it alone, at that place, and have a PIN.

    At a registered till those who take turns at it; in another sign-in only where the deployment allows it
    (`DUKA_COUNTER_APPROVALS`), and nobody who has a second factor.
    """
    row = await work.get(Approval, approval_id)
    if row.requested_by != work.actor.id:
        raise NotFound
    if not _is_person(work.actor):
        return ApproversHere([])
    return ApproversHere([Colleague(*one) for one in await approvals.by_pin(work, row)])


_ERRORS = (approvals.SelfApproval, approvals.BeyondApprover, approvals.AlreadyAnswered)


@command("POST", "/approvals/{approval_id}/approve", permission=approvals.ANSWERS, status=200, errors=_ERRORS)
async def approve(work: Work, approval_id: uuid.UUID, data: AnswerIn) -> ApprovalOut:
    """Approve what somebody else asked for, from one's own sign-in.

    Only what the caller may do alone, never their own request. It is then good for five minutes and one use.
    """
    row = await approvals.answer_request(work, approval_id, work.actor, data.reason, approves=True)
    return _shown(work, row)


@command("POST", "/approvals/{approval_id}/refuse", permission=approvals.ANSWERS, status=200, errors=_ERRORS)
async def refuse(work: Work, approval_id: uuid.UUID, data: AnswerIn) -> ApprovalOut:
    """Refuse what somebody else asked for."""
    row = await approvals.answer_request(work, approval_id, work.actor, data.reason, approves=False)
    return _shown(work, row)


@flow(
    "POST",
    "/approvals/{approval_id}/approve-here",
    permission=SIGNED_IN,
    errors=(*_ERRORS, Unauthenticated, SecondFactorRequired, SecondFactorWrong, RateLimited),
)
async def approve_here(scene: Scene, approval_id: uuid.UUID, data: ApprovalHere) -> ApprovalOut:
    """Approve at the till of whoever asked, by the second person's e-mail and password, or by their PIN.

    It signs nobody in. Tries count with those of signing in; those of a PIN away from a registered till by who asks and
    who is asked. The same rules hold as from one's own sign-in.
    """

    async def answer(work: Work, user_id: uuid.UUID) -> ApprovalOut:
        by = await approvals.colleague(work, user_id)
        return _shown(work, await approvals.answer_request(work, approval_id, by, data.reason, approves=True))

    async def admit(work: Work, user_id: uuid.UUID) -> None:
        row = await approvals.own_request(work, approval_id)
        if user_id == work.actor.id:
            raise approvals.SelfApproval
        if user_id not in {one for one, _name in await approvals.by_pin(work, row)}:
            raise Forbidden("They cannot approve this by PIN here")

    standing = scene.visit.standing
    if standing is None or not _is_person(standing.actor):
        raise Forbidden("Approvals are for people")
    if data.user_id is not None and data.pin is not None:
        colleague = data.user_id
        if standing.actor.till_id is not None:
            return await prove_pin(scene, colleague, data.pin, lambda work: answer(work, colleague))
        return await prove_colleague(scene, colleague, data.pin, admit, answer)
    if data.username is None or data.password is None:
        raise Invalid.at("", "Give username and password, or user_id and pin")
    proved = await _prove(scene, data.username, data.password, data.code)
    return await scene.deed(lambda work: answer(work, proved))


async def _prove(scene: Scene, username: str, password: str, code: str | None) -> uuid.UUID:
    """Whose e-mail, password and code these are. Raises Unauthenticated, SecondFactorRequired, RateLimited."""
    visitor = sessions.Visitor(scene.address)
    tried = await scene.deed(lambda work: sessions.attempt(work, username, visitor))
    account = tried.account
    matches = await password_matches(account.password_hash if account else None, password)
    if account is None or not matches or not account.is_active:
        raise Unauthenticated("E-mail or password is wrong")
    (await scene.deed(lambda work: second_factor.check(work, account.id, code))).admit()
    await scene.deed(lambda work: sessions.settle(work, tried))
    return account.id


def _is_person(actor: Actor) -> bool:
    return actor.id is not None and actor.key_id is None


def _shown(work: Work, row: Any) -> ApprovalOut:
    over = row.state in ("waiting", "approved") and row.expires_at <= work.now
    return ApprovalOut(
        row.id,
        row.action,
        None if row.amount is None else format_micro(row.amount),
        row.words,
        row.deed,
        "expired" if over else row.state,
        row.location_id,
        row.register_id,
        row.requested_by,
        row.requested_by_name,
        row.requested_at,
        row.expires_at,
        row.answered_by,
        row.answered_by_name,
        row.answered_at,
        row.reason,
        row.used_at,
        row.used_for,
    )
