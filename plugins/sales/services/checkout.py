"""Quote a cart; place a sale, which completes it unless it waits for money."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import msgspec

from kernel.custom import declare_keys, shown_values
from kernel.db import new_id
from kernel.errors import Invalid
from kernel.money import extend, format_amount, format_micro, show_amount
from kernel.work import Work, stored_ext
from plugins.payments.api import PaymentOut, Subject, read_payments, take
from plugins.payments.api import Place as PaidAt
from plugins.sales import rules
from plugins.sales.errors import AboveMrp, AmountTooLarge, DiscountTooLarge, HeldGone, MayNotImport
from plugins.sales.hooks import (
    Facts,
    missed_offers,
    price_cart,
    price_facts,
    price_line,
    sale_completed,
    sale_placed,
)
from plugins.sales.models import Sale, SaleLine
from plugins.sales.schemas.answers import LineOut, MissedOut, NeededApproval, QuoteOut, SaleOut
from plugins.sales.schemas.requests import CartIn, SaleIn
from plugins.sales.schemas.told import CompletedSale, PlacedSale, SaleMoney, SoldLine
from plugins.sales.schemas.values import Applied, PricedCart, Settlement
from plugins.sales.services.ground import Ground, base_quantity, read_ground
from plugins.sales.services.holding import take_up
from plugins.sales.services.limits import check_limits, needed_approvals
from plugins.sales.services.settling import order_number, rounding_of, sale_number, settle_sale, taken_of, wait_until
from plugins.sales.services.shapes import cashier_of, line_out
from plugins.sales.services.taxed import line_taxes, totals_out
from plugins.taxes.api import mrp_binds

GIVE_UP = "sales.give_up_waiting"
"""The job that ends a sale's wait for money, due when its time runs out."""


async def quote(work: Work, data: CartIn) -> QuoteOut:
    """Price a cart and write nothing."""
    ground = await read_ground(work, data, work.now)
    priced, amounts, facts = await _price_cart(work, ground)
    exponent = ground.cart.exponent
    missed = work.hooks.ask(missed_offers, cart=ground.cart, amounts=amounts, facts=facts)
    needed = await needed_approvals(work, ground, priced)
    return QuoteOut(
        location_id=ground.place.location_id,
        register_id=ground.place.register_id,
        customer_id=ground.cart.customer_id,
        channel=data.channel,
        currency=priced.currency,
        prices_include_tax=priced.prices_include_tax,
        epoch=work.standing.epochs.business,
        lines=_lines_out(data, ground, priced),
        subtotal=format_amount(priced.subtotal, exponent),
        discount_total=format_amount(priced.discount_total, exponent),
        tax_total=format_amount(priced.tax_total, exponent),
        total=format_amount(priced.total, exponent),
        rounding=format_amount(await rounding_of(work, priced.total, ground.place.location_id), exponent),
        tax_terms=ground.terms,
        tax_totals=totals_out(line_taxes(ground.cart.lines, priced.lines), exponent),
        missed=[MissedOut(answer.plugin, one.rule, one.words) for answer in missed for one in answer.value],
        approvals=[NeededApproval(one.ask.action, one.ask.words, list(one.lines)) for one in needed],
    )


async def price_cart_of(work: Work, ground: Ground) -> PricedCart:
    """Ask every plugin for its facts and its word on the price, and apply the rules."""
    return (await _price_cart(work, ground))[0]


async def _price_cart(work: Work, ground: Ground) -> tuple[PricedCart, tuple[int, ...], Facts]:
    """The priced cart; what its lines came to by themselves; what plugins read for it."""
    cart = ground.cart
    told = await work.hooks.tell(price_facts, work=work, cart=cart)
    facts = Facts(tuple(answer.value for answer in told))
    by_line = [
        [
            Applied(answer.plugin, one)
            for answer in work.hooks.ask(price_line, cart=cart, line=line, facts=facts)
            for one in answer.value
        ]
        for line in cart.lines
    ]
    try:
        begun = rules.begin(cart, by_line)
        amounts = begun.amounts
        on_cart = [
            Applied(answer.plugin, one)
            for answer in work.hooks.ask(price_cart, cart=cart, amounts=amounts, facts=facts)
            for one in answer.value
        ]
        priced = rules.finish(begun, on_cart)
    except rules.DiscountTooLarge as fault:
        pointer = "/discount" if fault.line is None else f"/lines/{fault.line - 1}/discount"
        raise DiscountTooLarge.at(pointer, str(fault), code="discount-too-large") from fault
    except rules.AmountTooLarge as fault:
        raise AmountTooLarge.at("/lines", str(fault), code="amount-too-large") from fault
    if mrp_binds(work.shop.region):
        _refuse_above_mrp(ground, priced, work.shop.region)
    return priced, amounts, facts


