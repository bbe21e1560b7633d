"""How tenders settle a total: those that pay in steps are rounded, cash gives change, everything else is exact."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from kernel.money import StepMode, round_to_step
from plugins.sales.schemas.values import SettledTender, Settlement, Tender


class Overpaid(ValueError):
    """Tenders other than cash exceed the total: only cash gives change. `excess` is in minor units."""

    def __init__(self, method: str, excess: int) -> None:
        super().__init__(f"{method} pays {excess} minor units more than is due, and only cash gives change")
        self.method = method
        self.excess = excess


class BadTender(ValueError):
    """A tender that contradicts itself: money the wrong way, less handed over than it settles."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(f"{method}: {reason}")
        self.method = method
        self.reason = reason


class OffStep(BadTender):
    """An amount that a tender cannot pay, since it pays in multiples of `step` minor units."""

    def __init__(self, method: str, step: int) -> None:
        super().__init__(method, f"it pays in multiples of {step} minor units")
        self.step = step


def round_total(total: int, step: int, mode: StepMode) -> int:
    """What is added to a total that is rounded for every tender (G3): 19.44 to a whole rupee is -0.44."""
    return round_to_step(total, step, mode) - total


def settle(total: int, tenders: Sequence[Tender]) -> Settlement:
    """Settle a total in minor units; a negative total with negative tenders mirrors the positive case.

    What is due after all exact tenders is rounded to the coarsest step of the cash tenders, by that tender's mode.
    Without cash it is rounded to the coarsest step of the tenders that pay in steps; beside cash those are exact.
    Cash beyond that is change. Tenders in steps of exactly what was due before rounding mean all of it, so that a till
    need not know the step. A `balance_due` above zero is for the caller to refuse.

    Raises `Overpaid`, and `BadTender` for amounts of the wrong sign, a step below 1, less tendered than the
    amount, or anything tendered that is not cash; `OffStep` for an amount that a tender in steps cannot pay.
    """
    if total < 0:
        return _mirrored(settle(-total, [_turned(tender) for tender in tenders]))
    for tender in tenders:
        _check(tender)
    cash = any(tender.is_cash for tender in tenders)
    stepped = [tender for tender in tenders if (tender.is_cash if cash else tender.step > 1)]
    due = total - _paid_exactly(total, [tender for tender in tenders if tender not in stepped])
    rounded = due
    if stepped:
        coarsest = max(stepped, key=lambda tender: tender.step)
        rounded = round_to_step(due, coarsest.step, coarsest.mode)
    counted = iter(_count_cash(due, rounded, stepped) if cash else _count_steps(due, rounded, stepped))
    settled = tuple(next(counted) if tender in stepped else _exact(tender) for tender in tenders)
    paid = sum(each.amount for each in settled)
    rounding = rounded - due
    return Settlement(rounding, paid, sum(each.change for each in settled), total + rounding - paid, settled)


def _check(tender: Tender) -> None:
    if tender.amount < 0:
        raise BadTender(tender.method, "the money must go the way of the total")
    if tender.step < 1:
        raise BadTender(tender.method, "the step must be at least one minor unit")
    if tender.tendered is not None and not tender.is_cash:
        raise BadTender(tender.method, "only cash is handed over and gives change")
    if tender.tendered is not None and tender.tendered < tender.amount:
        raise BadTender(tender.method, "less is handed over than it is to settle")


def _paid_exactly(total: int, tenders: Sequence[Tender]) -> int:
    """Sum the tenders that are not rounded; raise `Overpaid` at the first that passes the total."""
    paid = 0
    for tender in tenders:
        _check_steps(tender, tender.amount)
        paid += tender.amount
        if paid > total:
            raise Overpaid(tender.method, paid - total)
    return paid


def _check_steps(tender: Tender, amount: int) -> None:
    if amount % tender.step:
        raise OffStep(tender.method, tender.step)


def _exact(tender: Tender) -> SettledTender:
    return SettledTender(tender.method, tender.amount, None, 0)


def _count_steps(due: int, rounded: int, stepped: list[Tender]) -> list[SettledTender]:
    """Let tenders in steps settle the rounded amount; where they were exactly what was due, the last takes the rest."""
    exactly = sum(tender.amount for tender in stepped) == due
    left, settled = rounded, []
    for place, tender in enumerate(stepped, 1):
        amount = left if exactly and place == len(stepped) else tender.amount
        _check_steps(tender, amount)
        if amount > left:
            raise Overpaid(tender.method, amount - left)
        left -= amount
        settled.append(SettledTender(tender.method, amount, None, 0))
    return settled


def _count_cash(due: int, rounded: int, cash: list[Tender]) -> list[SettledTender]:
    """Let cash settle the rounded amount, earlier tenders first; the last takes what rounding added."""
    offered = sum(tender.amount for tender in cash)
    exactly = offered == due
    left = rounded if exactly else min(offered, rounded)
    settled = []
    for place, tender in enumerate(cash, 1):
        amount = left if exactly and place == len(cash) else min(tender.amount, left)
        counted = _counted(tender, amount, exactly)
        left -= counted.amount
        settled.append(counted)
    return settled


def _counted(tender: Tender, amount: int, exactly: bool) -> SettledTender:
    """Settle an amount, at most what was handed over; with nothing named, that is the tender's own amount.

    Where the tenders were exactly what was due, it is what rounding made of it, and there is no change.
    """
    handed = tender.tendered
    if handed is None:
        handed = amount if exactly else tender.amount
    amount = min(amount, handed)
    return SettledTender(tender.method, amount, handed, handed - amount)


def _turned(tender: Tender) -> Tender:
    handed = None if tender.tendered is None else -tender.tendered
    return replace(tender, amount=-tender.amount, tendered=handed)


def _mirrored(settlement: Settlement) -> Settlement:
    tenders = tuple(
        SettledTender(each.method, -each.amount, None if each.tendered is None else -each.tendered, -each.change)
        for each in settlement.tenders
    )
    return Settlement(-settlement.rounding, -settlement.paid, -settlement.change, -settlement.balance_due, tenders)
