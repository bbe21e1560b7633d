"""What is told afterwards: reversals, payouts, questions about transactions, balances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from plugins.gateways_mpesa.simulator import checks
from plugins.gateways_mpesa.simulator.checks import Check, Shop, Wrong
from plugins.gateways_mpesa.simulator.scenarios import On, Scenario, Step
from plugins.gateways_mpesa.simulator.state import NAIROBI, Conversation, State, opened

RESULT_AFTER_S: Final = 2
Outcome = tuple[str, str | None, Mapping[str, Any]]
"""A result code, the receipt of what was done, and the result's values."""


def reverse(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Take a payment to the shop back, as a whole. Raises Wrong."""
    body = _checked(state, shop, said, checks.REVERSAL, "ReceiverParty")
    known = state.ledger.found(str(body["TransactionID"]))
    if known is not None and known.amount != int(body["Amount"]):
        raise Wrong(400, "400.002.02", "Bad Request - Invalid Amount")
    return _begin(state, shop, body, "reversal", lambda: _reversed(state, shop, body))


def pay_out(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Pay a person. Raises Wrong; for an id that was there before."""
    body = _checked(state, shop, said, checks.PAYOUT, "PartyA")
    if any(one.originator == body["OriginatorConversationID"] for one in state.conversations):
        raise Wrong(500, "500.002.1001", "Duplicate OriginatorConversationID.")
    return _begin(state, shop, body, "payout", lambda: _paid_out(state, shop, body))


def ask(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Ask what became of a transaction. Raises Wrong."""
    body = _checked(state, shop, said, checks.STATUS, "PartyA")
    if not body.get("TransactionID") and not body.get("OriginalConversationID"):
        raise Wrong(400, "400.002.02", "Bad Request - Invalid TransactionID")
    return _begin(state, shop, body, "status", lambda: _asked(state, body))


def balance(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Ask what the shop has. Raises Wrong."""
    body = _checked(state, shop, said, checks.BALANCE, "PartyA")
    return _begin(state, shop, body, "balance", lambda: _counted(state, shop))


def _checked(state: State, shop: Shop, said: Any, rules: Mapping[str, Check], party: str) -> dict[str, Any]:
    body = checks.check(said, rules, lenient=state.lenient)
    state.number_of(shop, body[party])
    return body


def _begin(state: State, shop: Shop, body: Mapping[str, Any], on: On, outcome: Callable[[], Outcome]) -> dict[str, Any]:
    """Take a request on; its result comes later, once or as a scenario says."""
    number = state.count()
    talk = Conversation(
        originator=str(body.get("OriginatorConversationID") or f"sim-{number}-{shop.shortcode}"),
        id=f"AG_{state.stamp()[:8]}_{number:020x}",
        kind=on,
        amount=int(body.get("Amount", 0)),
        at=state.now(),
    )
    state.conversations.append(talk)
    payer = str(body.get("PartyB", ""))
    scenario = state.scenario(on, payer, talk.amount or None) or Scenario(on=on)
    [step, *_] = scenario.decisions or [Step("0", RESULT_AFTER_S)]
    if scenario.queues:
        state.clock.later(step.after_s / 2, partial(state.tell, str(body["QueueTimeOutURL"]), _queued(talk)))
    is_initiator = body.get("Initiator", body.get("InitiatorName")) == shop.initiator
    is_known = is_initiator and opened(str(body["SecurityCredential"])) == shop.initiator_password
    forced = step.code if step.code != "0" else None if is_known else "2001"
    state.clock.later(step.after_s, partial(_end, state, talk, scenario, str(body["ResultURL"]), outcome, forced))
    return {
        "OriginatorConversationID": talk.originator,
        "ConversationID": talk.id,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }


async def _end(
    state: State, talk: Conversation, scenario: Scenario, url: str, outcome: Callable[[], Outcome], forced: str | None
) -> None:
    code, receipt, values = (forced, None, {}) if forced else outcome()
    talk.state, talk.receipt = ("Completed" if code == "0" else "Declined"), receipt
    told: dict[str, Any] = {
        "ResultType": 0,
        "ResultCode": int(code) if code.isdigit() else code,
        "ResultDesc": "The service request is processed successfully." if code == "0" else "Declined.",
        "OriginatorConversationID": talk.originator,
        "ConversationID": talk.id,
        "TransactionID": receipt or "SIM0000000",
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "https://example.invalid/late"}},
    }
    if values:
        told["ResultParameters"] = {"ResultParameter": _listed(values)}
    for step in [Step()] if scenario.notices is None else scenario.notices:
        state.clock.later(step.after_s, partial(_tell, state, url, told))
    await state.clock.run_due()


