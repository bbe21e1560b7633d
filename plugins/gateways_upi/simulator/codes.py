"""QR codes: made, scanned by payers who pay or do not, closed by time, by payment or on demand, and asked about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeVar

from plugins.gateways_upi.simulator.checks import Shop, Wrong, check_code
from plugins.gateways_upi.simulator.entities import Code, Payment, code_json, collection, payment_json
from plugins.gateways_upi.simulator.scenarios import HELD, PAID, Step, Told
from plugins.gateways_upi.simulator.state import State

T = TypeVar("T")
LONGEST_S: Final = 7_200
PAYERS: Final = ("asha.rao@okhdfcbank", "imran.khan@ybl", "meera.nair@oksbi", "vikram.singh@paytm")
NOBODY: Final = "The id provided does not exist"


async def make(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Make a QR code. Raises Wrong."""
    if not shop.has_codes:
        raise Wrong("The requested URL was not found on the server.")
    body = check_code(said, state.second())
    amount, notes = body.get("payment_amount"), body.get("notes") or {}
    scenario = state.scenario("code", amount, notes.get("reference", "")) or (HELD if state.holds else PAID)
    code = Code(
        id=state.new_id("qr"),
        shop=shop,
        name=body.get("name") or "",
        usage=body["usage"],
        is_fixed=bool(body.get("fixed_amount")),
        amount=amount,
        description=body.get("description") or "",
        notes=notes,
        made_at=state.second(),
        scenario=scenario,
    )
    if code.usage == "single_use":
        longest = state.second() + LONGEST_S
        code.close_by = min(body.get("close_by") or longest, longest)
        if not state.is_driven:
            state.clock.later(code.close_by - state.second(), partial(lapse, state, code))
    state.codes[code.id] = code
    steps = [] if state.is_driven else scenario.decisions or []
    code.steps_left = len(steps)
    for step in steps:
        state.clock.later(step.after_s, partial(_go_on, state, code, step))
    await state.tell(shop, "qr_code.created", {"qr_code": code_json(code, [], is_notice=True)})
    if scenario.answers_last:
        await state.clock.run_due()
    return code_json(code, state.of_code(code.id))


async def take_step(state: State, code: Code, step: Step) -> Payment | None:
    """Let a payer do something with a QR code; None where it takes no payment any more.

    What was begun before it closed may still be charged, and what failed may be charged after all.
    """
    known = state.of_code(code.id)
    begun = None if step.is_new else next((one for one in known if one.status in ("failed", "authorized")), None)
    if begun is None and known and not step.is_new and code.usage == "single_use":
        return None
    payment = begun or _begin(state, code, step)
    payment.status, payment.reason = step.status, step.reason or ("payment_failed" if step.status == "failed" else "")
    was_open = code.closed_at is None
    if payment.status == "captured" and code.usage == "single_use" and was_open:
        code.closed_at, code.why = state.second(), "paid"
    await _tell_all(state, code, payment, was_open=was_open)
    return payment


async def _go_on(state: State, code: Code, step: Step) -> None:
    code.steps_left -= 1
    await take_step(state, code, step)


def _begin(state: State, code: Code, step: Step) -> Payment:
    asked = 10_000 if code.amount is None else code.amount
    payment = Payment(
        id=state.new_id("pay"),
        shop=code.shop,
        amount=asked + code.scenario.pays if step.amount is None else step.amount,
        vpa=PAYERS[len(state.payments) % len(PAYERS)],
        rrn=state.new_rrn(),
        at=state.second(),
        code=code.id,
    )
    state.payments[payment.id] = payment
    return payment


async def _tell_all(state: State, code: Code, payment: Payment, *, was_open: bool) -> None:
    notices = code.scenario.notices
    if notices is None:
        events: Mapping[str, tuple[Any, ...]] = {
            "authorized": ("payment.authorized",),
            "captured": ("payment.authorized", "payment.captured", "qr_code.credited"),
            "failed": ("payment.failed",),
        }
        closed = was_open and code.closed_at is not None
        notices = [Told(event) for event in (*events[payment.status], *(("qr_code.closed",) if closed else ()))]
    for one in notices:
        state.clock.later(one.after_s, partial(tell, state, code, payment, one))
    if code.scenario.answers_last:
        for one in notices:
            await tell(state, code, payment, one)
    await state.clock.run_due()


