"""Sign in, refresh, switch business, sign out."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.auth.identity import identify
from kernel.auth.models import RefreshToken
from kernel.auth.secrets.passwords import password_matches
from kernel.auth.signing_in import second_factor, sessions
from kernel.auth.signing_in.devices import forget_devices
from kernel.auth.signing_in.sessions import WRONG, Account, Attempt, Tokens, Visitor
from kernel.db import Phase
from kernel.errors import RateLimited, SecondFactorRequired, SecondFactorWrong, Unauthenticated
from kernel.web import IN_PERSON, PUBLIC, SIGNED_IN, Scene, command, flow
from kernel.wire import Currency, Email, Line, Name, Region, Request, Slug
from kernel.work import Work

DeviceToken = Annotated[
    str,
    Meta(
        max_length=200,
        description="The token this device was given when it signed in last; it opens nothing by itself.",
        examples=["d_3kV0bqW8mYx2nTz5sRfQ"],
    ),
]


class Login(Request, frozen=True):
    """Who signs in, and to which business; without one, the only or first of the user's."""

    username: Email
    password: Annotated[str, Meta(min_length=1, max_length=200, examples=["DemoPass123!"])]
    code: second_factor.Code | None = None
    business: Slug | None = None
    device: Line | None = None
    device_token: DeviceToken | None = None


class Refresh(Request, frozen=True):
    """A refresh token, good for one use."""

    refresh_token: Annotated[str, Meta(min_length=10, max_length=200, examples=["r_8tDZ1mT0V6cQ4yJbK2nX"])]
    device_token: DeviceToken | None = None


class Switch(Request, frozen=True):
    """The business to go on in."""

    business: Slug


class BusinessFacts(Struct, frozen=True):
    """A business, as its members see it."""

    id: uuid.UUID
    slug: Slug
    name: Name
    currency: Currency
    region: Region
    zone: Annotated[str, Meta(examples=["Africa/Nairobi"])]


class TokenPair(Struct, frozen=True):
    """A pair of tokens, and what they open."""

    access_token: Annotated[str, Meta(examples=["eyJ…"])]
    refresh_token: Annotated[str, Meta(examples=["r_XyZ…"])]
    expires_in: Annotated[int, Meta(description="Seconds.", examples=[900])]
    business: BusinessFacts | None
    permissions: list[str]
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    device_token: Annotated[
        str | None, Meta(description="After signing in: keep it on the device, for this person.")
    ] = None
    must_set_up_second_factor: Annotated[
        bool, Meta(description="The business demands a second factor; until there is one, nothing else is open.")
    ] = False


@flow(
    "POST",
    "/login",
    permission=PUBLIC,
    errors=(Unauthenticated, SecondFactorRequired, SecondFactorWrong, RateLimited),
)
async def login(scene: Scene, data: Login) -> TokenPair:
    """Sign in.

    Ten wrong tries an account in any quarter of an hour. A device that sends the `device_token` it was given has ten of
    its own, which nobody else can use up. The answer does not tell whether the account exists. Where the account has a
    second factor, the right password alone answers 401 `second-factor-required`: send the same request again with
    `code`, from the authenticator app or one of the recovery codes. Where it has none and the business demands one of
    the person's role, `must_set_up_second_factor` is true, and until then all else answers `second-factor-demanded`.
    """
    visitor = Visitor(scene.address, data.device, data.device_token)
    tried = await scene.deed(lambda work: sessions.attempt(work, data.username, visitor))
    stored = tried.account.password_hash if tried.account else None
    matches = await password_matches(stored, data.password)
    if tried.account is None or not matches or not tried.account.is_active:
        raise Unauthenticated(WRONG)
    return await _admit(scene, tried.account, tried, data.code, data.business, visitor)


async def _admit(
    scene: Scene, account: Account, tried: Attempt, code: str | None, business: str | None, visitor: Visitor
) -> TokenPair:
    """The password was right: ask for the second factor where there is one, then give the tokens."""
    (await scene.deed(lambda work: second_factor.check(work, account.id, code))).admit()
    tokens = await scene.deed(lambda work: sessions.begin(work, tried, business, visitor))
    return await _answer(scene, tokens)


@flow("POST", "/refresh", permission=PUBLIC, errors=(Unauthenticated,))
async def refresh(scene: Scene, data: Refresh) -> TokenPair:
    """Exchange a refresh token for a new pair.

    Each refresh token works once. One that comes back a second time was stolen or lost: the whole sign-in ends. Only
    the device it belongs to, sending its `device_token` within ten seconds, is answered again.
    """
    visitor = Visitor(scene.address, device_token=data.device_token)
    tokens = await scene.deed(lambda work: sessions.refresh(work, data.refresh_token, visitor))
    if tokens is None:
        raise Unauthenticated("The refresh token is not valid")
    return await _answer(scene, tokens)


@flow("POST", "/switch", permission=IN_PERSON)
async def switch(scene: Scene, data: Switch) -> TokenPair:
    """Go on in another business: a new pair of tokens for it."""
    return await _answer(scene, await scene.deed(lambda work: sessions.switch(work, data.business)))


@command("POST", "/logout", permission=SIGNED_IN, status=204)
async def logout(work: Work) -> None:
    """Sign out; the sign-in's tokens are dead at the next request."""
    work.audit(subject=f"sign_in:{work.actor.session_id}")
    await sessions.end(work)
    await work.execute(
        sa.update(RefreshToken).where(RefreshToken.sign_in_id == work.actor.session_id).values(used_at=work.now)
    )


@command("POST", "/logout/everywhere", permission=IN_PERSON, status=204)
async def logout_everywhere(work: Work) -> None:
    """Sign out on every device, this one too, and forget the devices: the next sign-ins start from nothing."""
    assert work.actor.id is not None  # noqa: S101 - the gate lets only people sign in
    await sessions.end_all(work, work.actor.id)
    await forget_devices(work, work.actor.id)
    work.audit(subject=f"user:{work.actor.id}")


async def _answer(scene: Scene, tokens: Tokens) -> TokenPair:
    """The pair with what it opens, read with the new token's own eyes."""
    claims = tokens.claims
    transaction = await scene.deployment.database.open(Phase.READ, claims.business_id)
    try:
        standing = await identify(transaction, claims, scene.visit.rights)
    finally:
        await transaction.close()
    shop = standing.shop
    facts = BusinessFacts(shop.id, shop.slug, shop.name, shop.currency, shop.region, shop.zone) if shop else None
    held = sorted(standing.actor.permissions or ())
    return TokenPair(
        *(tokens.access_token, tokens.refresh_token, tokens.expires_in, facts, held),
        device_token=tokens.device_token,
        must_set_up_second_factor=standing.must_enrol,
    )
