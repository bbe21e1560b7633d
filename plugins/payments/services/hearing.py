"""What is heard of a payment by a gateway: kept as events, projected, and credited once.

Whichever way and in whatever order facts come, one payment counts one piece of money, and one piece of money counts for
one payment. What else comes is never dropped: it becomes a payment of its own, or stands in the tray, and somebody is
asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from msgspec import structs

from kernel.db import Prepared, new_id
from kernel.work import Work
from plugins.payments.hooks import money_wanted, payment_captured
from plugins.payments.models import Attempt, Event
from plugins.payments.rules import FINAL, REFUND_FACTS, UNVERIFIED, Fact, Source, came_late, is_word_only, project
from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.schemas.reviews import ReviewKind
from plugins.payments.services.events import fault_of, note_event
from plugins.payments.services.hearing_refunds import hear_about_refunds, sound_facts
from plugins.payments.services.hints import DENYING, PROVING, look_again_at_hints
from plugins.payments.services.money import claim_for
from plugins.payments.services.reviews import ask_about, close_reviews, open_review
from plugins.payments.services.rows import as_captured, hold, subject_of, today_at

_A, _E = Attempt.__table__, Event.__table__
_SETTLED: Final = ("state", "flags", "provider_ids", "fault", "reference", "next_ask_at", "show", "expires_at")
_SETTLE: Final = Prepared(
    sa.update(Attempt)
    .where(_A.c.business_id == sa.bindparam("business_id"), _A.c.id == sa.bindparam("payment_id", type_=sa.Uuid()))
    .values({name: sa.bindparam(f"{name}_now", type_=_A.c[name].type) for name in _SETTLED})
    .values(version=_A.c.version + 1)
    .returning(_A)
)
_EVENTS: Final = Prepared(
    sa.select(_E)
    .where(
        _E.c.business_id == sa.bindparam("business_id"),
        _E.c.attempt_id == sa.bindparam("attempt_id", type_=sa.Uuid()),
    )
    .order_by(_E.c.id)
)
_TOO_MUCH: Final[Mapping[ReviewKind, str]] = {
    "paid_twice": "It was paid twice",
    "late": "The money came when nobody waited for it any more",
    "overpaid": "More came than was asked for",
}


async def hear(work: Work, attempt_id: uuid.UUID, facts: Sequence[GatewayFact], source: Source, **also: Any) -> Any:
    """Take in what became known of a payment by a gateway, once each; credit its money; ask a person where it must be.

    Facts about refunds are made of the refunds that they speak of. also: `show` and `expires_at` of the payment, where
    they change with it. Returns the payment's row as it is then. Raises NotFound.
    """
    facts = await sound_facts(work, attempt_id, facts)
    going_back = [fact for fact in facts if fact.kind in REFUND_FACTS]
    facts = [fact for fact in facts if fact.kind not in REFUND_FACTS]
    row = None
    if facts:
        row = await _hear_of_money(work, attempt_id, facts, source, also)
    if going_back or not facts:
        row = await hear_about_refunds(work, attempt_id, going_back, source)
    return row


async def _hear_of_money(
    work: Work, attempt_id: uuid.UUID, facts: Sequence[GatewayFact], source: Source, also: Mapping[str, Any]
) -> Any:
    row = await hold(work, attempt_id)
    events = await _events(work, attempt_id)
    known = {(one.source, one.dedupe_key) for one in events if one.dedupe_key}
    heard = list(map(_as_fact, events))
    for fact in facts:
        if (source, fact.key) in known:
            continue
        known.add((source, fact.key))
        kept = await _keep(work, row, heard, fact, source)
        if kept is not None:
            heard.append(kept)
    settled = await _settle(work, row, facts, heard, also)
    if source in ("query", "statement") and any(fact.kind in (*PROVING, *DENYING) for fact in facts):
        await look_again_at_hints(work, attempt_id)
    return settled


async def _events(work: Work, attempt_id: uuid.UUID) -> Sequence[Any]:
    return await work.fetch(_EVENTS, attempt_id=attempt_id)


async def _keep(work: Work, row: Any, heard: Sequence[Fact], fact: GatewayFact, source: Source) -> Fact | None:
    """Keep a fact as an event of the payment; None where it is about money that does not count for it."""
    if fact.kind == "captured" and fact.currency not in (None, row.currency):
        note_event(work, row.id, structs.replace(fact, money_key=None), source)
        await open_review(
            work,
            "currency",
            row.id,
            attempt_id=row.id,
            amount=fact.amount,
            currency=fact.currency,
            words=f"{fact.currency} came for a payment in {row.currency}",
        )
        return None
    if fact.kind == "captured" and fact.money_key:
        numbers = {one.money_key for one in heard if one.kind == "captured" and one.money_key}
        owner = None if numbers - {fact.money_key} else row.id
        whose = await claim_for(work, row, fact, source, owner)
        if owner is None and whose is None:
            await _another(work, row, fact, source)
            return None
        if whose is not None and whose != row.id:
            if owner is None and await _is_another_of(work, whose, row, fact):
                await hear(work, whose, [fact], source)
                return None
            words = f"The money {fact.money_key} is counted for another payment already"
            await ask_about(work, "counted_elsewhere", row, fact.amount, words)
            return None
    event_id = note_event(work, row.id, fact, source)
    return _fact(fact, source, event_id)


async def _another(work: Work, row: Any, fact: GatewayFact, source: Source) -> None:
    """A second piece of money for one request: a payment of its own; the document takes of it what it still wants."""
    second = new_id()
    amount = row.amount if fact.amount is None else fact.amount
    values = {column.name: getattr(row, column.name) for column in _A.c}
    fresh = {
        "id": second,
        "amount": amount,
        "tendered": None,
        "change": 0,
        "state": "created",
        "captured": 0,
        "refundable": 0,
        "applied": 0,
        "merchant_ref": None,
        "reference": None,
        "show": None,
        "fault": None,
        "expires_at": None,
        "next_ask_at": None,
        "asks": 0,
        "flags": ["another"],
        "version": 1,
    }
    await work.execute(sa.insert(Attempt).values(values | fresh))
    await hear(work, second, [fact], source)


async def _is_another_of(work: Work, other_id: uuid.UUID, row: Any, fact: GatewayFact) -> bool:
    """Whether a payment is what was made of a second piece of money of this one, told again.

    Either stands on the same document still, or the same fact made it.
    """
    other = (await work.execute(sa.select(_A).where(_A.c.business_id == work.business_id, _A.c.id == other_id))).one()
    if "another" not in other.flags:
        return False
    is_of_it = (other.subject_kind, other.subject_id) == (row.subject_kind, row.subject_id)
    return is_of_it or any(one.dedupe_key == fact.key for one in await _events(work, other_id))


async def _settle(
    work: Work, row: Any, facts: Sequence[GatewayFact], heard: Sequence[Fact], also: Mapping[str, Any]
) -> Any:
    """Write what all that is known comes to, and tell of money that has come; returns the payment's row."""
    standing = project(row.amount, row.currency, heard)
    flags = _flags(row.flags, standing.flags, heard)
    values: dict[str, Any] = {name: getattr(row, name) for name in ("reference", "next_ask_at", "show", "expires_at")}
    values |= also
    values |= {
        "state": standing.state,
        "flags": flags,
        "provider_ids": _ids(row.provider_ids, facts),
        "fault": _fault(row.fault, facts),
    }
    number = next((one.money_key for one in heard if one.kind == "captured" and one.money_key), None)
    if number and row.reference is None:
        values["reference"] = number
    if standing.state in FINAL and (number or standing.state not in ("captured", "settled")):
        values["next_ask_at"] = None
    comes = standing.captured > 0 and row.captured == 0
    if comes:
        values |= await _take(work, row, standing.captured)
    elif row.captured and standing.captured != row.captured:
        words = "The provider told of two different amounts for this payment"
        await ask_about(work, "contradicted", row, standing.captured, words)
    changed = await _change(work, row, values, comes=comes)
    if standing.state in FINAL and row.state not in FINAL:
        await close_reviews(work, row.id, ("unknown",))
    if UNVERIFIED in row.flags and UNVERIFIED not in flags:
        work.changed(Attempt, row.id, {"flags": row.flags}, {"flags": flags})
        await close_reviews(work, row.id, (UNVERIFIED,))
    if comes:
        work.changed(Attempt, row.id, {"state": row.state}, {"state": changed.state})
        work.audit(subject=f"payment:{row.id}", location_id=row.location_id, register_id=row.register_id)
        await work.tell(payment_captured, work=work, payment=as_captured(changed))
        await _ask_about(work, row, changed)
    return changed