async def complete_sale(work: Work, data: SaleIn) -> SaleOut:
    """Place a sale: price it, take the money, number it, and tell every plugin that acts with it.

    Paid whole, it is completed. With money still to come it is pending under an order number, until the money comes or
    its time runs out. Raises PaymentShort, Overpaid, DiscountTooLarge, AboveMrp, NotFound, and what a told plugin
    refuses with.
    """
    sold_at = _sold_at(work, data)
    ground = await read_ground(work, data, sold_at)
    priced = await price_cart_of(work, ground)
    await check_limits(work, ground, priced)
    wanted = read_payments(work, data.payments)
    settled = await settle_sale(work, priced.total, wanted, ground.place.location_id)
    await work.write()
    if data.held_id is not None:
        await _take_up(work, data.held_id)
    taken = taken_of(wanted, settled)
    expires_at = wait_until(taken, work.now)
    if expires_at is not None:
        work.begin("sales")
    if expires_at is not None and data.sold_at is not None:
        raise Invalid.at("/sold_at", "A sale of the past waits for no money")
    sale = _placed(work, data, ground, priced, settled, sold_at, stored_ext(ground.cart.ext), expires_at is not None)
    paid = sum(one.amount for one in taken if not one.awaited)
    _declare(work, data, ground, priced, sale, paid, settled.change, expires_at)
    paid_at = PaidAt(sale.location_id, sale.register_id, sale.business_date, sale.customer_id, sold_at)
    payments = await take(work, Subject("sale", sale.id, sale.number), taken, paid_at)
    money = tuple(
        SaleMoney(shown.id, one.method.code, one.amount, one.tendered, one.change)
        for shown, one in zip(payments, taken, strict=True)
        if not one.awaited
    )
    sale = msgspec.structs.replace(sale, payments=money)
    told = msgspec.structs.replace(  # whoever is told may change what is in it
        sale, ext=stored_ext(ground.cart.ext), custom=dict(sale.custom)
    )
    await work.tell(sale_placed, work=work, sale=told)
    if isinstance(told, CompletedSale):
        await work.tell(sale_completed, work=work, sale=told)
    else:
        work.later(GIVE_UP, {"sale_id": str(sale.id)}, at=expires_at)
    work.audit(subject=f"sale:{sale.id}", location_id=sale.location_id, register_id=sale.register_id, total=sale.total)
    return _sale_out(work, data, ground, priced, sale, payments, paid, settled.change, expires_at)


def _sale_out(
    work: Work,
    data: SaleIn,
    ground: Ground,
    priced: PricedCart,
    sale: PlacedSale,
    payments: list[PaymentOut],
    paid: int,
    change: int,
    expires_at: dt.datetime | None,
) -> SaleOut:
    exponent, is_completed = sale.exponent, isinstance(sale, CompletedSale)
    return SaleOut(
        id=sale.id,
        number=sale.number,
        status="completed" if is_completed else "pending",
        business_date=sale.business_date,
        sold_at=sale.sold_at,
        location_id=sale.location_id,
        register_id=sale.register_id,
        customer_id=sale.customer_id,
        channel=data.channel,
        currency=sale.currency,
        prices_include_tax=priced.prices_include_tax,
        epoch=work.standing.epochs.business,
        lines=_lines_out(data, ground, priced),
        subtotal=format_amount(priced.subtotal, exponent),
        discount_total=format_amount(priced.discount_total, exponent),
        tax_total=format_amount(priced.tax_total, exponent),
        rounding=format_amount(sale.rounding, exponent),
        total=format_amount(priced.total, exponent),
        payments=payments,
        paid=format_amount(paid, exponent),
        change=format_amount(change, exponent),
        balance_due=format_amount(sale.total + sale.rounding - paid, exponent),
        cashier=cashier_of(sale.cashier_id, sale.cashier_name),
        note=data.note,
        ext=dict(sale.ext),
        order_number=None if is_completed else sale.number,
        expires_at=expires_at,
        tax_terms=ground.terms,
        tax_totals=totals_out(line_taxes(ground.cart.lines, priced.lines), exponent),
        custom=shown_values(ground.fields, sale.custom),
    )


def _sold_at(work: Work, data: SaleIn) -> dt.datetime:
    if data.sold_at is None:
        return work.now
    if not work.actor.may("sales.import"):
        raise MayNotImport("sold_at needs the permission sales.import")
    if data.sold_at > work.now:
        raise Invalid.at("/sold_at", "A sale cannot be in the future")
    if data.sold_at.year < 2000:
        raise Invalid.at("/sold_at", "Sales before the year 2000 are not taken")
    return data.sold_at.astimezone(dt.UTC)


