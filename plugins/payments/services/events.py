"""What becomes known of a payment, noted as its events: they are only ever added."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from kernel.db import new_id
from kernel.work import Work
from plugins.payments.models import Event
from plugins.payments.rules import FactKind, Source
from plugins.payments.schemas.gateways import GatewayFact


def note(
    work: Work,
    attempt_id: uuid.UUID,
    kind: FactKind,
    source: Source,
    amount: int | None = None,
    currency: str | None = None,
    refund_id: uuid.UUID | None = None,
    at: dt.datetime | None = None,
) -> uuid.UUID:
    """Declare a fact of our own making, in minor units; returns its id. at: when, if that is not now."""
    said = None if refund_id is None else str(refund_id)
    fact = GatewayFact(kind=kind, key="", amount=amount, currency=currency, refund_id=said)
    return note_event(work, attempt_id, fact, source, at)


def note_event(
    work: Work, attempt_id: uuid.UUID, fact: GatewayFact, source: Source, at: dt.datetime | None = None
) -> uuid.UUID:
    """Declare what a provider said; returns its id."""
    event_id = new_id()
    work.insert(
        Event,
        {
            "id": event_id,
            "attempt_id": attempt_id,
            "kind": fact.kind,
            "source": source,
            "dedupe_key": fact.key or None,
            "amount": fact.amount,
            "currency": fact.currency,
            "money_key": fact.money_key,
            "fee": fact.fee,
            "refund_id": uuid.UUID(fact.refund_id) if fact.refund_id else None,
            "code": fact.code[:100] or None,
            "words": fact.words[:500] or None,
            "provider_ids": dict(fact.ids) or None,
            "at": at or work.now,
        },
    )
    return event_id


def fault_of(fact: GatewayFact, otherwise: str = "") -> dict[str, Any]:
    """Why something failed, as it is stored beside what failed. otherwise: in words, where the provider has none."""
    told = {"kind": fact.fault or "unknown", "said": fact.said or fact.words or otherwise, "code": fact.code}
    return told | ({"tells": fact.tells} if fact.tells else {})
