"""Quote, sell, look up, void; held carts and registers."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import sqlalchemy as sa
from msgspec import UNSET, structs

from kernel.errors import AlreadyExists, NotFound, PluginDraining
from kernel.web import Scene, Watch, command, flow, page, query, stream
from kernel.wire import Download, ListQuery, Page, Reply, StreamEvent
from kernel.work import ApprovalNotValid, ApprovalRequired, Work
from plugins.payments.api import RefundNotSupported
from plugins.sales import services
from plugins.sales.errors import (
    AboveMrp,
    AmountTooLarge,
    DiscountTooLarge,
    HeldGone,
    NotSold,
    NotVoidable,
    NotWaiting,
    Overpaid,
    PaymentShort,
    RegisterClosed,
)
from plugins.sales.models import Held, Register
from plugins.sales.schemas.answers import (
    HeldOut,
    PeriodTaxes,
    QuoteOut,
    RegisterOut,
    SaleNews,
    SaleOut,
    SaleRow,
    TodayOut,
    Trace,
)
from plugins.sales.schemas.requests import (
    CartIn,
    HoldIn,
    PayIn,
    PeriodQuery,
    RegisterIn,
    RegisterPatch,
    RegisterQuery,
    SaleExport,
    SaleIn,
    SalePatch,
    SaleQuery,
    TodayQuery,
    VoidIn,
)
from plugins.sales.schemas.till_events import TillEventIn, TillEventOut, TillEventQuery
from plugins.sales.services import till_events

LONGEST_S = 120.0
"""How long an export may take, in seconds."""
_CART_ERRORS = (AboveMrp, AmountTooLarge, DiscountTooLarge, NotSold, RegisterClosed)


@query("/quote", method="POST", permission="sales.complete", errors=_CART_ERRORS)
async def quote(work: Work, data: CartIn) -> QuoteOut:
    """Price a cart.

    Answers what the same cart would cost as a sale right now, with every step of every price. Writes nothing.
    """
    return await services.quote(work, data)


@command(
    "POST",
    "/sales",
    permission="sales.complete",
    moves=True,
    read_first=True,
    may_wait=True,
    errors=(
        *_CART_ERRORS,
        AlreadyExists,
        ApprovalNotValid,
        ApprovalRequired,
        HeldGone,
        Overpaid,
        PaymentShort,
        PluginDraining,
    ),
)
async def complete_sale(work: Work, data: SaleIn) -> Reply[SaleOut]:
    """Complete a sale.

    The server prices the cart; money is only taken, never stated, by the client. Change is given from cash alone.
    A retry with the same Idempotency-Key answers the same sale. With a payment whose money is still to come (`awaited`,
    or a method that always waits) the answer is 202: the sale is `pending`, holds its stock, and is completed and
    numbered when the money comes, or expires at `expires_at`.
    """
    sale = await services.complete_sale(work, data)
    return Reply(sale, status=_status(sale), version=1, location=f"/api/v1/sales/sales/{sale.id}")


def _status(sale: SaleOut) -> int | None:
    return 202 if sale.status == "pending" else None


@query("/sales", permission="sales.see")
async def list_sales(work: Work, query: SaleQuery) -> Page[SaleRow]:
    """Sales, newest first."""
    return await services.list_sales(work, query)


@query("/sales/today", permission="sales.complete")
async def todays_sales(work: Work, query: TodayQuery) -> TodayOut:
    """The sales of the running business day, with their sum."""
    return await services.todays_sales(work, query)


@query("/tax-totals", permission="sales.see")
async def tax_totals(work: Work, query: PeriodQuery) -> PeriodTaxes:
    """The tax of a period, by category and by tax and rate: exempt and zero-rated are apart.

    Sums of what stands in the lines, at the rates they were sold at. At most 93 days.
    """
    return await services.tax_totals(work, query)


@query("/tax-totals/csv", permission="sales.see")
async def export_tax_totals(work: Work, query: PeriodQuery) -> Download:
    """The same as CSV: what was sold by category, ended by its sums, then each tax at each rate."""
    return await services.tax_table(work, query)


@flow("GET", "/sales/export", permission="sales.see", longest_s=LONGEST_S)
async def export_sales(scene: Scene, query: SaleExport) -> Download:
    """Sales of a period as CSV or XLSX, each a line, by business day; sums of its columns are those of the reports.

    Of a sale that was taken back net, tax, total and discount are zero; what it came to stands under `voided_total`.
    Sales that wait for their money, or never got it, are left out. Times are by the clock of the business.
    """
    return await services.export_sales(scene, query)


@query("/sales/{sale_id}", permission="sales.see")
async def get_sale(work: Work, sale_id: uuid.UUID) -> Reply[SaleOut]:
    """One sale, whole."""
    row = await services.sale_row(work, sale_id)
    return Reply(await services.whole_sale(work, row), version=row.version, living=True)


@command("PATCH", "/sales/{sale_id}", permission="sales.annotate")
async def change_sale(work: Work, sale_id: uuid.UUID, data: SalePatch) -> Reply[SaleOut]:
    """Change what the shop's own fields say of a sale.

    Whatever became of the sale; its figures, lines and payments never change.
    """
    row = await services.change_sale(work, sale_id, data)
    return Reply(await services.whole_sale(work, row), version=row.version, living=True)


@stream("/sales/{sale_id}/events", permission="sales.see")
async def watch_sale(watch: Watch, sale_id: uuid.UUID) -> AsyncIterator[StreamEvent[SaleNews]]:
    """Watch a sale while it waits for its money.

    Events are called `sale`: how it stands at once, then every change of it and of its payments. The stream ends when
    it waits no more, when you sign out, or after ten minutes; come again then.
    """
    async for news in watch.changes(lambda work: services.news_of(work, sale_id)):
        yield StreamEvent("sale", news, news.status != "pending")


@query("/sales/{sale_id}/lines/{line}/trace", permission="sales.see")
async def trace_line(work: Work, sale_id: uuid.UUID, line: int) -> Trace:
    """Why this price: every step of a line, in figures and in words."""
    return await services.trace_line(work, sale_id, line)


@command(
    "POST",
    "/sales/{sale_id}/payments",
    permission="sales.complete",
    status=200,
    moves=True,
    may_wait=True,
    errors=(NotWaiting, Overpaid, PaymentShort),
)
async def pay_pending_sale(work: Work, sale_id: uuid.UUID, data: PayIn) -> Reply[SaleOut]:
    """Pay a pending sale another way.

    The payments it waits for are cancelled; those given must cover what is left. If some of them are awaited in their
    turn the answer is 202. A payment by a gateway may still be made: it is given up, called back where its provider
    does that, and its money is surplus if it comes.
    """
    sale = await services.pay_pending(work, sale_id, data)
    return Reply(sale, status=_status(sale))


@command(
    "POST",
    "/sales/{sale_id}/void",
    permission="sales.void",
    status=200,
    moves=True,
    errors=(ApprovalNotValid, ApprovalRequired, NotVoidable, NotWaiting, RefundNotSupported),
)
async def void_sale(work: Work, sale_id: uuid.UUID, data: VoidIn) -> SaleOut:
    """Take a sale back on its own business day.

    Its money is given back by the same methods, its stock returns, its number stays. Later days need a return.
    A pending sale is given up, on whatever day. The sale is voided at once; what a gateway gives back is on its way
    until the provider has sent it. Where one gives nothing back, give it back by hand first, and record that.
    """
    return await services.void_sale(work, sale_id, data.reason)


@command("POST", "/held", permission="sales.complete", errors=_CART_ERRORS)
async def hold_cart(work: Work, data: HoldIn) -> Reply[HeldOut]:
    """Set a cart aside.

    It has no number and holds no stock; it is priced anew when it is taken up. Complete it with `held_id`.
    """
    held = await services.hold_cart(work, data)
    return Reply(held, location=f"/api/v1/sales/held/{held.id}")


@query("/held", permission="sales.complete")
async def list_held(work: Work, query: ListQuery) -> Page[HeldOut]:
    """Held carts, oldest first."""
    statement = sa.select(Held.id, Held.label, Held.held_at, Held.held_by, Held.cart).where(
        Held.business_id == work.shop.id, services.held_here(work)
    )
    return await page(work, statement, query, order=[Held.id], make=lambda row: HeldOut(*row[:5]))


@query("/held/{held_id}", permission="sales.complete")
async def get_held(work: Work, held_id: uuid.UUID) -> HeldOut:
    """One held cart."""
    held = await work.get(Held, held_id)
    work.see_location(uuid.UUID(held.cart["location_id"]))
    return HeldOut(held.id, held.label, held.held_at, held.held_by, held.cart)


@command("DELETE", "/held/{held_id}", permission="sales.complete", errors=(NotFound,))
async def throw_away_held(work: Work, held_id: uuid.UUID) -> None:
    """Throw a held cart away."""
    await services.throw_away(work, held_id)


@query("/registers", permission="sales.complete")
async def list_registers(work: Work, query: RegisterQuery) -> Page[RegisterOut]:
    """The tills of the business."""
    statement = sa.select(
        Register.id, Register.location_id, Register.code, Register.name, Register.is_office, Register.is_active
    ).where(Register.business_id == work.shop.id)
    if query.location_id is not None:
        statement = statement.where(Register.location_id == query.location_id)
    if query.is_active is not None:
        statement = statement.where(Register.is_active.is_(query.is_active))
    return await page(work, statement, query, order=[Register.code], make=lambda row: RegisterOut(*row[:6]))


@query("/registers/{register_id}", permission="sales.complete")
async def get_register(work: Work, register_id: uuid.UUID) -> Reply[RegisterOut]:
    """One till."""
    register = await work.get(Register, register_id)
    return Reply(_register(register), version=register.version)


@command("POST", "/registers", permission="sales.registers", errors=(AlreadyExists,))
async def add_register(work: Work, data: RegisterIn) -> Reply[RegisterOut]:
    """Add a till to a storefront. Its code begins its numbers and never changes."""
    register = await services.add_register(work, data)
    return Reply(_register(register), version=1, location=f"/api/v1/sales/registers/{register.id}")


@command("PATCH", "/registers/{register_id}", permission="sales.registers")
async def change_register(work: Work, register_id: uuid.UUID, data: RegisterPatch) -> Reply[RegisterOut]:
    """Rename a till or switch it off."""
    register = await work.get(Register, register_id, to_change=True)
    work.check_version(register.version)
    for name, value in structs.asdict(data).items():
        if value is not UNSET:
            setattr(register, name, value)
    register.version += 1
    await work.session.flush()
    return Reply(_register(register), version=register.version)


@command("POST", "/registers/{register_id}/events", permission="sales.complete")
async def note_till_event(work: Work, register_id: uuid.UUID, data: TillEventIn) -> TillEventOut:
    """Note what happened at a till without a sale: the drawer opened, a line taken off a cart, a receipt reprinted."""
    return await till_events.note_event(work, register_id, data)


@query("/registers/{register_id}/events", permission="sales.see")
async def list_till_events(work: Work, register_id: uuid.UUID, query: TillEventQuery) -> Page[TillEventOut]:
    """What happened at a till without a sale, newest first."""
    return await till_events.list_events(work, register_id, query)


def _register(row: Register) -> RegisterOut:
    return RegisterOut(row.id, row.location_id, row.code, row.name, row.is_office, row.is_active)
