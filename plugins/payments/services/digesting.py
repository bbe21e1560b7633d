"""Reading the notices that were kept: whom they are about, and what is made of what they say.

What a provider proved by its signature is heard at once. What it did not prove makes Duka ask, and is heard as far as
the answer confirms it. Money that belongs to no payment stands in the tray of incoming payments.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.models import Attempt, Money, ProviderNotice
from plugins.payments.rules import REFUND_FACTS
from plugins.payments.schemas.gateways import GatewayFact, Mode, Notice
from plugins.payments.services.accounts import gateway_named, opened_config
from plugins.payments.services.cleaning import split
from plugins.payments.services.finding import find_payment
from plugins.payments.services.hearing import hear
from plugins.payments.services.hints import READ, WAITING, agrees, is_denied, proof_of
from plugins.payments.services.money import note_money
from plugins.payments.services.noticing import account_row
from plugins.payments.services.requesting import have_asked
from plugins.payments.services.reviews import open_review
from plugins.payments.services.sending_back import ask_about_refunds

AGAIN: Final = tuple(dt.timedelta(seconds=s) for s in (10, 60, 600, 7_200, 86_400))
"""When what belongs to nobody yet is looked at again, counted from when it came."""
KEPT_FOR: Final = dt.timedelta(days=120)
"""So long what a notice said is kept word for word."""
_A, _M, _N = Attempt.__table__, Money.__table__, ProviderNotice.__table__
State = Literal["read", "orphan", "stored"]
Whose = Mapping[uuid.UUID | None, list[GatewayFact]]


async def read_notice(work: Work, notice_id: uuid.UUID) -> None:
    """Make of a notice what it says; nothing if that was done. Raises UnknownGateway, AccountNotUsable, SealBroken."""
    row = await _hold(work, notice_id)
    if row is None or row.state not in WAITING:
        return
    gateway = gateway_named(work.deployment, row.gateway)
    account = await account_row(work, row.account_id)
    config = opened_config(work.deployment, gateway, account)
    facts, unsound = split(gateway.read(config, _as_notice(row, account.mode)))
    if unsound:
        await _ask_a_person(work, row, "contradicted", "A message tells of an amount or a currency that cannot be")
    whose = await _sort(work, row, facts)
    if row.trust == "trusted":
        await _believe(work, row, whose)
    else:
        await _doubt(work, row, whose)


async def _hold(work: Work, notice_id: uuid.UUID) -> Any:
    await work.write()
    here = sa.select(_N).where(_N.c.business_id == work.business_id, _N.c.id == notice_id).with_for_update()
    return (await work.execute(here)).one_or_none()


def _as_notice(row: Any, mode: Mode) -> Notice:
    return Notice(
        method=row.http_method,
        headers=row.headers,
        query=row.query,
        body=row.body,
        address=row.address,
        at=row.at,
        mode=mode,
    )


async def _sort(work: Work, row: Any, facts: Sequence[GatewayFact]) -> Whose:
    """Facts by the payment they are about, None for those of which nothing is known; always in the same order."""
    found: dict[uuid.UUID | None, list[GatewayFact]] = {}
    reference = await _reference_of(work, row.attempt_id) if row.attempt_id and row.trust == "trusted" else None
    for fact in facts:
        is_its_own = row.attempt_id is not None and (None in (reference, fact.reference) or fact.reference == reference)
        attempt_id = row.attempt_id if is_its_own else await find_payment(work, row.account_id, fact)
        found.setdefault(attempt_id, []).append(fact)
    return {key: found[key] for key in sorted(found, key=str)}


async def _reference_of(work: Work, attempt_id: uuid.UUID) -> str | None:
    here = sa.select(_A.c.merchant_ref).where(_A.c.business_id == work.business_id, _A.c.id == attempt_id)
    found: str | None = (await work.execute(here)).scalar_one_or_none()
    return found


# what is proved


async def _believe(work: Work, row: Any, whose: Whose) -> None:
    """Hear what a provider proved; keep what belongs to nobody."""
    for attempt_id, facts in whose.items():
        if attempt_id is not None:
            await hear(work, attempt_id, facts, "provider")
    unknown = whose.get(None, [])
    lost = [fact for fact in unknown if not await _put_in_tray(work, row, fact)]
    known = next((attempt_id for attempt_id in whose if attempt_id), None)
    if not unknown:
        await _leave(work, row, "read", known)
    elif _may_be_known_later(unknown) and await _look_again(work, row):
        await _leave(work, row, "orphan", known)
    elif lost:
        await _ask_a_person(work, row, "orphan", "A message came about a payment that nobody knows")
        await _leave(work, row, "orphan", known, "nobody knows what it is about")
    else:
        await _leave(work, row, "read", known, "its money stands with the incoming payments")


def _may_be_known_later(facts: Sequence[GatewayFact]) -> bool:
    """Whether what they are about may turn up: a notice may come before the answer to the request."""
    return any(fact.reference or fact.ids for fact in facts)


async def _put_in_tray(work: Work, row: Any, fact: GatewayFact) -> bool:
    """Note money that belongs to no payment, by its number; False for what is no such money."""
    if fact.kind != "captured" or not fact.money_key or fact.amount is None:
        return False
    await note_money(work, row.account_id, fact, "provider", fact.amount, work.shop.currency)
    here = sa.select(_M.c.id, _M.c.amount, _M.c.currency).where(
        _M.c.business_id == work.business_id, _M.c.account_id == row.account_id, _M.c.money_key == fact.money_key
    )
    known = (await work.execute(here)).one()
    if (known.amount, known.currency) != (fact.amount, fact.currency or work.shop.currency):
        await open_review(
            work,
            "contradicted",
            known.id,
            money_id=known.id,
            notice_id=row.id,
            amount=fact.amount,
            currency=fact.currency,
            words=f"The provider told of two different amounts for the money {fact.money_key}",
        )
    return True


# what is not


async def _doubt(work: Work, row: Any, whose: Whose) -> None:
    """Ask about what a hint says; hear of it what the provider has proved meanwhile."""
    if row.attempt_id is not None and row.attempt_id not in whose:
        have_asked(work, row.attempt_id)
    waits, strange = False, False
    for attempt_id, facts in whose.items():
        if attempt_id is None:
            waits = True
            continue
        if any(fact.kind in REFUND_FACTS for fact in facts):
            await ask_about_refunds(work, attempt_id)
        money = [fact for fact in facts if fact.kind == "captured"]
        numbers = await proof_of(work, attempt_id)
        if numbers is None or not money:
            denied = bool(money) and await is_denied(work, attempt_id, row.at)
            strange, waits = strange or denied, waits or bool(money)
            if not denied:
                have_asked(work, attempt_id)
        else:
            strange = not await _confirm(work, attempt_id, numbers, money) or strange
    known = next((attempt_id for attempt_id in whose if attempt_id), None)
    if strange:
        await _ask_a_person(work, row, "contradicted", "A message says of money what its provider does not confirm")
    if not waits:
        await _leave(work, row, "read", known)
    elif await _look_again(work, row):
        await _leave(work, row, "stored" if known else "orphan", known)
    else:
        kind: Literal["contradicted", "orphan"] = "contradicted" if known else "orphan"
        await _ask_a_person(work, row, kind, "A message says that money came, which its provider has not confirmed")
        await _leave(work, row, "orphan", known, "not confirmed")


async def _confirm(work: Work, attempt_id: uuid.UUID, numbers: set[str], money: Sequence[GatewayFact]) -> bool:
    """Hear the money of a hint that its provider has proved; whether that is all of it."""
    here = sa.select(_A).where(_A.c.business_id == work.business_id, _A.c.id == attempt_id)
    payment = (await work.execute(here)).one()
    proved = [fact for fact in money if agrees(payment, numbers, fact)]
    if proved:
        await hear(work, attempt_id, proved, "provider")
    return len(proved) == len(money)


# what becomes of it


async def _look_again(work: Work, row: Any) -> bool:
    """Have a notice read again later; False once it has waited long enough."""
    age = work.now - row.at
    after = next((one for one in AGAIN if one > age), None)
    if after is None:
        return False
    due = row.at + after
    work.later(READ, {"notice_id": str(row.id)}, at=due, dedup=f"{READ}:{row.id}:{after.total_seconds():.0f}")
    return True


async def _leave(
    work: Work, row: Any, state: State, attempt_id: uuid.UUID | None = None, note: str | None = None
) -> None:
    here = sa.and_(_N.c.business_id == work.business_id, _N.c.id == row.id)
    values = {"state": state, "attempt_id": row.attempt_id or attempt_id, "note": note or row.note}
    await work.execute(sa.update(ProviderNotice).where(here).values(values))


async def _ask_a_person(work: Work, row: Any, kind: Literal["contradicted", "orphan"], words: str) -> None:
    """Open a review of a notice; of hints, which anybody may send, one a payment or account is enough."""
    about = row.id if row.trust == "trusted" else row.attempt_id or row.account_id
    await open_review(work, kind, about, attempt_id=row.attempt_id, notice_id=row.id, words=words)


async def forget_bodies(work: Work) -> None:
    """Delete what old notices said word for word; their hashes stay, and what was made of them."""
    old = sa.and_(_N.c.business_id == work.business_id, _N.c.at < work.now - KEPT_FOR, _N.c.state != "stored")
    gone = {"body": b"", "headers": {}, "query": {}}
    await work.execute(sa.update(ProviderNotice).where(old, sa.func.length(_N.c.body) > 0).values(gone))
