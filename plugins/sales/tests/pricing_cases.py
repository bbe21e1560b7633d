"""Carts, answers and amounts for the tests of prices, short to write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from kernel.money import format_amount, parse_amount, parse_micro
from plugins.sales.rules import price
from plugins.sales.schemas.values import (
    AmountOff,
    Answer,
    Applied,
    Cart,
    HandDiscount,
    Line,
    Override,
    PercentOff,
    Phase,
    PricedCart,
    SetPrice,
)
from plugins.taxes.api import TaxComponent, TaxPolicy, Treatment

ID = UUID("01930000-0000-7000-8000-000000000001")
INCLUDED = TaxPolicy(True, "line", 2)
ADDED = TaxPolicy(False, "line", 2)


def vat(rate: str = "16") -> Treatment:
    return Treatment(None, f"VAT {rate}", "standard", (TaxComponent("VAT", parse_micro(rate)),))


def gst(rate: str) -> Treatment:
    half = parse_micro(rate) // 2
    pair = (TaxComponent("CGST", half, twin="SGST"), TaxComponent("SGST", half, twin="CGST"))
    return Treatment(None, f"GST {rate}", "standard", pair)


def line(
    quantity: str,
    list_price: str,
    hand: HandDiscount | None = None,
    override: Override | None = None,
    treatment: Treatment | None = None,
) -> Line:
    return Line(
        1, ID, "Rice 2kg", "RICE-2KG", parse_micro(quantity), parse_micro(list_price), "retail", (), None,
        treatment or vat(), hand, override,
    )  # fmt: skip


def cart(*lines: Line, policy: TaxPolicy = INCLUDED, hand: HandDiscount | None = None) -> Cart:
    numbered = tuple(replace(each, line=place) for place, each in enumerate(lines, 1))
    at = datetime(2026, 11, 21, 9, 14, tzinfo=UTC)
    return Cart(numbered, None, "retail", "KES", policy.exponent, policy, hand, at, ID)


def priced(asked: Cart, *answers: Answer, document: Sequence[Answer] = ()) -> PricedCart:
    """Price a cart whose every line is given the same answers by a plugin called promo."""
    each = [Applied("promo", answer) for answer in answers]
    return price(asked, [each] * len(asked.lines), [Applied("promo", answer) for answer in document])


def percent_off(percent: str, phase: Phase = "promotion", lines: tuple[int, ...] | None = None) -> PercentOff:
    return PercentOff(phase=phase, rule="offer", reason="because", percent=parse_micro(percent), lines=lines)


def amount_off(amount: str, phase: Phase = "promotion", lines: tuple[int, ...] | None = None) -> AmountOff:
    return AmountOff(phase=phase, rule="offer", reason="because", amount=parse_amount(amount, 2), lines=lines)


def set_price(unit_price: str, phase: Phase = "promotion") -> SetPrice:
    return SetPrice(phase=phase, rule="offer", reason="because", unit_price=parse_micro(unit_price))


def by_hand(percent: str | None = None, amount: str | None = None) -> HandDiscount:
    return HandDiscount(
        "bruised", parse_micro(percent) if percent else None, parse_amount(amount, 2) if amount else None
    )


def written(amount: int) -> str:
    return format_amount(amount, 2)


def totals(answer: PricedCart) -> tuple[str, str, str, str]:
    """Subtotal, discount, tax, total."""
    return (
        written(answer.subtotal),
        written(answer.discount_total),
        written(answer.tax_total),
        written(answer.total),
    )
