"""One's own account: who am I, profile, password, e-mail address, and where one is signed in."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

import sqlalchemy as sa
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from kernel.app.routes.auth import BusinessFacts
from kernel.auth.accounts import profile
from kernel.auth.limits import account_key, address_key, count_guess, count_try
from kernel.auth.models import Membership, SignIn
from kernel.auth.rights import support
from kernel.auth.secrets.mail_tokens import LinkNotValid
from kernel.auth.secrets.passwords import hash_password, password_matches
from kernel.db.tables import Business
from kernel.errors import AlreadyExists, Forbidden, Invalid, NotFound, RateLimited
from kernel.web import IN_PERSON, PUBLIC, SIGNED_IN, Scene, command, flow, page, query
from kernel.wire import Email, Line, ListQuery, Name, Page, Reply, Request
from kernel.work import Work

LETTERS_AN_HOUR, LINKS_AN_ADDRESS = 5, 60
_HOUR = dt.timedelta(hours=1)

Password = Annotated[str, Meta(min_length=10, max_length=200, examples=["three words and a number"])]
LinkToken = Annotated[
    str, Meta(min_length=10, max_length=200, description="From the mailed link.", examples=["m_7tZ1mT0V6cQ4yJbK"])
]
Language = Annotated[str, Meta(pattern=r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z", examples=["sw"])]
Phone = Annotated[str, Meta(pattern=r"\A\+[1-9][0-9]{6,14}\Z", description="E.164.", examples=["+254712345678"])]


class SupportFacts(Struct, frozen=True):
    """What the caller was let in for. read_only: everything that would change something is refused."""

    reason: str
    until: dt.datetime
    read_only: bool


class SuspensionFacts(Struct, frozen=True):
    """Since when the business is suspended by who runs the deployment, and why."""

    since: dt.datetime
    reason: Annotated[str | None, Meta(examples=["unpaid since March"])]


class Me(Struct, frozen=True):
    """The caller: a person, or an API key, which has neither an address nor a profile.

    locations: where the caller works, null for everywhere. support: of an operator who is in a business that lets them
    in, null for everybody else. suspended: null where the business is open, or none is chosen.
    """

    id: uuid.UUID
    name: Name
    is_operator: bool
    business: BusinessFacts | None
    businesses: list[BusinessFacts]
    permissions: list[str]
    plugins: list[str]
    email: Email | None = None
    is_email_verified: bool = False
    language: Language | None = None
    phone: Phone | None = None
    locations: list[uuid.UUID] | None = None
    support: SupportFacts | None = None
    suspended: SuspensionFacts | None = None


class MePatch(Request, frozen=True):
    """What changes of one's own profile."""

    name: Name | UnsetType = UNSET
    language: Language | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET


class PasswordChange(Request, frozen=True):
    """The password one has and the one to have."""

    old_password: Annotated[str, Meta(min_length=1, max_length=200, examples=["DemoPass123!"])]
    new_password: Password


class Forgotten(Request, frozen=True):
    """Whose password is forgotten."""

    email: Email


class PasswordReset(Request, frozen=True):
    """The token of the mailed link, and the new password."""

    token: LinkToken
    password: Password


class EmailChange(Request, frozen=True):
    """The new address, and the password as proof."""

    email: Email
    password: Annotated[str, Meta(min_length=1, max_length=200, examples=["DemoPass123!"])]


class UsedLink(Request, frozen=True):
    """The token of a mailed link."""

    token: LinkToken


class SignInFacts(Struct, frozen=True):
    """One sign-in that is alive. seen_at: its last refresh."""

    id: uuid.UUID
    device: Line | None
    address: Annotated[str | None, Meta(examples=["203.0.113.7"])]
    created_at: dt.datetime
    seen_at: dt.datetime
    is_current: bool


@query("/me", permission=SIGNED_IN)
async def me(work: Work) -> Reply[Me]:
    """Who is calling, in which business, with which permissions and plugins."""
    return await _me(work)


