"""API keys of the business."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.auth.credentials import ApiKey
from kernel.auth.models import User
from kernel.auth.signing_in.api_keys import make_key, revoke_key
from kernel.errors import NotFound
from kernel.web import Scene, command, flow, page, query
from kernel.wire import Code, ListQuery, Name, Page, Reply, Request
from kernel.work import Work

Scopes = Annotated[tuple[Code, ...], Meta(min_length=1, max_length=200, examples=[["users.see"]])]
Moment = Annotated[dt.datetime, Meta(tz=True, examples=["2027-11-21T00:00:00Z"])]


class KeyIn(Request, frozen=True):
    """A key to make: what it is for, which permissions it may use, and until when."""

    name: Name
    scopes: Scopes
    expires_at: Moment | None = None


class KeyOut(Struct, frozen=True):
    """An API key; its secret is never shown again."""

    id: uuid.UUID
    name: Name
    scopes: list[str]
    created_by: Annotated[str, Meta(description="Its maker, within whose rights it acts.", examples=["Wanjiku"])]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: Annotated[dt.datetime | None, Meta(description="To the minute.")]
    revoked_at: dt.datetime | None


class NewKey(Struct, frozen=True):
    """An API key with its text, which is shown this once."""

    id: uuid.UUID
    name: Name
    scopes: list[str]
    expires_at: dt.datetime | None
    key: Annotated[str, Meta(description="`dk_<public id>_<secret>`; send it as a bearer token.", examples=["dk_…"])]


class KeyQuery(ListQuery, frozen=True):
    """Which keys."""

    is_revoked: bool | None = None


_keys = sa.select(
    ApiKey.id,
    ApiKey.name,
    ApiKey.scopes,
    User.name.label("created_by"),
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.last_used_at,
    ApiKey.revoked_at,
).join(User, User.id == ApiKey.created_by)


@query("/keys", permission="keys.manage")
async def list_keys(work: Work, query: KeyQuery) -> Page[KeyOut]:
    """The business's API keys, newest first."""
    statement = _keys.where(ApiKey.business_id == work.shop.id)
    if query.is_revoked is not None:
        statement = statement.where(ApiKey.revoked_at.is_not(None) if query.is_revoked else ApiKey.revoked_at.is_(None))
    return await page(work, statement, query, order=[ApiKey.id], make=_key, descending=True)


@query("/keys/{key_id}", permission="keys.manage")
async def get_key(work: Work, key_id: uuid.UUID) -> KeyOut:
    """One API key."""
    found = await work.execute(_keys.where(ApiKey.business_id == work.shop.id, ApiKey.id == key_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return _key(row)


@flow("POST", "/keys", permission="keys.manage", status=201)
async def add_key(scene: Scene, data: KeyIn) -> Reply[NewKey]:
    """Make an API key. Its text is shown this once and is nowhere kept: not even for an Idempotency-Key.

    Its scopes are permissions that the caller holds. What takes a person – managing people, roles, keys, tills, plugins
    and the business itself – no key ever holds. On each request the key holds those of its scopes that its maker still
    holds then; when the maker leaves, it opens nothing.
    """
    id_, key = await scene.deed(lambda work: make_key(work, data.name, data.scopes, data.expires_at))
    made = NewKey(id_, data.name, sorted(set(data.scopes)), data.expires_at, key)
    return Reply(made, location=f"/api/v1/keys/{id_}")


@command("DELETE", "/keys/{key_id}", permission="keys.manage")
async def end_key(work: Work, key_id: uuid.UUID) -> None:
    """Revoke an API key, for good. It opens nothing from the next request on; it stays in the list."""
    await revoke_key(work, key_id)


def _key(row: Any) -> KeyOut:
    return KeyOut(*tuple(row)[:8])
