"""Sign in, refresh, switch business, sign out, who am I."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.auth import signing_in
from kernel.auth.identity import identify
from kernel.auth.limits import count_try, forget_tries
from kernel.auth.models import Membership, RefreshToken
from kernel.auth.passwords import password_matches
from kernel.auth.signing_in import Tokens
from kernel.db import Phase
from kernel.db.tables import Business
from kernel.errors import RateLimited, Unauthenticated
from kernel.web import PUBLIC, SIGNED_IN, Scene, command, flow, query
from kernel.wire import Currency, Email, Line, Name, Region, Request, Slug
from kernel.work import Work

TRIES_AN_ACCOUNT, TRIES_AN_ADDRESS = 10, 100


class Login(Request, frozen=True):
    """Who signs in, and to which business; without one, the only or first of the user's."""

    username: Email
    password: Annotated[str, Meta(min_length=1, max_length=200, examples=["DemoPass123!"])]
    business: Slug | None = None
    device: Line | None = None


class Refresh(Request, frozen=True):
    """A refresh token, good for one use."""

    refresh_token: Annotated[str, Meta(min_length=10, max_length=200, examples=["r_8tDZ1mT0V6cQ4yJbK2nX"])]


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
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme  # noqa: S105 - what kind of token it is


class Me(Struct, frozen=True):
    """The caller."""

    id: uuid.UUID
    name: Name
    is_operator: bool
    business: BusinessFacts | None
    businesses: list[BusinessFacts]
    permissions: list[str]
    plugins: list[str]


@flow("POST", "/login", permission=PUBLIC, errors=(Unauthenticated, RateLimited))
async def login(scene: Scene, data: Login) -> TokenPair:
    """Sign in.

    Ten tries an account in a quarter of an hour. The answer does not tell whether the account exists.
    """
    account_key = f"login:{data.username.lower()}"

    async def begin(work: Work) -> signing_in.Account | None:
        await count_try(work, account_key, TRIES_AN_ACCOUNT)
        await count_try(work, f"address:{scene.address}", TRIES_AN_ADDRESS)
        return await signing_in.find_account(work, data.username)

    account = await scene.deed(begin)
    matches = await password_matches(account.password_hash if account else None, data.password)
    if account is None or not matches or not account.is_active:
        raise Unauthenticated("E-mail, password or business is wrong")

    async def finish(work: Work) -> Tokens:
        await forget_tries(work, account_key)
        return await signing_in.begin(work, account.id, data.business, scene.address, data.device)

    return await _answer(scene, await scene.deed(finish))


@flow("POST", "/refresh", permission=PUBLIC, errors=(Unauthenticated,))
async def refresh(scene: Scene, data: Refresh) -> TokenPair:
    """Exchange a refresh token for a new pair.

    Each refresh token works once. One that comes back a second time was stolen or lost: the whole sign-in ends.
    """
    tokens = await scene.deed(lambda work: signing_in.refresh(work, data.refresh_token))
    if tokens is None:
        raise Unauthenticated("The refresh token is not valid")
    return await _answer(scene, tokens)


@flow("POST", "/switch", permission=SIGNED_IN)
async def switch(scene: Scene, data: Switch) -> TokenPair:
    """Go on in another business: a new pair of tokens for it."""
    return await _answer(scene, await scene.deed(lambda work: signing_in.switch(work, data.business)))


@command("POST", "/logout", permission=SIGNED_IN, status=204)
async def logout(work: Work) -> None:
    """Sign out; the sign-in's tokens are dead at the next request."""
    work.audit(subject=f"sign_in:{work.actor.session_id}")
    await signing_in.end(work)
    await work.execute(
        sa.update(RefreshToken).where(RefreshToken.sign_in_id == work.actor.session_id).values(used_at=work.now)
    )


@query("/me", permission=SIGNED_IN)
async def me(work: Work) -> Me:
    """Who is calling, in which business, with which permissions and plugins."""
    mine = await work.execute(
        sa.select(Business.id, Business.slug, Business.name, Business.currency, Business.region, Business.zone)
        .join(Membership, Membership.business_id == Business.id)
        .where(Membership.user_id == work.actor.id, Membership.is_active.is_(True), Business.is_active.is_(True))
        .order_by(Business.slug)
    )
    businesses = [BusinessFacts(*tuple(row)) for row in mine.all()]
    standing, actor = work.standing, work.actor
    here = next((one for one in businesses if standing.shop and one.id == standing.shop.id), None)
    assert actor.id is not None  # noqa: S101 - the gate lets only people sign in
    return Me(
        actor.id,
        actor.name,
        actor.is_operator,
        here,
        businesses,
        sorted(actor.permissions or ()),
        sorted(standing.enabled),
    )


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
    return TokenPair(tokens.access_token, tokens.refresh_token, tokens.expires_in, facts, held)
