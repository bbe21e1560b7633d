"""Prompts on phones: put there, answered by a scenario or a person, told of, and asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from plugins.gateways_mpesa.simulator import checks
from plugins.gateways_mpesa.simulator.checks import Shop, Wrong
from plugins.gateways_mpesa.simulator.paying import confirm
from plugins.gateways_mpesa.simulator.scenarios import APPROVED, HELD, Step
from plugins.gateways_mpesa.simulator.state import Prompt, State

LIVES_S: Final = 60
SAME_AGAIN_S: Final = 120
NOTICE_AFTER_S: Final = 1
WORDS: Final[Mapping[str, str]] = {
    "0": "The service request is processed successfully.",
    "1": "The balance is insufficient for the transaction.",
    "17": "Rule limited.",
    "1019": "Transaction has expired.",
    "1032": "Request Cancelled by user.",
    "1037": "DS timeout user cannot be reached.",
    "2001": "The initiator information is invalid.",
    "4999": "The transaction is still under processing",
    "9999": "An error occurred while sending a push request.",
}


def push(state: State, shop: Shop, said: Any) -> tuple[Prompt, dict[str, Any]]:
    """Put a prompt on a phone. Raises Wrong."""
    body = checks.check(said, checks.PROMPT, lenient=state.lenient)
    state.number_of(shop, body["BusinessShortCode"])
    checks.check_password(shop, body)
    payer, amount, reference = str(body["PhoneNumber"]), int(body["Amount"]), str(body["AccountReference"])
    if any(one.payer == payer and one.code is None for one in state.prompts.values()):
        raise Wrong(500, "500.001.1001", "Unable to lock subscriber, a transaction is already in process")
    scenario = state.scenario("prompt", payer, amount, reference) or (HELD if state.holds else APPROVED)
    prompt = Prompt(
        checkout=f"ws_CO_{state.stamp()[6:8]}{state.stamp()[4:6]}{state.stamp()[:4]}{state.stamp()[8:]}{state.count():03d}",
        merchant=f"{state.count()}-{shop.shortcode}-1",
        shop=shop,
        payer=payer,
        amount=amount,
        reference=reference,
        words=str(body["TransactionDesc"]),
        notify=str(body["CallBackURL"]),
        at=state.now(),
        expires_at=state.now() + dt.timedelta(seconds=LIVES_S),
        scenario=scenario,
    )
    decisions = scenario.decisions
    if decisions is None:
        decisions = [] if state.is_driven else [Step("1037", LIVES_S)]
    if _is_wrong_kind(shop, body):
        decisions = [Step("2028", 1)]
    elif _was_just_paid(state, prompt):
        decisions = [Step("17", 1)]
    state.prompts[prompt.checkout] = prompt
    for step in decisions:
        state.clock.later(step.after_s, partial(decide, state, prompt, step.code, by_time=scenario.decisions is None))
    return prompt, {
        "MerchantRequestID": prompt.merchant,
        "CheckoutRequestID": prompt.checkout,
        "ResponseCode": "0",
        "ResponseDescription": "Success. Request accepted for processing",
        "CustomerMessage": "Success. Request accepted for processing",
    }


async def decide(state: State, prompt: Prompt, code: str, *, by_time: bool = False) -> None:
    """Answer a prompt. What is paid is paid once; time decides nothing that a person has decided."""
    if prompt.receipt is not None or (by_time and prompt.code is not None):
        return
    prompt.code, prompt.decided_at = code, state.now()
    if code == "0":
        prompt.paid = prompt.amount + (prompt.scenario.pays or 0)
        number = prompt.shop.till or prompt.shop.shortcode
        entry = state.ledger.enter("prompt", number, prompt.payer, prompt.paid, prompt.reference, state.now())
        prompt.receipt = entry.receipt
        if prompt.scenario.c2b_too:
            state.clock.later(NOTICE_AFTER_S, partial(confirm, state, entry))
    notices = prompt.scenario.notices
    for step in [Step(code, NOTICE_AFTER_S)] if notices is None else notices:
        state.clock.later(step.after_s, partial(_tell, state, prompt, step))
    await state.clock.run_due()


def query(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """What became of a prompt. Raises Wrong where nothing has yet, unless that is told by 4999."""
    body = checks.check(said, checks.QUERY)
    state.number_of(shop, body["BusinessShortCode"])
    checks.check_password(shop, body)
    prompt = state.prompts.get(str(body["CheckoutRequestID"]))
    if prompt is None or prompt.shop.shortcode != shop.shortcode:
        raise Wrong(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")
    code = prompt.code
    wait = dt.timedelta(seconds=prompt.scenario.pending_s)
    if code is None or (prompt.decided_at is not None and state.now() < prompt.decided_at + wait):
        if prompt.scenario.pending != "4999":
            raise Wrong(500, "500.001.1001", "The transaction is being processed")
        code = "4999"
    return {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": prompt.merchant,
        "CheckoutRequestID": prompt.checkout,
        "ResultCode": code,
        "ResultDesc": WORDS.get(code, "Failed"),
    }


def callback(state: State, checkout: str, payer: str, code: str, amount: int, receipt: str) -> dict[str, Any]:
    """A callback as Safaricom writes it: figures as figures, a balance without a value, money only of success."""
    known = state.prompts.get(checkout)
    told: dict[str, Any] = {
        "MerchantRequestID": known.merchant if known else "0-0-1",
        "CheckoutRequestID": checkout,
        "ResultCode": int(code) if code.isdigit() else code,
        "ResultDesc": WORDS.get(code, "Failed"),
    }
    if code == "0":
        told["CallbackMetadata"] = {
            "Item": [
                {"Name": "Amount", "Value": float(amount)},
                {"Name": "MpesaReceiptNumber", "Value": receipt},
                {"Name": "Balance"},
                {"Name": "TransactionDate", "Value": int(state.stamp())},
                {"Name": "PhoneNumber", "Value": int(payer)},
            ]
        }
    return {"Body": {"stkCallback": told}}


async def _tell(state: State, prompt: Prompt, step: Step) -> None:
    amount = prompt.paid if step.amount is None else step.amount
    receipt = prompt.receipt or state.ledger.receipt()
    await state.tell(prompt.notify, callback(state, prompt.checkout, prompt.payer, step.code, amount, receipt))


def _is_wrong_kind(shop: Shop, body: Mapping[str, Any]) -> bool:
    """Whether the kind of payment and who gets it do not go together."""
    wanted = "CustomerBuyGoodsOnline" if shop.till else "CustomerPayBillOnline"
    return body["TransactionType"] != wanted or str(body["PartyB"]) != (shop.till or shop.shortcode)


def _was_just_paid(state: State, prompt: Prompt) -> bool:
    since = state.now() - dt.timedelta(seconds=SAME_AGAIN_S)
    return any(
        one.payer == prompt.payer and one.amount == prompt.amount and one.receipt and (one.decided_at or since) > since
        for one in state.prompts.values()
        if one.shop.shortcode == prompt.shop.shortcode
    )