@command("PATCH", "/me", permission=IN_PERSON)
async def change_me(work: Work, data: MePatch) -> Reply[Me]:
    """Change one's name, language or phone number."""
    own = await profile.own_account(work)
    work.check_version(own.version)
    said = {"name": data.name, "language": data.language, "phone": data.phone}
    changes = {name: value for name, value in said.items() if not isinstance(value, UnsetType)}
    await profile.change_own(work, own.version, changes)
    return await _me(work)


@flow("POST", "/password", permission=IN_PERSON, status=204, errors=(Invalid, RateLimited))
async def change_password(scene: Scene, data: PasswordChange) -> None:
    """Change one's password. Needs the old one; ends every other sign-in."""
    stored = await _prove(scene, data.old_password, "/old_password")
    hashed = await hash_password(data.new_password)
    await scene.deed(lambda work: profile.change_password(work, stored, hashed))


@flow("POST", "/password/forgot", permission=PUBLIC, status=204, errors=(RateLimited,))
async def forgot_password(scene: Scene, data: Forgotten) -> None:
    """Ask for a link to set a new password by mail.

    The answer is the same whether the account exists or not: who it is gets looked up afterwards, by a job.
    """

    async def ask(work: Work) -> None:
        await count_try(work, address_key("link", scene.address), LINKS_AN_ADDRESS)
        await count_try(work, account_key("forgot", data.email), LETTERS_AN_HOUR, _HOUR)
        work.later("kernel.mail", {"kind": "password_reset", "email": data.email})

    await scene.deed(ask)


@flow("POST", "/password/reset", permission=PUBLIC, status=204, errors=(LinkNotValid, RateLimited))
async def reset_password(scene: Scene, data: PasswordReset) -> None:
    """Set a new password with the token of a mailed link. Ends every sign-in of the account."""
    await count_link(scene)
    hashed = await hash_password(data.password)
    await scene.deed(lambda work: profile.reset_password(work, data.token, hashed))


@command("POST", "/email/verify/send", permission=IN_PERSON, status=204, errors=(RateLimited,))
async def send_verification(work: Work) -> None:
    """Ask for a link that proves one's e-mail address."""
    await count_try(work, f"verify:{work.actor.id}", LETTERS_AN_HOUR, _HOUR)
    work.later("kernel.mail", {"kind": "email_verify", "user_id": str(work.actor.id)})


@flow("POST", "/email/verify", permission=PUBLIC, status=204, errors=(LinkNotValid, RateLimited))
async def verify_email(scene: Scene, data: UsedLink) -> None:
    """Prove an e-mail address with the token of a mailed link."""
    await count_link(scene)
    await scene.deed(lambda work: profile.verify_email(work, data.token))


@flow("POST", "/email/change", permission=IN_PERSON, status=204, errors=(Invalid, RateLimited))
async def change_email(scene: Scene, data: EmailChange) -> None:
    """Ask for another e-mail address. A link goes to the new one; nothing changes until it is followed.

    The answer is the same whether the new address belongs to an account already.
    """
    await _prove(scene, data.password, "/password")

    async def ask(work: Work) -> None:
        await count_try(work, f"new-email:{work.actor.id}", LETTERS_AN_HOUR, _HOUR)
        said = {"kind": "email_change", "user_id": str(work.actor.id), "email": data.email}
        work.later("kernel.mail", said)

    await scene.deed(ask)


@flow("POST", "/email/change/confirm", permission=PUBLIC, status=204, errors=(LinkNotValid, AlreadyExists, RateLimited))
async def confirm_new_email(scene: Scene, data: UsedLink) -> None:
    """Take the new e-mail address with the token mailed to it; the old one is told."""
    await count_link(scene)
    await scene.deed(lambda work: profile.confirm_new_email(work, data.token))


