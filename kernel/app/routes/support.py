"""Support access: whether operators of the deployment may look into the business, asked and granted by its owner."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from msgspec import Meta, Struct

from kernel.auth.rights import support
from kernel.auth.rights.support import Access
from kernel.errors import NotFound
from kernel.web import command, query
from kernel.wire import Request
from kernel.work import Work

_Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\Z", examples=["help with the stock count"])
]


class GrantIn(Request, frozen=True):
    """Until when operators may come in, why, and in which role; without a role they only look."""

    until: Annotated[
        dt.datetime, Meta(tz=True, description="At most 72 hours from now.", examples=["2026-11-21T18:00:00Z"])
    ]
    reason: _Reason
    role_id: uuid.UUID | None = None


class AccessOut(Struct, frozen=True):
    """What operators were last let in for."""

    business_id: uuid.UUID
    is_open: bool
    role_id: Annotated[uuid.UUID | None, Meta(description="null: they only look.")]
    reason: str
    granted_by: uuid.UUID | None
    granted_at: dt.datetime
    until: dt.datetime
    revoked_at: dt.datetime | None


@query("/support-access", permission="support.grant")
async def get_support_access(work: Work) -> AccessOut:
    """Whether operators are let in, and until when; 404 if they never were."""
    access = await support.access_of(work)
    if access is None:
        raise NotFound("Nobody was ever let in")
    return _out(work, access)


@command("POST", "/support-access", permission="support.grant")
async def grant_support_access(work: Work, data: GrantIn) -> AccessOut:
    """Let operators of the deployment in, for at most 72 hours.

    All they do here is in the audit trail, marked. A new grant takes the place of the one before.
    """
    return _out(work, await support.grant(work, data.until, data.reason, data.role_id))


@command("DELETE", "/support-access", permission="support.grant", errors=(NotFound,))
async def revoke_support_access(work: Work) -> None:
    """Let them out again, from their next request on."""
    await support.revoke(work)


def _out(work: Work, access: Access) -> AccessOut:
    return AccessOut(
        work.business_id,
        access.is_open(work.now),
        access.role_id,
        access.reason,
        access.granted_by,
        access.granted_at,
        access.ends_at,
        access.revoked_at,
    )
