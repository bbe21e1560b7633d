"""What Safaricom's bodies say, as facts. Total: whatever a body holds, nothing is raised; junk says nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import structs

from plugins.gateways_mpesa.rules import codes
from plugins.gateways_mpesa.rules.lines import pulled_rows
from plugins.gateways_mpesa.rules.values import (
    CURRENCY,
    code,
    id_,
    inside,
    masked,
    minor,
    moment,
    pairs,
    receipt,
    text,
    without_phones,
)
from plugins.payments.api import GatewayFact

Shape = Literal["prompt", "result", "c2b", "pull", "other"]
CHECKOUT: Final = "checkout"
CONVERSATION: Final = "conversation"
ORIGINATOR: Final = "originator"
REVERSAL: Final = "reversal"

OF: Final = "of"
"""In the query of an address that we give: which of our calls an answer belongs to."""
REFUND: Final = "refund"
"""In the query of an address that we give: the refund that it is about."""


def shape(body: Any) -> Shape:
    """Which of Safaricom's bodies it is."""
    if isinstance(inside(body, "Body", "stkCallback"), dict):
        return "prompt"
    if isinstance(inside(body, "Result"), dict):
        return "result"
    if isinstance(body, dict) and "TransID" in body and "TransAmount" in body:
        return "c2b"
    return "other"


def prompt_facts(body: Any) -> Sequence[GatewayFact]:
    """What a prompt's callback says. It names neither shortcode nor reference, and money only where there is some."""
    said = inside(body, "Body", "stkCallback")
    checkout, number = id_(inside(said, "CheckoutRequestID")), code(inside(said, "ResultCode"))
    if checkout is None or not number:
        return ()
    fact = prompt_fact(checkout, number, inside(said, "ResultDesc"))
    if fact.kind != "captured":
        return (fact,)
    items = pairs(inside(said, "CallbackMetadata", "Item"), "Name")
    amount, money = minor(items.get("Amount")), receipt(items.get("MpesaReceiptNumber"))
    if (amount is None and items.get("Amount") is not None) or money is None:
        return (_unclear(fact),)
    return (
        structs.replace(
            fact,
            money_key=money,
            amount=amount,
            payer=masked(items.get("PhoneNumber")),
            at=moment(items.get("TransactionDate")),
        ),
    )


def prompt_fact(checkout: str, number: str, words: Any) -> GatewayFact:
    """What a code says of a prompt; of money neither receipt nor amount."""
    known = codes.meaning(number)
    return GatewayFact(
        kind=known.kind,
        key=f"stk:{checkout}:{number}",
        currency=CURRENCY if known.kind == "captured" else None,
        ids={CHECKOUT: checkout},
        fault=known.fault,
        code=number,
        words=_raw(words),
        said=known.said,
        tells=known.tells,
    )


def c2b_facts(body: Any, *, is_validation: bool = False) -> Sequence[GatewayFact]:
    """A payment to the PayBill or till. A validation is a question about one that is not made yet: no fact."""
    money, amount = receipt(inside(body, "TransID")), minor(inside(body, "TransAmount"))
    if is_validation or money is None or amount is None:
        return ()
    return (
        _unasked(
            money,
            amount,
            inside(body, "BillRefNumber"),
            inside(body, "MSISDN"),
            inside(body, "TransTime"),
            inside(body, "TransactionType"),
        ),
    )


def pulled_facts(body: Any) -> Sequence[GatewayFact]:
    """What Pull Transactions lists: a list of lists of payments, or one list."""
    found: list[GatewayFact] = []
    for one in pulled_rows(body):
        money, amount = receipt(inside(one, "transactionId")), minor(inside(one, "amount"))
        if money is not None and amount is not None:
            found.append(
                _unasked(
                    money,
                    amount,
                    inside(one, "billreference"),
                    inside(one, "msisdn"),
                    inside(one, "trxDate"),
                    inside(one, "transactiontype"),
                )
            )
    return found


def result_facts(body: Any, query: Mapping[str, str]) -> Sequence[GatewayFact]:
    """What a Result says of a refund. query: of the address it came to, which says what was asked.

    Of a balance, and of what nobody asked in our name, it says nothing.
    """
    said, refund = inside(body, "Result"), _refund(query)
    number, conversation = code(inside(said, "ResultCode")), id_(inside(said, "ConversationID"))
    of = query.get(OF)
    if not number or conversation is None or refund is None or of not in ("reversal", "payout", "status"):
        return ()
    values = pairs(inside(said, "ResultParameters", "ResultParameter"), "Key")
    if of == "status":
        return _status(number, values, conversation, refund, inside(said, "ResultDesc"))
    known = codes.meaning(number, codes.BACK)
    done = known.kind == "refund_done"
    ids = {REVERSAL: receipt(inside(said, "TransactionID")) or ""} if done else {}
    return (
        GatewayFact(
            kind=known.kind if known.kind.startswith("refund_") else "refund_pending",
            key=f"{of}:{conversation}:{number}",
            amount=minor(values.get("Amount", values.get("TransactionAmount"))),
            currency=CURRENCY,
            ids={name: value for name, value in ids.items() if value},
            refund_id=refund,
            at=moment(values.get("TransCompletedTime", values.get("TransactionCompletedDateTime"))),
            fault=known.fault,
            code=number,
            words=_raw(inside(said, "ResultDesc")),
            said=known.said,
        ),
    )


def _status(
    number: str, values: Mapping[str, Any], conversation: str, refund: str, words: Any
) -> Sequence[GatewayFact]:
    """What a question about a transaction that gave money back came to; nothing where it was not answered."""
    state = (text(values.get("TransactionStatus")) or "").lower()
    kind = codes.STATES.get(state)
    if number != "0" or kind is None:
        return ()
    money = receipt(values.get("ReceiptNo"))
    return (
        GatewayFact(
            kind=kind,
            key=f"status:{conversation}:{state}",
            amount=minor(values.get("Amount")),
            currency=CURRENCY,
            ids={REVERSAL: money} if money else {},
            refund_id=refund,
            at=moment(values.get("FinalisedTime")),
            fault="unknown" if kind == "refund_failed" else None,
            code=state,
            words=_raw(words),
            said="M-PESA did not give the money back" if kind == "refund_failed" else "",
        ),
    )


def _unasked(money: str, amount: int, reference: Any, payer: Any, at: Any, words: Any) -> GatewayFact:
    return GatewayFact(
        kind="captured",
        key=f"c2b:{money}",
        money_key=money,
        amount=amount,
        currency=CURRENCY,
        reference=without_phones(text(reference) or "")[:40] or None,
        payer=masked(payer),
        at=moment(at),
        code="0",
        words=_raw(words),
    )


def _unclear(fact: GatewayFact) -> GatewayFact:
    """Success that does not say which money: a reason to ask, not a capture."""
    return structs.replace(fact, kind="unknown", currency=None, fault=codes.UNKNOWN.fault, said=codes.UNKNOWN.said)


def _refund(query: Mapping[str, str]) -> str | None:
    try:
        return str(uuid.UUID(hex=query.get(REFUND, "")))
    except ValueError:
        return None


def _raw(words: Any) -> str:
    return without_phones(text(words) or "")[:500]
