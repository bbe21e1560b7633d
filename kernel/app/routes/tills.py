"""Registered tills, and signing in at them by PIN."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.app.routes.auth import TokenPair, _answer
from kernel.app.routes.proving import Digits, OwnPassword, prove_password, prove_pin, till_of
from kernel.auth.credentials import Pin, Till
from kernel.auth.models import Membership, User
from kernel.auth.signing_in import pins, sessions
from kernel.auth.signing_in.sessions import Tokens
from kernel.auth.signing_in.tills import register_till, revoke_till
from kernel.errors import RateLimited, Unauthenticated
from kernel.web import IN_PERSON, TILL, Scene, command, flow, page, query
from kernel.wire import ListQuery, Name, Page, Reply, Request
from kernel.work import Work


class TillIn(Request, frozen=True):
    """A device to register as a till of a storefront. register_id: the register it stands at, where there are any."""

    name: Name
    location_id: uuid.UUID
    register_id: uuid.UUID | None = None


class TillPatch(Request, frozen=True):
    """What changes of a till."""

    name: Name


class TillOut(Struct, frozen=True):
    """A registered till."""

    id: uuid.UUID
    name: Name
    location_id: uuid.UUID
    register_id: uuid.UUID | None
    created_at: dt.datetime
    last_used_at: Annotated[dt.datetime | None, Meta(description="To the minute.")]
    revoked_at: dt.datetime | None


class NewTill(Struct, frozen=True):
    """A registered till with its device token, which is shown this once."""

    id: uuid.UUID
    name: Name
    location_id: uuid.UUID
    register_id: uuid.UUID | None
    token: Annotated[str, Meta(description="`dt_<public id>_<secret>`; kept by the device.", examples=["dt_…"])]


class TillQuery(ListQuery, frozen=True):
    """Which tills."""

    location_id: uuid.UUID | None = None
    is_revoked: bool | None = None


class AtTheTill(Struct, frozen=True):
    """Somebody who can take over at a till."""

    id: uuid.UUID
    name: Name


class Switchboard(Struct, frozen=True):
    """What a till shows while nobody is signed in: itself, and who may take over."""

    till_id: uuid.UUID
    till: Name
    location_id: uuid.UUID
    register_id: uuid.UUID | None
    people: list[AtTheTill]


class PinSignIn(Request, frozen=True):
    """Who takes over, and their PIN."""

    user_id: uuid.UUID
    pin: Digits


class OwnPin(Struct, frozen=True):
    """Whether one has a PIN for the tills of this business. approves_in_sign_ins: it approves away from tills too."""

    is_set: bool
    changed_at: dt.datetime | None
    approves_in_sign_ins: bool


class NewPin(OwnPassword, frozen=True):
    """A PIN for the tills of this business, and the caller's own password."""

    pin: Digits


_columns = [
    Till.id,
    Till.name,
    Till.location_id,
    Till.register_id,
    Till.created_at,
    Till.last_used_at,
    Till.revoked_at,
]


@query("/tills", permission="tills.manage")
async def list_tills(work: Work, query: TillQuery) -> Page[TillOut]:
    """The devices registered as tills, revoked ones too."""
    statement = sa.select(*_columns).where(Till.business_id == work.shop.id)
    if query.location_id is not None:
        statement = statement.where(Till.location_id == query.location_id)
    if query.is_revoked is not None:
        statement = statement.where(Till.revoked_at.is_not(None) if query.is_revoked else Till.revoked_at.is_(None))
    return await page(work, statement, query, order=[Till.name, Till.id], make=_till)


@query("/tills/{till_id}", permission="tills.manage")
async def get_till(work: Work, till_id: uuid.UUID) -> Reply[TillOut]:
    """One till."""
    till = await work.get(Till, till_id)
    return Reply(_till(till), version=till.version)


@flow("POST", "/tills", permission="tills.manage", status=201)
async def add_till(scene: Scene, data: TillIn) -> Reply[NewTill]:
    """Register a device as a till. Its token is shown this once, and kept by the device."""
    id_, token = await scene.deed(lambda work: register_till(work, data.name, data.location_id, data.register_id))
    made = NewTill(id_, data.name, data.location_id, data.register_id, token)
    return Reply(made, version=1, location=f"/api/v1/tills/{id_}")


