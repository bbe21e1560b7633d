"""Which payment a fact is about, where the way it came does not say."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.models import Attempt, Money, Refund
from plugins.payments.rules import REFUND_FACTS
from plugins.payments.schemas.gateways import GatewayFact

LOOKED_BACK: Final = dt.timedelta(days=7)
"""Payments older than this are found by our reference or the number of their money, no more by the provider's ids."""
_A, _M, _R = Attempt.__table__.c, Money.__table__.c, Refund.__table__.c


async def find_payment(work: Work, account_id: uuid.UUID, fact: GatewayFact) -> uuid.UUID | None:
    """The payment of an account that a fact is about: by our reference, the provider's ids, the number of its money.

    One about a refund by the refund's id, ours or the provider's, before that.
    """
    if fact.kind in REFUND_FACTS and (back := await _of_refund(work, account_id, fact)) is not None:
        return back
    mine = sa.and_(_A.business_id == work.business_id, _A.account_id == account_id)
    if fact.reference:
        found = await _first(work, sa.select(_A.id).where(mine, _A.merchant_ref == fact.reference))
        if found is not None:
            return found
    if fact.ids:
        same = sa.or_(*(_A.provider_ids[name].as_string() == value for name, value in fact.ids.items()))
        young = _A.business_date >= (work.now - LOOKED_BACK).date()
        found = await _first(work, sa.select(_A.id).where(mine, young, same))
        if found is not None:
            return found
    if not fact.money_key:
        return None
    by_number = sa.select(_M.attempt_id).where(
        _M.business_id == work.business_id, _M.account_id == account_id, _M.money_key == fact.money_key
    )
    claimed: uuid.UUID | None = (await work.execute(by_number)).scalar_one_or_none()
    return claimed


async def _of_refund(work: Work, account_id: uuid.UUID, fact: GatewayFact) -> uuid.UUID | None:
    """The payment of the refund that a fact is about, as far as it is one of ours."""
    named = [_R.provider_ids[name].as_string() == value for name, value in fact.ids.items()]
    with contextlib.suppress(ValueError):
        named += [_R.id == uuid.UUID(fact.refund_id)] if fact.refund_id else []
    if not named:
        return None
    paid = sa.and_(_A.business_id == _R.business_id, _A.id == _R.attempt_id, _A.account_id == account_id)
    found = sa.select(_A.id).select_from(Refund.__table__.join(Attempt.__table__, paid))
    young = _R.business_date >= (work.now - LOOKED_BACK).date()
    return await _first(work, found.where(_R.business_id == work.business_id, young, sa.or_(*named)))


async def _first(work: Work, found: sa.Select[Any]) -> uuid.UUID | None:
    first: uuid.UUID | None = (await work.execute(found.order_by(_A.id).limit(1))).scalar_one_or_none()
    return first