@query("/sign-ins", permission=IN_PERSON)
async def list_sign_ins(work: Work, query: ListQuery) -> Page[SignInFacts]:
    """Where one is signed in."""
    seen = sa.func.coalesce(SignIn.seen_at, SignIn.created_at).label("seen")
    statement = sa.select(SignIn.id, SignIn.device, SignIn.address, SignIn.created_at, seen).where(
        SignIn.user_id == work.actor.id, SignIn.revoked_at.is_(None)
    )

    def make(row: sa.Row[tuple[uuid.UUID, str | None, str | None, dt.datetime, dt.datetime]]) -> SignInFacts:
        here = row.id == work.actor.session_id
        return SignInFacts(row.id, row.device, row.address, row.created_at, row.seen, here)

    return await page(work, statement, query, order=[SignIn.id], make=make, descending=True)


@command("DELETE", "/sign-ins/{sign_in_id}", permission=IN_PERSON)
async def end_sign_in(work: Work, sign_in_id: uuid.UUID) -> None:
    """Sign out one device; its tokens are dead at the next request."""
    mine = sa.and_(SignIn.id == sign_in_id, SignIn.user_id == work.actor.id, SignIn.revoked_at.is_(None))
    ended = await work.execute(sa.update(SignIn).where(mine).values(revoked_at=work.now))
    if not ended.rowcount:
        raise NotFound
    work.audit(subject=f"sign-in:{sign_in_id}")


async def count_link(scene: Scene) -> None:
    """Count one use of a mailed link from an address, before anything dear is done for it. Raises RateLimited."""
    await scene.deed(lambda work: count_try(work, address_key("link", scene.address), LINKS_AN_ADDRESS))


async def _prove(scene: Scene, password: str, pointer: str) -> str:
    """Check the caller's password, ten guesses in any quarter of an hour; returns the hash it was checked against."""

    async def read(work: Work) -> str:
        if work.actor.id is None:
            raise Forbidden
        await count_guess(work, f"password:{work.actor.id}", 10)
        return await profile.stored_password(work)

    stored = await scene.deed(read)
    if not await password_matches(stored, password):
        raise Invalid.at(pointer, "This is not your password", code="wrong-password")
    return stored


async def _me(work: Work) -> Reply[Me]:
    standing, actor = work.standing, work.actor
    assert actor.id is not None  # noqa: S101 - the gate lets only people and keys in here
    mine = await work.execute(
        sa.select(Business.id, Business.slug, Business.name, Business.currency, Business.region, Business.zone)
        .join(Membership, Membership.business_id == Business.id)
        .where(Membership.user_id == actor.id, Membership.is_active.is_(True), Business.is_active.is_(True))
        .order_by(Business.slug)
    )
    shop = standing.shop
    said = Me(
        actor.id,
        actor.name,
        actor.is_operator,
        BusinessFacts(shop.id, shop.slug, shop.name, shop.currency, shop.region, shop.zone) if shop else None,
        [BusinessFacts(*tuple(row)) for row in mine.all()],
        sorted(actor.permissions or ()),
        sorted(standing.enabled),
        locations=None if actor.locations is None else sorted(actor.locations),
        suspended=await _suspension(work) if standing.suspended else None,
    )
    if actor.key_id is not None:
        return Reply(said)
    own = await profile.own_account(work)
    person = structs.replace(
        said,
        name=own.name,
        email=own.email,
        is_email_verified=own.is_email_verified,
        language=own.language,
        phone=own.phone,
        support=await _support(work),
    )
    return Reply(person, version=own.version)


async def _suspension(work: Work) -> SuspensionFacts | None:
    facts = sa.select(Business.suspended_at, Business.suspended_reason).where(Business.id == work.business_id)
    row = (await work.execute(facts)).one()
    return SuspensionFacts(row.suspended_at, row.suspended_reason) if row.suspended_at else None


async def _support(work: Work) -> SupportFacts | None:
    """What an operator is in the business for, None for whoever works there."""
    access = await support.access_of(work) if work.actor.supporting else None
    return SupportFacts(access.reason, access.ends_at, work.standing.read_only) if access else None
