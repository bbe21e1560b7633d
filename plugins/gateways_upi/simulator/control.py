"""Steering and watching the simulator: what payers do who scan, scenarios, settlements, notices, and the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from plugins.gateways_upi.simulator import codes, settling
from plugins.gateways_upi.simulator.checks import Shop
from plugins.gateways_upi.simulator.entities import Code, Payment, code_json, payment_json
from plugins.gateways_upi.simulator.scenarios import BY_PAISE, BY_RUPEES, Scenario, Status, Step, Told
from plugins.gateways_upi.simulator.state import Hook, State
from plugins.payments.testing.simulator.steering import Deed, Said, page, steer, watching
from plugins.payments.testing.simulator.web import Reply

PAGE: Final = Path(__file__).with_name("page.html")
SHOWN: Final = 30


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person does who scanned: pays, fails for a reason, or pays so many paise instead."""

    status: Status = "captured"
    reason: str = ""
    amount: Annotated[int, Meta(ge=1, le=10**12)] | None = None


class Paying(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment by a sticker on the counter, a QR code for many payments, in paise."""

    amount: Annotated[int, Meta(ge=100, le=10**12)]
    key_id: str | None = None


class Webhook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a shop is told, as its owner writes it on Razorpay's pages. A new secret makes the old one the former."""

    url: Annotated[str, Meta(max_length=500, pattern=r"\Ahttps?://")]
    secret: Annotated[str, Meta(min_length=1, max_length=200)]
    key_id: str | None = None


class OfShop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shop; the first one where none is named."""

    key_id: str | None = None


class Forgery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notice of money that never moved, about a QR code. is_signed: by somebody who has the secret."""

    code: str
    amount: Annotated[int, Meta(ge=1, le=10**12)] | None = None
    is_signed: bool = False


async def answer(state: State, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
    """Answer a path of the control API, or the page."""
    if path == "/" and method == "GET":
        return page(PAGE)
    own: dict[str, Deed] = {where: partial(deed, state) for where, deed in _DEEDS.items()}
    return await steer(method, path, headers, body, {**own, **watching(state.diary, state.clock)})


async def _phones(state: State, body: Any) -> Said:
    latest = [one for one in state.codes.values() if one.usage == "single_use"][-SHOWN:]
    hooks = [
        {"key_id": key, "name": shop.name, "url": hook.url if (hook := state.hooks.get(key)) else None,
         "is_on": bool(hook and hook.is_on)}
        for key, shop in state.shops.items()
    ]  # fmt: skip
    return 200, {
        "now": state.now(),
        "codes": [_shown(state, one) for one in reversed(latest)],
        "ledger": _moves(state)[:SHOWN],
        "notices": [
            {"at": one.at, "url": one.url[-24:], "status": one.status, "says": one.body.get("event", "")}
            for one in reversed(state.diary.notices[-SHOWN:])
        ],
        "shops": hooks,
        "amounts": _amounts(),
    }


async def _decide(state: State, said: tuple[str, Any]) -> Said:
    code, decision = state.codes.get(said[0]), msgspec.convert(said[1], Decision)
    if code is None or code.closed_at is not None:
        return 404, {"error": "there is no such QR code that can be paid"}
    step = Step(decision.status, reason=decision.reason, amount=decision.amount, is_new=code.usage != "single_use")
    if await codes.take_step(state, code, step) is None:
        return 409, {"error": "it was paid already"}
    return 200, _shown(state, code)


async def _pay(state: State, body: Any) -> Said:
    said = msgspec.convert(body, Paying)
    shop = _shop(state, said.key_id)
    stuck = next((one for one in state.codes.values() if one.shop == shop and one.name == "Sticker"), None)
    if stuck is None:
        stuck = Code(id=state.new_id("qr"), shop=shop, name="Sticker", usage="multiple_use", is_fixed=False)
        stuck.made_at, state.codes[stuck.id] = state.second(), stuck
    paid = await codes.take_step(state, stuck, Step("captured", amount=said.amount, is_new=True))
    return 200, {"payment": payment_json(paid) if paid else None}


async def _webhook(state: State, body: Any) -> Said:
    said = msgspec.convert(body, Webhook)
    shop = _shop(state, said.key_id)
    before = state.hooks.get(shop.key_id)
    former = before.former if before and before.secret == said.secret else before.secret if before else None
    state.hooks[shop.key_id] = Hook(url=said.url, secret=said.secret, former=former)
    return 200, {"url": said.url}


async def _settle(state: State, body: Any) -> Said:
    made = await settling.settle(state, _shop(state, msgspec.convert(body, OfShop).key_id))
    if made is None:
        return 409, {"error": "there is nothing to settle"}
    return 200, {"id": made.id, "amount": made.amount, "fees": made.fees, "tax": made.tax, "utr": made.utr}


async def _ledger(state: State, body: Any) -> Said:
    came = sum(one.amount for one in state.payments.values() if one.status in ("captured", "refunded"))
    went = sum(one.amount for one in state.refunds.values() if one.status == "processed")
    return 200, {"entries": _moves(state), "came": came, "went": went}


async def _scenario(state: State, body: Any) -> Said:
    state.scenarios.append(msgspec.convert(body, Scenario))
    return 200, {"scenarios": state.scenarios}


async def _scenarios(state: State, body: Any) -> Said:
    return 200, {"scenarios": state.scenarios, "by_amount": _amounts()}


async def _no_scenarios(state: State, body: Any) -> Said:
    state.scenarios.clear()
    return 200, {"scenarios": []}


async def _forge(state: State, body: Any) -> Said:
    said = msgspec.convert(body, Forgery)
    code = state.codes.get(said.code)
    if code is None:
        return 404, {"error": "there is no such QR code"}
    amount = code.amount or 10_000 if said.amount is None else said.amount
    never = Payment(
        id="pay_Forged00000001",
        shop=code.shop,
        amount=amount,
        vpa="nobody@nowhere",
        rrn="000000000000",
        at=state.second(),
        code=code.id,
        status="captured",
    )
    await codes.tell(state, code, never, Told("qr_code.credited", 0, "well" if said.is_signed else "wrongly"))
    return 200, {"told": code.id}


async def _restart(state: State, body: Any) -> Said:
    state.restart()
    return 200, {"now": state.now()}


async def _shops(state: State, body: Any) -> Said:
    shop = msgspec.convert(body, Shop)
    state.shops[shop.key_id] = shop
    return 200, {"shops": list(state.shops)}


_DEEDS: Final[Mapping[str, Callable[[State, Any], Awaitable[Said]]]] = {
    "GET /_sim/phones": _phones,
    "POST /_sim/phones/*": _decide,
    "POST /_sim/pay": _pay,
    "POST /_sim/webhook": _webhook,
    "POST /_sim/settle": _settle,
    "GET /_sim/ledger": _ledger,
    "POST /_sim/scenario": _scenario,
    "GET /_sim/scenarios": _scenarios,
    "DELETE /_sim/scenarios": _no_scenarios,
    "POST /_sim/forge": _forge,
    "POST /_sim/restart": _restart,
    "POST /_sim/shops": _shops,
}


def _amounts() -> dict[str, str]:
    """What payers do by themselves, by their amount."""
    rupees = {f"₹{whole}": words for whole, (words, _) in BY_RUPEES.items()}
    return rupees | {f"₹….{paise:02d}": words for paise, (words, _) in BY_PAISE.items()}


def _shop(state: State, key_id: str | None) -> Shop:
    found = [shop for key, shop in state.shops.items() if key_id in (None, key)]
    if not found:
        raise ValueError(f"No shop has the key {key_id}")
    return found[0]


def _shown(state: State, code: Code) -> Mapping[str, Any]:
    payments = state.of_code(code.id)
    last = payments[0] if payments else None
    return {
        "id": code.id,
        "amount": code.amount,
        "reference": code.reference,
        "words": code.description,
        "shop": code.shop.name,
        "link": code_json(code, payments).get("image_content"),
        "is_open": code.closed_at is None,
        "why": code.why,
        "status": last.status if last else None,
        "reason": last.reason if last else "",
        "payment": last.id if last else None,
        "paid": sum(one.amount for one in payments if one.status in ("captured", "refunded")),
        "left_s": max(0, (code.close_by or 0) - state.second()),
        "is_decided_by_itself": code.steps_left > 0,
    }


def _moves(state: State) -> list[dict[str, Any]]:
    """Everything that moved, newest first."""
    came = [
        {"kind": "payment", "id": one.id, "amount": one.amount, "of": f"RRN {one.rrn}", "at": one.at}
        for one in state.payments.values()
        if one.status in ("captured", "refunded")
    ]
    went = [
        {"kind": "refund", "id": one.id, "amount": one.amount, "of": f"{one.payment}, {one.status}", "at": one.at}
        for one in state.refunds.values()
        if one.status != "failed"
    ]
    paid = [
        {"kind": "settlement", "id": one.id, "amount": one.amount, "of": one.utr, "at": one.at}
        for one in state.settlements.values()
    ]
    return sorted((*came, *went, *paid), key=lambda one: str(one["at"]), reverse=True)