async def _tell(state: State, url: str, told: Any) -> None:
    await state.tell(url, {"Result": told})


def _reversed(state: State, shop: Shop, body: Mapping[str, Any]) -> Outcome:
    known = state.ledger.found(str(body["TransactionID"]))
    if known is None or known.shortcode not in shop.numbers or not known.is_in:
        return "R000002", None, {}
    if state.ledger.reversal_of(known.receipt) is not None:
        return "R000001", None, {}
    if state.ledger.balance(known.shortcode) < known.amount:
        return "1", None, {}
    entry = state.ledger.enter(
        "reversal", known.shortcode, known.payer, known.amount, known.reference, state.now(), known.receipt
    )
    values = {
        "DebitAccountBalance": f"Utility Account|KES|{state.ledger.balance(known.shortcode)}.00|0.00|0.00|0.00",
        "Amount": float(known.amount),
        "TransCompletedTime": int(state.stamp()),
        "OriginalTransactionID": known.receipt,
        "Charge": 0.0,
        "CreditPartyPublicName": f"{known.payer} - Simulated Payer",
        "DebitPartyPublicName": f"{known.shortcode} - {shop.name}",
    }
    return "0", entry.receipt, values


def _paid_out(state: State, shop: Shop, body: Mapping[str, Any]) -> Outcome:
    amount, payer = int(body["Amount"]), str(body["PartyB"])
    number = shop.till or shop.shortcode
    if state.ledger.balance(number) < amount:
        return "1", None, {}
    entry = state.ledger.enter("payout", number, payer, amount, str(body["OriginatorConversationID"]), state.now())
    values = {
        "TransactionAmount": amount,
        "TransactionReceipt": entry.receipt,
        "ReceiverPartyPublicName": f"{payer} - Simulated Payer",
        "TransactionCompletedDateTime": state.now().astimezone(NAIROBI).strftime("%d.%m.%Y %H:%M:%S"),
        "B2CRecipientIsRegisteredCustomer": "Y",
    }
    return "0", entry.receipt, values


def _asked(state: State, body: Mapping[str, Any]) -> Outcome:
    """Of a transaction by its receipt, or of the conversation that it came of. A key comes twice, one bare."""
    wanted = body.get("OriginalConversationID")
    talk = next((one for one in state.conversations if wanted and wanted in (one.originator, one.id)), None)
    known = state.ledger.found(str(body.get("TransactionID") or (talk.receipt if talk else None) or ""))
    if known is None and talk is None:
        return "R000002", None, {}
    values: dict[str, Any] = {
        "DebitPartyName": "600000 - Simulated shop",
        "DebitPartyName ": "254700000001 - Simulated Payer",
        "TransactionReason": None,
        "TransactionStatus": talk.state if talk else "Completed",
        "Amount": str(known.amount if known else talk.amount if talk else 0),
        "ReceiptNo": known.receipt if known else "",
        "FinalisedTime": state.stamp(known.at if known else None),
    }
    return "0", None, values


def _counted(state: State, shop: Shop) -> Outcome:
    has = state.ledger.balance(shop.till or shop.shortcode)
    accounts = [f"Working Account|KES|{has}.00|{has}.00|0.00|0.00", "Utility Account|KES|0.00|0.00|0.00|0.00"]
    return "0", None, {"AccountBalance": "&".join(accounts), "BOCompletedTime": int(state.stamp())}


def _listed(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As Safaricom lists values: a name may come twice, and without a value."""
    return [{"Key": name.strip()} | ({} if value is None else {"Value": value}) for name, value in values.items()]


def _queued(talk: Conversation) -> dict[str, Any]:
    """What says that a request waits too long. Its form is not documented; this one is made up."""
    return {"OriginatorConversationID": talk.originator, "ConversationID": talk.id, "ResultDesc": "Queue timeout"}