async def tell(state: State, code: Code, payment: Payment, told: Told) -> None:
    """Tell of a payment or its QR code; of a failure even where there was none."""
    shown = payment_json(payment, is_notice=True)
    if told.event == "payment.failed":
        shown |= {"status": "failed", "captured": False, "error_reason": payment.reason or "payment_failed"}
    of_code = {"qr_code": code_json(code, state.of_code(code.id), is_notice=True)}
    is_closed = told.event in ("qr_code.closed", "qr_code.created")
    payload = of_code if is_closed else {"payment": shown} | (of_code if told.event == "qr_code.credited" else {})
    await state.tell(code.shop, told.event, payload, told.signed)


async def lapse(state: State, code: Code) -> None:
    """Close a QR code whose time is over; one for which a kit has the payer wait is waited for."""
    is_over = code.close_by is not None and code.close_by <= state.second()
    if code.closed_at is None and is_over and not (state.is_driven and code.id in state.waiting):
        code.closed_at, code.why = code.close_by, "expired"
        await state.tell(code.shop, "qr_code.closed", {"qr_code": code_json(code, [], is_notice=True)})


async def close(state: State, shop: Shop, id_: str) -> dict[str, Any]:
    """Close a QR code on demand. Raises Wrong."""
    code = _own(state, shop, id_)
    if code.closed_at is not None:
        raise Wrong("QR Code is already closed", reason="input_validation_failed")
    code.closed_at, code.why = state.second(), "on_demand"
    payments = state.of_code(id_)
    await state.tell(shop, "qr_code.closed", {"qr_code": code_json(code, payments, is_notice=True)})
    return code_json(code, payments)


async def show(state: State, shop: Shop, id_: str) -> dict[str, Any]:
    """A QR code. Raises Wrong."""
    code = _own(state, shop, id_)
    await lapse(state, code)
    return code_json(code, state.of_code(id_))


def payments_of(state: State, shop: Shop, id_: str, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the payments of a QR code. Raises Wrong."""
    _own(state, shop, id_)
    return collection([payment_json(one) for one in paged(state.of_code(id_), query)])


def listed(state: State, shop: Shop, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of a shop's QR codes, newest first. Raises Wrong."""
    if not shop.has_codes:
        raise Wrong("The requested URL was not found on the server.")
    own = [one for one in reversed(state.codes.values()) if one.shop.key_id == shop.key_id]
    found = [one for one in own if _since(query) <= one.made_at <= _until(query)]
    return collection([code_json(one, state.of_code(one.id)) for one in paged(found, query)])


def payments(state: State, shop: Shop, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of a shop's payments, newest first. Raises Wrong."""
    own = [one for one in reversed(state.payments.values()) if one.shop.key_id == shop.key_id]
    found = [one for one in own if _since(query) <= one.at <= _until(query)]
    return collection([payment_json(one) for one in paged(found, query)])


def payment(state: State, shop: Shop, id_: str) -> dict[str, Any]:
    """A payment. Raises Wrong."""
    found = state.payments.get(id_)
    if found is None or found.shop.key_id != shop.key_id:
        raise Wrong(NOBODY)
    return payment_json(found)


def paged(found: list[T], query: Mapping[str, str], most: int = 100) -> list[T]:
    """A page, as `count` and `skip` say. Raises Wrong."""
    count, skip = number(query, "count", 10), number(query, "skip", 0)
    if not 1 <= count <= most:
        raise Wrong(f"The count must be at least 1 and at most {most}.", reason="input_validation_failed")
    return found[skip : skip + count]


def number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    """A figure of a query. Raises Wrong."""
    said = query.get(name, str(otherwise))
    if not (said.isascii() and said.isdigit() and len(said) < 12):
        raise Wrong(f"The {name} is invalid.", reason="input_validation_failed", field=name)
    return int(said)


def _since(query: Mapping[str, str]) -> int:
    return number(query, "from", 0)


def _until(query: Mapping[str, str]) -> int:
    return number(query, "to", 10**11)


def _own(state: State, shop: Shop, id_: str) -> Code:
    code = state.codes.get(id_)
    if code is None or code.shop.key_id != shop.key_id:
        raise Wrong(NOBODY)
    return code
