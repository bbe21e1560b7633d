"""Sales that wait for money: it comes, it is paid another way, or the wait is given up."""

from __future__ import annotations

import uuid
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.work import Work, business_date
from plugins.payments.api import Place as PaidAt
from plugins.payments.api import (
    Subject,
    give_back,
    give_up_waiting,
    read_payments,
    rename_subject,
    take,
)
from plugins.sales.errors import NotWaiting
from plugins.sales.hooks import sale_cancelled, sale_completed
from plugins.sales.models import Register, Sale
from plugins.sales.schemas.answers import SaleOut
from plugins.sales.schemas.requests import PayIn
from plugins.sales.schemas.told import CancelledSale, CompletedSale, PlacedSale
from plugins.sales.services.checkout import GIVE_UP
from plugins.sales.services.reading import find_sale, sale_row
from plugins.sales.services.settling import sale_number, settle_payments, taken_of, wait_until
from plugins.sales.services.telling import as_told

_S = Sale.__table__


async def money_came(work: Work, sale_id: uuid.UUID, amount: int) -> None:
    """Credit a pending sale with awaited money; complete it when it is paid whole. Raises NotWaiting.

    The amount is added by one statement, so that of two payments at once the later one sees both.
    """
    row = await _change_pending(work, sale_id, paid=_S.c.paid + amount)
    if row.paid == row.total + row.rounding:
        await _complete(work, row)


async def take_on(work: Work, sale_id: uuid.UUID, amount: int) -> None:
    """Credit a pending sale with money that had come before, and was put onto it. Raises NotWaiting."""
    row = await _change_pending(work, sale_id)
    await rename_subject(work, Subject("sale", sale_id, row.number))
    await money_came(work, sale_id, amount)
    work.audit(sale=str(sale_id))


async def still_due(work: Work, sale_id: uuid.UUID) -> int:
    """What a pending sale still waits for, in minor units; held to the end of the deed.

    0 for any other, and for one where the actor does not work.
    """
    here = sa.select(_S).where(_S.c.business_id == work.business_id, _S.c.id == sale_id).with_for_update()
    row = (await work.execute(here)).one_or_none()
    if row is None or row.status != "pending" or not work.actor.works_at(row.location_id):
        return 0
    due: int = row.total + row.rounding - row.paid
    return due


async def pay_pending(work: Work, sale_id: uuid.UUID, data: PayIn) -> SaleOut:
    """Pay what is left of a pending sale by other payments than those it waits for.

    How one by a gateway ends only its provider knows: it is given up, and its money is surplus if it comes.

    Raises NotFound, NotWaiting, and what a checkout refuses of payments.
    """
    row = await sale_row(work, sale_id)
    subject = Subject("sale", row.id, row.number)
    await give_up_waiting(work, subject)
    row = await _change_pending(work, sale_id)
    wanted = read_payments(work, data.payments)
    settled = await settle_payments(work, row.total + row.rounding - row.paid, wanted, row.location_id)
    taken = taken_of(wanted, settled)
    place = await work.get(Location, row.location_id)
    today = business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)
    await take(work, subject, taken, PaidAt(row.location_id, row.register_id, today, row.customer_id))
    expires_at = wait_until(taken, work.now)
    row = await _change_pending(
        work,
        sale_id,
        paid=_S.c.paid + sum(one.amount for one in taken if not one.awaited),
        change=_S.c.change + settled.change,
        rounding=_S.c.rounding + settled.rounding,
        expires_at=expires_at,
    )
    work.audit(subject=f"sale:{sale_id}", paid=row.paid)
    await work.flush()
    if expires_at is None:
        await _complete(work, row)
    else:
        work.later(GIVE_UP, {"sale_id": str(sale_id)}, at=expires_at)
    return await find_sale(work, sale_id)


async def let_expire(work: Work, sale_id: uuid.UUID) -> None:
    """Give up a pending sale whose time has run out. Nothing happens if it waits no more, or longer."""
    row = await sale_row(work, sale_id)
    if row.status == "pending" and row.expires_at is not None and row.expires_at <= work.now:
        await cancel_pending(work, row, "expired", "its money did not come in time")


async def cancel_pending(work: Work, row: Any, status: Literal["expired", "voided"], reason: str) -> None:
    """Give up a pending sale: what came for it goes back, every plugin that took part gives back its share.

    Goods are let go whatever happens to the money: where a gateway gives none back, a person is asked to.

    Raises NotWaiting when it was completed or given up meanwhile.
    """
    subject = Subject("sale", row.id, row.number)
    await give_up_waiting(work, subject, "clock" if status == "expired" else "hand")
    by = {"voided_at": work.now, "voided_by": work.actor.name, "void_reason": reason}
    row = await _change_pending(work, row.id, status=status, **by)
    work.changed(Sale, row.id, {"status": "pending"}, {"status": status})
    place = await work.get(Location, row.location_id)
    today = business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)
    sale = await as_told(work, PlacedSale, row, row.number, place.name)
    paid_at = PaidAt(row.location_id, row.register_id, today, row.customer_id)
    await give_back(work, subject, reason, None, paid_at, also=row.plugins, unable="ask")
    cancel = CancelledSale(sale, reason, work.now, today, work.actor.id, work.actor.name)
    await work.tell_also(row.plugins, sale_cancelled, work=work, cancel=cancel)
    work.audit(subject=f"sale:{row.id}", reason=reason, location_id=row.location_id, register_id=row.register_id)


async def _change_pending(work: Work, sale_id: uuid.UUID, **values: Any) -> Any:
    """Change a sale that is pending, and hold it to the end of the deed; returns its row. Raises NotWaiting."""
    changed = await work.execute(
        sa.update(Sale)
        .where(_S.c.business_id == work.business_id, _S.c.id == sale_id, _S.c.status == "pending")
        .values(values | {"version": _S.c.version + 1})
        .returning(_S)
    )
    row = changed.one_or_none()
    if row is None:
        raise NotWaiting
    return row


async def _complete(work: Work, row: Any) -> None:
    """Number a sale whose money is all there, on the running business day, and tell that it is completed."""
    place = await work.get(Location, row.location_id)
    register = await work.get(Register, row.register_id)
    today = business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)
    number = sale_number(work, register.code, today)
    sale = await as_told(work, CompletedSale, row, number, place.name, today, work.now)
    await work.tell(sale_completed, work=work, sale=sale)
    numbers = await work.flush()
    await rename_subject(work, Subject("sale", row.id, numbers[number]))
    await _change_pending(
        work,
        row.id,
        status="completed",
        number=numbers[number],
        business_date=today,
        sold_at=work.now,
        plugins=sorted({*row.plugins, *work.hooks.listeners("sale_completed")}),
    )
    work.changed(Sale, row.id, {"status": "pending"}, {"status": "completed"})