async def _change(work: Work, row: Any, values: Mapping[str, Any], *, comes: bool) -> Any:
    """Change a payment's row, which is held; returns it. comes: money with it, so that further columns change."""
    work.forget_read()
    if not comes:
        return await work.one(_SETTLE, payment_id=row.id, **{f"{name}_now": value for name, value in values.items()})
    here = sa.and_(_A.c.business_id == work.business_id, _A.c.id == row.id)
    changed = sa.update(Attempt).where(here).values(**values, version=_A.c.version + 1)
    return (await work.execute(changed.returning(_A))).one()


async def _take(work: Work, row: Any, captured: int) -> dict[str, Any]:
    """What changes of a payment whose money has come: on the running business day, as far as its document wants it."""
    said = await work.tell(money_wanted, work=work, subject=subject_of(row), amount=captured)
    applied = min(captured, max(0, said[0].value)) if said else captured
    return {
        "captured": captured,
        "refundable": captured,
        "applied": applied,
        "taken_at": work.now,
        "business_date": await today_at(work, row.location_id),
    }


async def _ask_about(work: Work, before: Any, row: Any) -> None:
    """Open a review of money that nobody wants as it came."""
    over = row.captured - row.applied
    if over:
        late = "late" in row.flags or not row.applied
        kind: ReviewKind = "paid_twice" if "another" in row.flags else "late" if late else "overpaid"
        await ask_about(work, kind, row, over, _TOO_MUCH[kind])
    elif row.captured < before.amount:
        await ask_about(work, "underpaid", row, before.amount - row.captured, "Less came than was asked for")


