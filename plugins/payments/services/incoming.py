"""Money that came without being asked for: it stands in a tray until one sale claims it, or somebody sets it aside."""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.errors import NotFound
from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.payments.errors import AlreadyClaimed
from plugins.payments.models import Account, Money
from plugins.payments.schemas.answers import IncomingOut

_A, _M = Account.__table__.c, Money.__table__.c
_TRAY: Final = (
    sa.select(Money.__table__, _A.gateway, _A.mode)
    .join(Account.__table__, sa.and_(_A.business_id == _M.business_id, _A.id == _M.account_id))
    .where(_M.attempt_id.is_(None))
)


def tray(work: Work) -> sa.Select[Any]:
    """The rows of money that no payment has, with gateway and mode of their accounts."""
    return _TRAY.where(_M.business_id == work.business_id)


def incoming_out(row: Any) -> IncomingOut:
    """A row of the tray as it is shown."""
    return IncomingOut(
        row.id,
        row.account_id,
        row.gateway,
        row.money_key,
        format_amount(row.amount, exponent(row.currency)),
        row.currency,
        row.payer,
        row.reference,
        row.paid_at,
        row.known_at,
        row.state,
        row.known_by == "hand",
    )


async def dismiss(work: Work, money_id: uuid.UUID, reason: str) -> IncomingOut:
    """Set money aside that is no sale's. Raises NotFound, AlreadyClaimed."""
    before = await _held(work, money_id)
    if before.attempt_id is not None or before.state != "unclaimed":
        raise AlreadyClaimed
    here = sa.and_(_M.business_id == work.business_id, _M.id == money_id)
    await work.execute(sa.update(Money).where(here).values(state="dismissed"))
    work.changed(Money, money_id, {"state": before.state}, {"state": "dismissed"})
    work.audit(subject=f"money:{money_id}", reason=reason, number=before.money_key)
    return incoming_out((await work.execute(tray(work).where(_M.id == money_id))).one())


async def _held(work: Work, money_id: uuid.UUID) -> Any:
    """The row of money, held to the end of the deed. Raises NotFound."""
    here = sa.select(Money.__table__).where(_M.business_id == work.business_id, _M.id == money_id)
    row = (await work.execute(here.with_for_update())).one_or_none()
    if row is None:
        raise NotFound
    return row