def _placed(
    work: Work,
    data: SaleIn,
    ground: Ground,
    priced: PricedCart,
    settled: Settlement,
    sold_at: dt.datetime,
    ext: dict[str, Any],
    waits: bool,
) -> PlacedSale:
    place, cart = ground.place, ground.cart
    lines = tuple(
        SoldLine(
            line=line.line,
            product_id=line.product_id,
            name=line.name,
            sku=line.sku,
            quantity=line.quantity,
            base_quantity=base_quantity(line, good),
            unit_price=cost.unit_price,
            gross=cost.gross,
            discount=cost.discount,
            net=cost.net,
            tax=cost.tax,
            total=cost.total,
            track_stock=good.track_stock,
            allow_negative_stock=good.allow_negative_stock,
            cost_price=good.cost_price,
            tax_category=line.treatment.category,
            taxes=cost.components,
            taken=cost.taken,
        )
        for line, cost, good in zip(cart.lines, priced.lines, ground.goods, strict=True)
    )
    make: type[PlacedSale] = PlacedSale if waits else CompletedSale
    return make(
        id=data.id or new_id(),
        number=(order_number if waits else sale_number)(work, place.register_code, place.business_date),
        location_id=place.location_id,
        register_id=place.register_id,
        customer_id=cart.customer_id,
        channel=cart.channel,
        business_date=place.business_date,
        sold_at=sold_at,
        currency=priced.currency,
        exponent=priced.exponent,
        lines=lines,
        payments=(),
        subtotal=priced.subtotal,
        discount_total=priced.discount_total,
        tax_total=priced.tax_total,
        rounding=settled.rounding,
        total=priced.total,
        cashier_id=work.actor.id,
        cashier_name=work.actor.name,
        location_name=place.location_name,
        ext=ext,
        tax_terms=ground.terms,
        custom=ground.custom,
    )


def _declare(
    work: Work,
    data: SaleIn,
    ground: Ground,
    priced: PricedCart,
    sale: PlacedSale,
    paid: int,
    change: int,
    expires_at: dt.datetime | None,
) -> None:
    """Declare the sale's own rows."""
    waits = expires_at is not None
    work.insert(
        Sale,
        {
            "id": sale.id,
            "number": sale.number,
            "order_number": sale.number if waits else None,
            "order_date": sale.business_date if waits else None,
            "expires_at": expires_at,
            "status": "pending" if waits else "completed",
            "location_id": sale.location_id,
            "register_id": sale.register_id,
            "customer_id": sale.customer_id,
            "channel": sale.channel,
            "business_date": sale.business_date,
            "sold_at": sale.sold_at,
            "recorded_at": work.now,
            "currency": sale.currency,
            "prices_include_tax": priced.prices_include_tax,
            "tax_terms": msgspec.to_builtins(ground.terms),
            "subtotal": sale.subtotal,
            "discount_total": sale.discount_total,
            "tax_total": sale.tax_total,
            "rounding": sale.rounding,
            "total": sale.total,
            "paid": paid,
            "change": change,
            "cashier_id": sale.cashier_id,
            "cashier_name": sale.cashier_name,
            "note": data.note,
            "ext": sale.ext,
            "custom": sale.custom,
            "epoch": work.standing.epochs.business,
            "plugins": sorted({*work.hooks.listeners("sale_placed"), *work.hooks.listeners("sale_completed")}),
        },
    )
    declare_keys(work, ground.fields, sale.id, sale.custom)
    lines = zip(sale.lines, data.lines, ground.cart.lines, priced.lines, ground.goods, strict=True)
    for sold, line, treated, cost, good in lines:
        work.insert(
            SaleLine,
            {
                "sale_id": sale.id,
                "line": sold.line,
                "product_id": sold.product_id,
                "name": sold.name,
                "sku": sold.sku,
                "barcode": line.barcode,
                "pack": good.pack.name if good.pack else None,
                "quantity": sold.quantity,
                "base_quantity": sold.base_quantity,
                "unit_price": sold.unit_price,
                "gross": sold.gross,
                "discount": sold.discount,
                "net": sold.net,
                "tax": sold.tax,
                "total": sold.total,
                "cost_price": sold.cost_price,
                "track_stock": sold.track_stock,
                "allow_negative_stock": sold.allow_negative_stock,
                "taxes": [
                    {"code": one.code, "rate": format_micro(one.rate), "taxable": one.taxable, "amount": one.amount}
                    for one in cost.components
                ],
                "tax_category": sold.tax_category,
                "tax_codes": treated.treatment.codes,
                "steps": cost.steps,
            },
        )


async def _take_up(work: Work, held_id: uuid.UUID) -> None:
    if not await take_up(work, held_id):
        raise HeldGone


def _refuse_above_mrp(ground: Ground, priced: PricedCart, region: str) -> None:
    for line, cost in zip(ground.cart.lines, priced.lines, strict=True):
        if line.mrp is None:
            continue
        most = extend(line.quantity, line.mrp, priced.exponent)
        if cost.total > most:
            words = show_amount(most, priced.currency, region)
            detail = f"{line.name}: at most {words} for this quantity"
            raise AboveMrp.at(f"/lines/{line.line - 1}", detail, code="above-mrp")


def _lines_out(data: CartIn, ground: Ground, priced: PricedCart) -> list[LineOut]:
    return [
        line_out(line, good, cost, priced.exponent, said.barcode)
        for line, good, cost, said in zip(ground.cart.lines, ground.goods, priced.lines, data.lines, strict=True)
    ]