def _flags(before: Sequence[str], said: Sequence[str], heard: Sequence[Fact]) -> list[str]:
    """Flags stay, but for the one that the first proof takes away."""
    kept = {*before, *said, *(("late",) if came_late(heard) else ())} - {UNVERIFIED}
    return sorted({*kept, UNVERIFIED} if is_word_only(heard) else kept)


def _ids(before: Mapping[str, str] | None, facts: Sequence[GatewayFact]) -> dict[str, str] | None:
    ids = dict(before or {})
    for fact in facts:
        ids |= fact.ids
    return ids or None


def _fault(before: Mapping[str, Any] | None, facts: Sequence[GatewayFact]) -> dict[str, Any] | None:
    said = next((fact for fact in reversed(facts) if fact.fault), None)
    if said is None:
        return None if before is None else dict(before)
    return fault_of(said)


def _as_fact(row: Any) -> Fact:
    return Fact(
        row.kind,
        row.source,
        row.dedupe_key or str(row.id),
        row.amount,
        row.currency,
        row.money_key,
        str(row.refund_id or ""),
    )


def _fact(fact: GatewayFact, source: Source, event_id: uuid.UUID) -> Fact:
    return Fact(
        fact.kind,
        source,
        fact.key or str(event_id),
        fact.amount,
        fact.currency,
        fact.money_key,
        fact.refund_id or "",
    )
