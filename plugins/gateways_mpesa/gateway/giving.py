"""Giving money back: a reversal of the whole payment, a payout of a part; and asking what became of either.

All of it is told afterwards, at the address that is given along. Nothing can be asked and answered at once.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plugins.gateways_mpesa.gateway.asking import whole
from plugins.gateways_mpesa.gateway.calls import call, refused
from plugins.gateways_mpesa.rules import codes
from plugins.gateways_mpesa.rules.credentials import security_credential
from plugins.gateways_mpesa.rules.facts import CONVERSATION, OF, ORIGINATOR, REFUND, REVERSAL
from plugins.gateways_mpesa.rules.values import CURRENCY, code, id_
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.payments.api import Back, Fault, GatewayFact, GatewayFailed, Line, Started

LEAST_PAYOUT: Final = 1_000
_NOBODY: Final = "This account has no initiator, so that M-PESA gives no money back. Give cash, or tell the owner"
_NO_RECEIPT: Final = "The payment's M-PESA receipt is not known yet. Try again later"
_NO_PHONE: Final = "M-PESA pays a part back to a phone, and the payer's number is not known. Give cash"


async def give(line: Line, back: Back) -> Started:
    """Reverse a payment as a whole, or pay a part of it out to who paid. Raises GatewayFailed."""
    return await (_reverse(line, back) if back.is_whole else _pay_out(line, back))


async def ask_about(line: Line, back: Back) -> Sequence[GatewayFact]:
    """Ask what became of it. The answer comes to the address of the refund; here is never any news."""
    config: MpesaConfig = line.config
    conversation = back.ids.get(ORIGINATOR) or (None if back.is_whole else back.id)
    if conversation is None or config.initiator is None:
        return ()
    body = {
        **_initiator(config),
        "CommandID": "TransactionStatusQuery",
        "OriginalConversationID": conversation,
        "PartyA": config.shortcode if back.is_whole else config.payout_shortcode or config.shortcode,
        "IdentifierType": "4",
        **_addresses(back.notify, "status", back.id),
        "Remarks": "Refund",
        "Occasion": "Refund",
    }
    if back.ids.get(REVERSAL):
        body["TransactionID"] = back.ids[REVERSAL]
    await call(line, "/mpesa/transactionstatus/v1/query", body)
    return ()


async def ask_for_balance(line: Line) -> str:
    """Ask for the balance, which proves the initiator; in words. The answer comes to the account's address."""
    config: MpesaConfig = line.config
    body = {
        **_initiator(config),
        "CommandID": "AccountBalance",
        "PartyA": config.shortcode,
        "IdentifierType": "4",
        **_addresses(line.notify, "balance"),
        "Remarks": "Balance",
    }
    _acknowledged(await call(line, "/mpesa/accountbalance/v1/query", body))
    return "Its balance was asked for: whether the initiator may, is told by a notice"


async def _reverse(line: Line, back: Back) -> Started:
    config: MpesaConfig = line.config
    if not back.payment.money_keys:
        raise GatewayFailed(Fault("validation", _NO_RECEIPT, again=True))
    body = {
        **_initiator(config),
        "CommandID": "TransactionReversal",
        "TransactionID": back.payment.money_keys[0],
        "Amount": whole(back.amount, back.payment.currency),
        "ReceiverParty": config.shortcode,
        "RecieverIdentifierType": "11",
        **_addresses(back.notify, "reversal", back.id),
        "Remarks": "Refund",
        "Occasion": "Refund",
    }
    said = await call(line, "/mpesa/reversal/v1/request", body, moves=True)
    return _started(_acknowledged(said, moves=True), back, "reversal")


async def _pay_out(line: Line, back: Back) -> Started:
    config: MpesaConfig = line.config
    if back.payment.phone is None:
        raise refused("not_supported", _NO_PHONE)
    sealed = _initiator(config)
    body = {
        "OriginatorConversationID": back.id,
        "InitiatorName": sealed["Initiator"],
        "SecurityCredential": sealed["SecurityCredential"],
        "CommandID": "BusinessPayment",
        "Amount": whole(back.amount, back.payment.currency, LEAST_PAYOUT),
        "PartyA": config.payout_shortcode or config.shortcode,
        "PartyB": back.payment.phone,
        "Remarks": "Refund",
        **_addresses(back.notify, "payout", back.id),
        "Occassion": "Refund",
    }
    try:
        said = _acknowledged(await call(line, "/mpesa/b2c/v3/paymentrequest", body, moves=True), moves=True)
    except GatewayFailed as failed:
        if failed.fault.kind != "duplicate":
            raise
        said = {}
    return _started({ORIGINATOR: back.id, **said}, back, "payout")


def _started(ids: Mapping[str, str], back: Back, of: str) -> Started:
    fact = GatewayFact(
        kind="refund_pending",
        key=f"{of}:{back.id}:accepted",
        amount=back.amount,
        currency=CURRENCY,
        refund_id=back.id,
        code="0",
    )
    return Started(ids, facts=(fact,))


def _acknowledged(said: Mapping[str, Any], *, moves: bool = False) -> dict[str, str]:
    """The conversation that Safaricom has begun. Raises GatewayFailed; unsure where it says neither."""
    number, ids = code(said.get("ResponseCode")), _conversation(said)
    if not number:
        raise GatewayFailed(
            Fault("provider_down", "M-PESA does not answer as it should", again=not moves), is_unsure=moves
        )
    if number != "0":
        known = codes.meaning(number, codes.BACK)
        raise refused(known.fault or "unknown", known.said, number, said.get("ResponseDescription"))
    return ids


def _conversation(said: Mapping[str, Any]) -> dict[str, str]:
    """Its ids; one of the keys is misspelt in some of Safaricom's answers."""
    named = {
        CONVERSATION: id_(said.get("ConversationID")),
        ORIGINATOR: id_(said.get("OriginatorConversationID")) or id_(said.get("OriginatorCoversationID")),
    }
    return {name: value for name, value in named.items() if value}


def _initiator(config: MpesaConfig) -> dict[str, str]:
    if config.initiator is None or config.initiator_password is None or config.certificate is None:
        raise refused("configuration", _NOBODY)
    try:
        sealed = security_credential(config.initiator_password, config.certificate)
    except ValueError as fault:
        raise refused("configuration", str(fault)) from fault
    return {"Initiator": config.initiator, "SecurityCredential": sealed}


def _addresses(notify: str, of: str, refund: str | None = None) -> dict[str, str]:
    """Where the result is told, and where that it waits too long, which is no end of it."""
    marks = {OF: of} | ({REFUND: refund.replace("-", "")} if refund else {})
    return {
        "ResultURL": f"{notify}?{urllib.parse.urlencode(marks)}",
        "QueueTimeOutURL": f"{notify}?{urllib.parse.urlencode({**marks, 'late': '1'})}",
    }
