"""Pieces of money that a provider holds for the business, each counted for one payment at most."""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.db import new_id, upsert
from kernel.work import Work
from plugins.payments.models import Money
from plugins.payments.rules import Source
from plugins.payments.schemas.gateways import GatewayFact

_M = Money.__table__
_PROVED: Final = ("amount", "currency", "fee", "payer", "provider_ids", "paid_at", "known_by")


async def claim_for(
    work: Work, row: Any, fact: GatewayFact, source: Source, owner: uuid.UUID | None
) -> uuid.UUID | None:
    """Count money for a payment, by the provider's own number: known before or not, in the tray or new.

    row: a payment of the account that holds it. owner: None only notes the money. Returns the payment that it counts
    for by now, which may be another one. Of two claims at once one finds the other's.
    """
    amount = row.amount if fact.amount is None else fact.amount
    await note_money(work, row.account_id, fact, source, amount, row.currency)
    here = sa.and_(
        _M.c.business_id == work.business_id, _M.c.account_id == row.account_id, _M.c.money_key == fact.money_key
    )
    if owner is not None:
        free = sa.update(Money).where(here, _M.c.attempt_id.is_(None))
        await work.execute(free.values(attempt_id=owner, claimed_at=work.now, state="credited"))
    found: uuid.UUID | None = (await work.execute(sa.select(_M.c.attempt_id).where(here))).scalar_one()
    return found


async def note_money(
    work: Work, account_id: uuid.UUID, fact: GatewayFact, source: str, amount: int, currency: str
) -> bool:
    """Note a piece of money that nobody has counted yet; nothing if it is known. Returns whether anything was written.

    What only a person has said is put right by whoever proves it.
    """
    fresh = fresh_money(work, account_id, fact, source, amount, currency)
    return bool((await work.execute(noting(work, proves=source != "hand").values(fresh))).rowcount)


def noting(work: Work, *, proves: bool) -> Any:
    """The statement that notes money which is not known. proves: it puts right what a person said of it."""
    noted = upsert(work.deployment.database, Money)
    if not proves:
        return noted.on_conflict_do_nothing()
    said = {name: noted.excluded[name] for name in _PROVED}
    same = [_M.c.business_id, _M.c.account_id, _M.c.money_key]
    return noted.on_conflict_do_update(index_elements=same, set_=said, where=_M.c.known_by == "hand")


def fresh_money(
    work: Work, account_id: uuid.UUID, fact: GatewayFact, source: str, amount: int, currency: str
) -> dict[str, Any]:
    """The row of money that nobody has counted."""
    return {
        "business_id": work.business_id,
        "id": new_id(),
        "account_id": account_id,
        "money_key": fact.money_key,
        "amount": amount,
        "currency": fact.currency or currency,
        "fee": fact.fee,
        "payer": fact.payer,
        "reference": fact.reference,
        "provider_ids": dict(fact.ids) or None,
        "paid_at": fact.at,
        "known_at": work.now,
        "known_by": source,
        "attempt_id": None,
        "claimed_at": None,
        "state": "unclaimed",
    }
