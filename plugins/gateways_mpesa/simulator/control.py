"""Steering and watching the simulator: phones, scenarios, time, and the page on which a person does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from plugins.gateways_mpesa.simulator import paying, prompts
from plugins.gateways_mpesa.simulator.checks import PHONE, Shop
from plugins.gateways_mpesa.simulator.ledger import OPENING
from plugins.gateways_mpesa.simulator.scenarios import BY_PAYER, Scenario
from plugins.gateways_mpesa.simulator.state import Prompt, State, certificate
from plugins.payments.testing.simulator.steering import Deed, Said, page, steer, watching
from plugins.payments.testing.simulator.web import Reply

PAGE: Final = Path(__file__).with_name("page.html")
SHOWN: Final = 30


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person does on a phone: a result code."""

    code: str


class Paying(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment that nobody asked for, in shillings."""

    amount: Annotated[int, Meta(ge=1, le=250_000)]
    payer: str = "254700000001"
    reference: Annotated[str, Meta(max_length=20)] = ""
    shortcode: str | None = None


class Forgery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notice about a prompt that tells of money which never moved."""

    checkout: str
    code: str = "0"
    amount: int | None = None


async def answer(state: State, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
    """Answer a path of the control API, or the page."""
    if path == "/" and method == "GET":
        return page(PAGE)
    if path == "/_sim/certificate" and method == "GET":
        return Reply(200, certificate().encode(), "application/x-pem-file")
    own: dict[str, Deed] = {where: partial(deed, state) for where, deed in _DEEDS.items()}
    return await steer(method, path, headers, body, {**own, **watching(state.diary, state.clock)})


async def _decide(state: State, said: tuple[str, Any]) -> Said:
    checkout, decision = said[0], msgspec.convert(said[1], Decision)
    prompt = state.prompts.get(checkout)
    if prompt is None or prompt.code is not None:
        return 404, {"error": "there is no such open prompt"}
    await prompts.decide(state, prompt, decision.code)
    return 200, _prompt(state, prompt)


async def _phones(state: State, body: Any) -> Said:
    latest = list(state.prompts.values())[-SHOWN:]
    shops = [{"name": one.name, "shortcode": one.till or one.shortcode} for one in state.shops.values()]
    return 200, {
        "now": state.now(),
        "prompts": [_prompt(state, one) for one in reversed(latest)],
        "ledger": list(reversed(state.ledger.entries[-SHOWN:])),
        "notices": [
            {"at": one.at, "url": one.url[-24:], "status": one.status, "says": _gist(one.body)}
            for one in reversed(state.diary.notices[-SHOWN:])
        ],
        "shops": shops,
        "payers": {suffix: words for suffix, (words, _) in BY_PAYER.items()},
    }


async def _pay(state: State, body: Any) -> Said:
    said = msgspec.convert(body, Paying)
    shop = _shop(state, said.shortcode)
    if not PHONE(said.payer):
        raise ValueError("The payer's number looks like 254712345678")
    number = said.shortcode or shop.till or shop.shortcode
    entry = await paying.pay(state, shop, number, said.payer, said.amount, said.reference)
    return 200, {"is_paid": entry is not None, "entry": entry}


async def _ledger(state: State, body: Any) -> Said:
    numbers = {shop.till or shop.shortcode for shop in state.shops.values()}
    came = sum(one.amount for one in state.ledger.entries if one.is_in)
    went = sum(one.amount for one in state.ledger.entries if not one.is_in)
    return 200, {
        "entries": state.ledger.entries,
        "came": came,
        "went": went,
        "opening": OPENING,
        "balances": {number: state.ledger.balance(number) for number in sorted(numbers)},
    }


async def _scenario(state: State, body: Any) -> Said:
    state.scenarios.append(msgspec.convert(body, Scenario))
    return 200, {"scenarios": state.scenarios}


async def _scenarios(state: State, body: Any) -> Said:
    return 200, {"scenarios": state.scenarios, "by_payer": {end: words for end, (words, _) in BY_PAYER.items()}}


async def _no_scenarios(state: State, body: Any) -> Said:
    state.scenarios.clear()
    return 200, {"scenarios": []}


async def _forge(state: State, body: Any) -> Said:
    said = msgspec.convert(body, Forgery)
    prompt = state.prompts.get(said.checkout)
    if prompt is None:
        return 404, {"error": "there is no such prompt"}
    amount = prompt.amount if said.amount is None else said.amount
    await state.tell(
        prompt.notify, prompts.callback(state, prompt.checkout, prompt.payer, said.code, amount, "FORGED0001")
    )
    return 200, {"told": prompt.checkout}


async def _restart(state: State, body: Any) -> Said:
    state.restart()
    return 200, {"now": state.now()}


async def _shops(state: State, body: Any) -> Said:
    shop = msgspec.convert(body, Shop)
    state.shops[shop.key] = shop
    return 200, {"shops": [one.shortcode for one in state.shops.values()]}


_DEEDS: Final[Mapping[str, Callable[[State, Any], Awaitable[Said]]]] = {
    "GET /_sim/phones": _phones,
    "POST /_sim/phones/*": _decide,
    "POST /_sim/pay": _pay,
    "GET /_sim/ledger": _ledger,
    "POST /_sim/scenario": _scenario,
    "GET /_sim/scenarios": _scenarios,
    "DELETE /_sim/scenarios": _no_scenarios,
    "POST /_sim/forge": _forge,
    "POST /_sim/restart": _restart,
    "POST /_sim/shops": _shops,
}


def _shop(state: State, number: str | None) -> Shop:
    found = [one for one in state.shops.values() if number is None or number in one.numbers]
    if not found:
        raise ValueError(f"No shop has {number}")
    return found[0]


def _prompt(state: State, prompt: Prompt) -> Mapping[str, Any]:
    left = (prompt.expires_at - state.now()).total_seconds()
    known = prompt.scenario.decisions is not None
    return {
        "checkout": prompt.checkout,
        "payer": prompt.payer,
        "amount": prompt.amount,
        "reference": prompt.reference,
        "words": prompt.words,
        "shop": prompt.shop.name,
        "shortcode": prompt.shop.till or prompt.shop.shortcode,
        "code": prompt.code,
        "said": prompts.WORDS.get(prompt.code or "", ""),
        "receipt": prompt.receipt,
        "left_s": max(0, round(left)),
        "is_decided_by_itself": known,
    }


def _gist(body: Any) -> str:
    said = body if isinstance(body, dict) else {}
    callback = (said.get("Body") or {}).get("stkCallback")
    result = said.get("Result")
    if isinstance(callback, dict):
        return f"prompt, code {callback.get('ResultCode')}"
    if isinstance(result, dict):
        return f"result, code {result.get('ResultCode')}"
    return f"payment {said['TransID']}" if "TransID" in said else "waits too long"
