"""API keys: made by a person for a program, within what that person holds."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from kernel.auth.credentials import ApiKey
from kernel.auth.rights.permissions import Rights, not_in_person
from kernel.auth.secrets.bearer import make_lasting
from kernel.auth.telling import tell_of_change
from kernel.db import new_id
from kernel.errors import Fault, Forbidden, Invalid, NotFound
from kernel.work import Work


async def make_key(
    work: Work, name: str, scopes: Sequence[str], expires_at: dt.datetime | None
) -> tuple[uuid.UUID, str]:
    """Make a key; returns its id and its text, which is shown this once.

    Raises Invalid for a scope that is none or that takes a person, or an end in the past; Forbidden for a scope that
    the caller does not hold.
    """
    check_scopes(work, scopes)
    if expires_at is not None and expires_at <= work.now:
        raise Invalid.at("/expires_at", "This is past")
    id_ = new_id()
    key, hash_ = make_lasting("dk", work.business_id, id_)
    await work.execute(
        sa.insert(ApiKey).values(
            business_id=work.business_id,
            id=id_,
            name=name,
            hash=hash_,
            scopes=sorted(set(scopes)),
            created_by=work.actor.id,
            created_at=work.now,
            expires_at=expires_at,
        )
    )
    work.audit(subject=f"key:{id_}", name=name, scopes=sorted(set(scopes)))
    if work.actor.id is not None:
        tell_of_change(work, work.actor.id, "key_made", name=name)
    return id_, key


def check_scopes(work: Work, scopes: Sequence[str]) -> None:
    """Raise Invalid or Forbidden unless the caller may hand these scopes to a key."""
    known = frozenset(one.name for one in Rights(work.deployment.registry).declared(work.standing.enabled))
    faults = [
        Fault(f"/scopes/{n}", "unknown", "No such permission") for n, one in enumerate(scopes) if one not in known
    ]
    faults += [
        Fault(f"/scopes/{n}", "takes-a-person", "A key never holds this permission")
        for n, one in enumerate(scopes)
        if one in known - not_in_person(known)
    ]
    if faults:
        raise Invalid("A scope cannot be given to a key", faults=faults)
    if beyond := [one for one in scopes if not work.actor.may(one)]:
        raise Forbidden(f"Your role does not hold {', '.join(beyond[:3])}")


async def revoke_key(work: Work, key_id: uuid.UUID) -> None:
    """End a key; it opens nothing from the next request on. Once ended it stays so. Raises NotFound."""
    here = sa.and_(ApiKey.business_id == work.business_id, ApiKey.id == key_id)
    found = await work.execute(sa.select(ApiKey.name, ApiKey.created_by).where(here))
    key = found.one_or_none()
    if key is None:
        raise NotFound
    ended = await work.execute(sa.update(ApiKey).where(here, ApiKey.revoked_at.is_(None)).values(revoked_at=work.now))
    if not ended.rowcount:
        return
    tell_of_change(work, key.created_by, "key_ended", name=key.name)
    work.changed(ApiKey, key_id, {"revoked_at": None}, {"revoked_at": work.now})
    work.audit(subject=f"key:{key_id}")
