"""A sale as a test that makes it again: its cart as it was asked for, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.app.recording import Recording, Replay
from kernel.errors import NotFound
from kernel.money import format_amount, parse_amount, parse_micro
from kernel.work import Work
from plugins.payments.api import PaymentOut
from plugins.sales.schemas.answers import LineOut, SaleOut
from plugins.sales.schemas.values import Step
from plugins.sales.services.reading import find_sale
from plugins.taxes.api import Terms

PATH = "/api/v1/sales/sales"
OF_SALE = ("currency", "prices_include_tax", "subtotal", "discount_total", "tax_total", "rounding", "total")
OF_LINE = ("quantity", "unit_price", "gross", "discount", "net", "tax", "total")
OF_STEP = ("phase", "plugin", "rule", "before", "after")
"""What of an answer must be as it was: figures, and the rules they come from; no words of people."""


async def record_sale(work: Work, recording: Recording) -> None:
    """Say how the sale of this id is made again; nothing where there is none."""
    try:
        sale = await find_sale(work, recording.document_id)
    except NotFound:
        return
    recording.at = sale.sold_at
    recording.plugins |= {step.plugin for line in sale.lines for step in line.steps}
    exponent = work.shop.exponent
    body: dict[str, Any] = {"lines": [_line(recording, line, exponent) for line in sale.lines]}
    if sale.customer_id is not None:
        body["customer_id"] = customer = recording.want("customer", sale.customer_id)
        customer.facts |= _as_taxed(sale.tax_terms)
    if sale.channel != "retail":
        body["channel"] = sale.channel
    if shares := [step for line in sale.lines if (step := _by_hand(line, "document discount"))]:
        body["discount"] = _discount(shares, exponent)
    if ext := {plugin: said for plugin, said in sale.ext.items() if plugin in recording.plugins}:
        body["ext"] = ext
    body["payments"] = [_payment(one) for one in sale.payments]
    recording.replay = Replay(f"sale {sale.number}", PATH, body, _wanted(sale))


def _as_taxed(terms: Terms | None) -> dict[str, Any]:
    """What the tax of a sale knew of its customer. The number of a certificate is a person's: another stands here."""
    if terms is None:
        return {}
    found: dict[str, Any] = {"state": terms.place_of_supply} if terms.inter_state and not terms.sez else {}
    own: dict[str, Any] = {"sez": True} if terms.sez else {}
    if terms.certificate is not None:
        said = msgspec.to_builtins(terms.certificate)
        own["certificates"] = [{key: value for key, value in said.items() if value} | {"number": "CERTIFICATE 1"}]
    return found | ({"ext": {"taxes": own}} if own else {})


def _line(recording: Recording, line: LineOut, exponent: int) -> dict[str, Any]:
    listed = line.steps[0]
    product = recording.want("product", line.product_id)
    sold = {"price": parse_micro(listed.after), "rule": listed.rule.removesuffix(" price"), "barcode": line.barcode}
    product.facts.setdefault("sold", []).append(sold)
    said: dict[str, Any] = {"barcode": line.barcode} if line.pack else {"product_id": product}
    said["quantity"] = line.quantity
    if override := _by_hand(line, "override"):
        said["unit_price"] = override.after
    if given := _by_hand(line, "discount"):
        said["discount"] = _discount([given], exponent)
    return said


def _by_hand(line: LineOut, rule: str) -> Step | None:
    return next((one for one in line.steps if (one.plugin, one.rule) == ("sales", rule)), None)


def _discount(steps: Sequence[Step], exponent: int) -> dict[str, str]:
    """What was given by hand, as the amount that it came to; the words for it were a person's."""
    off = sum(parse_amount(one.before or "0", exponent) - parse_amount(one.after, exponent) for one in steps)
    return {"amount": format_amount(off, exponent), "reason": "as recorded"}


def _payment(payment: PaymentOut) -> dict[str, Any]:
    """By cash, which rounds, or by what does not: gateways are not asked in a test."""
    return {"method": "cash" if payment.method == "cash" else "card", "amount": payment.amount}


def _wanted(sale: SaleOut) -> dict[str, Any]:
    lines = [
        {name: getattr(line, name) for name in OF_LINE}
        | {"steps": [{name: getattr(step, name) for name in OF_STEP} for step in line.steps]}
        for line in sale.lines
    ]
    return {name: getattr(sale, name) for name in OF_SALE} | {"lines": lines}
