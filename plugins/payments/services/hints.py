"""Notices that nobody signed: they make Duka ask, and count only as far as the provider confirms what they say."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.models import Event, ProviderNotice
from plugins.payments.schemas.gateways import GatewayFact

READ: Final = "payments.read_notice"
"""The job that reads a notice. Payload: `notice_id`."""
WAITING: Final = ("stored", "orphan")
"""States of notices that may still be read."""
PROVING: Final = ("captured",)
DENYING: Final = ("failed", "cancelled", "expired")
"""Kinds of facts by which a provider that is asked confirms or denies that money came."""
_E, _N = Event.__table__.c, ProviderNotice.__table__.c


async def look_again_at_hints(work: Work, attempt_id: uuid.UUID) -> None:
    """Have the hints of a payment read again, now that the provider has said itself what became of it."""
    found = sa.select(_N.id).where(
        _N.business_id == work.business_id,
        _N.attempt_id == attempt_id,
        _N.trust == "hint",
        _N.state.in_(WAITING),
    )
    for row in (await work.execute(found)).all():
        work.later(READ, {"notice_id": str(row.id)})


async def proof_of(work: Work, attempt_id: uuid.UUID) -> set[str] | None:
    """The numbers of the money that the provider has proved to have come for a payment; None without proof."""
    found = sa.select(_E.money_key).where(
        _E.business_id == work.business_id,
        _E.attempt_id == attempt_id,
        _E.kind.in_(PROVING),
        _E.source.in_(("query", "statement", "provider")),
    )
    rows = (await work.execute(found)).all()
    return {row.money_key for row in rows if row.money_key} if rows else None


async def is_denied(work: Work, attempt_id: uuid.UUID, since: dt.datetime) -> bool:
    """Whether the provider, when it was asked, said since then that no money came."""
    found = sa.select(_E.id).where(
        _E.business_id == work.business_id,
        _E.attempt_id == attempt_id,
        _E.kind.in_(DENYING),
        _E.source == "query",
        _E.at >= since,
    )
    return (await work.execute(found.limit(1))).first() is not None


def agrees(payment: Any, numbers: set[str], hint: GatewayFact) -> bool:
    """Whether a hint says of money what the provider has proved. payment: its row, captured; numbers: of its money."""
    known: Mapping[str, str] = payment.provider_ids or {}
    return (
        hint.currency in (None, payment.currency)
        and hint.amount in (None, payment.captured)
        and (hint.money_key is None or not numbers or hint.money_key in numbers)
        and all(known.get(name, value) == value for name, value in hint.ids.items())
    )