@command("PATCH", "/tills/{till_id}", permission="tills.manage")
async def change_till(work: Work, till_id: uuid.UUID, data: TillPatch) -> Reply[TillOut]:
    """Rename a till. One that moves to another location or register is registered anew."""
    till = await work.get(Till, till_id, to_change=True)
    work.check_version(till.version)
    till.name = data.name
    till.version += 1
    await work.session.flush()
    work.audit(subject=f"till:{till_id}", name=data.name)
    return Reply(_till(till), version=till.version)


@command("DELETE", "/tills/{till_id}", permission="tills.manage")
async def end_till(work: Work, till_id: uuid.UUID) -> None:
    """Revoke a till, for good. From the next request on its token and the sign-ins made at it open nothing."""
    await revoke_till(work, till_id)


@query("/tills/me/people", permission=TILL)
async def list_people_at_till(work: Work) -> Switchboard:
    """What this till shows while nobody is signed in: the names of those who work here and have a PIN."""
    till = await work.get(Till, till_of(work))
    people = await work.execute(
        sa.select(User.id, User.name, Membership.locations)
        .join(Membership, Membership.user_id == User.id)
        .join(Pin, sa.and_(Pin.business_id == Membership.business_id, Pin.user_id == User.id))
        .where(Membership.business_id == work.shop.id, Membership.is_active.is_(True), User.is_active.is_(True))
        .order_by(User.name, User.id)
    )
    here = [row for row in people.all() if pins.works_at(row.locations, till.location_id)]
    names = [AtTheTill(row.id, row.name) for row in here]
    return Switchboard(till.id, till.name, till.location_id, till.register_id, names)


@flow("POST", "/auth/pin", permission=TILL, errors=(Unauthenticated, RateLimited))
async def sign_in_by_pin(scene: Scene, data: PinSignIn) -> TokenPair:
    """Take over at this till by PIN. Send the till's device token as the bearer.

    The pair opens this business alone, for a short while, and nothing that takes a person with their password. Five
    tries a person at a till in a quarter of an hour; that stops neither other people, nor other tills, nor passwords.
    """

    async def begin(work: Work) -> Tokens:
        work.audit(subject=f"user:{data.user_id}")
        return await sessions.begin_at_till(work, data.user_id, till_of(work), scene.address, work.actor.name)

    return await _answer(scene, await prove_pin(scene, data.user_id, data.pin, begin))


@query("/auth/my-pin", permission=IN_PERSON)
async def get_pin(work: Work) -> OwnPin:
    """Whether one has a PIN for this business, and since when; never the PIN."""
    mine = sa.and_(Pin.business_id == work.shop.id, Pin.user_id == work.actor.id)
    changed_at = (await work.execute(sa.select(Pin.changed_at).where(mine))).scalar_one_or_none()
    return OwnPin(changed_at is not None, changed_at, work.deployment.settings.counter_approvals == "sign-ins")


@flow("POST", "/auth/my-pin", permission=IN_PERSON, status=204, errors=(RateLimited,))
async def set_pin(scene: Scene, data: NewPin) -> None:
    """Set one's own PIN for the tills of this business. Those that are guessed first, such as 1234, are refused."""
    pins.refuse_weak(data.pin)
    await prove_password(scene, data.password)
    hashed = await pins.hash_pin(data.pin)

    async def keep(work: Work) -> None:
        assert work.actor.id is not None  # noqa: S101 - this route is for people
        work.audit(subject=f"user:{work.actor.id}")
        await pins.set_pin(work, work.actor.id, hashed)

    await scene.deed(keep)


@command("DELETE", "/auth/my-pin", permission=IN_PERSON)
async def drop_pin(work: Work) -> None:
    """Take one's own PIN for this business away; sign-ins by it end."""
    assert work.actor.id is not None  # noqa: S101 - as above
    await pins.forget_pin(work, work.actor.id)
    work.audit(subject=f"user:{work.actor.id}")


def _till(row: Any) -> TillOut:
    return TillOut(row.id, row.name, row.location_id, row.register_id, row.created_at, row.last_used_at, row.revoked_at)
