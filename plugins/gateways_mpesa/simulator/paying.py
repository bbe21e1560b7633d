"""Payments to a PayBill or till that nobody asked for, the addresses they are told to, and their list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from plugins.gateways_mpesa.simulator import checks
from plugins.gateways_mpesa.simulator.checks import Shop, Wrong
from plugins.gateways_mpesa.simulator.ledger import Entry
from plugins.gateways_mpesa.simulator.state import NAIROBI, State

LISTED: Final = dt.timedelta(hours=48)
PAGE: Final = 50
DOT: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
"""A picture of one point. A real one would hold the shop, the reference and the amount."""


def register(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Register where payments are told; once. Raises Wrong."""
    body = checks.check(said, checks.REGISTER)
    number = state.number_of(shop, body["ShortCode"])
    if number in state.addresses and not state.lenient:
        raise Wrong(500, "500.003.1001", "Urls are already registered")
    state.addresses[number] = {name: str(body[name]) for name in ("ConfirmationURL", "ValidationURL", "ResponseType")}
    return {
        "OriginatorCoversationID": f"sim-{state.count()}",
        "ResponseCode": "0",
        "ResponseDescription": "Success",
    }


async def simulate(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Have a payer pay, as Safaricom's test system does. Raises Wrong."""
    body = checks.check(said, checks.SIMULATE)
    number = state.number_of(shop, body["ShortCode"])
    await pay(state, shop, number, str(body["Msisdn"]), int(body["Amount"]), str(body["BillRefNumber"]))
    return {
        "OriginatorCoversationID": f"sim-{state.count()}",
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }


async def pay(state: State, shop: Shop, number: str, payer: str, amount: int, reference: str) -> Entry | None:
    """Pay unasked: validated where the shop has it so, entered, told. Returns nothing where it was refused."""
    known = state.addresses.get(number, {})
    if shop.validates and known:
        draft = Entry(
            receipt=state.ledger.receipt(),
            kind="c2b",
            shortcode=number,
            payer=payer,
            amount=amount,
            reference=reference,
            at=state.now(),
        )
        answered = await state.tell(known["ValidationURL"], _told(state, draft, balance=""))
        said = answered.get("ResultCode") if isinstance(answered, dict) else None
        if str(said) != "0" and (said is not None or known["ResponseType"] == "Cancelled"):
            return None
    entry = state.ledger.enter("c2b", number, payer, amount, reference, state.now())
    await confirm(state, entry)
    return entry


async def confirm(state: State, entry: Entry) -> None:
    """Tell of a payment, where an address is registered."""
    if known := state.addresses.get(entry.shortcode):
        balance = f"{state.ledger.balance(entry.shortcode)}.00"
        await state.tell(known["ConfirmationURL"], _told(state, entry, balance=balance))


def picture(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """A picture to scan. Raises Wrong."""
    body = checks.check(said, checks.PICTURE)
    state.number_of(shop, body["CPI"])
    return {
        "ResponseCode": "00",
        "RequestID": f"sim-qr-{state.count()}",
        "ResponseDescription": "QR Code Successfully Generated.",
        "QRCode": DOT,
    }


def sign_up(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """Have payments listed from now on. Raises Wrong."""
    body = checks.check(said, checks.PULL_REGISTER)
    state.pulled.add(state.number_of(shop, body["ShortCode"]))
    return {"ResponseRefID": f"sim-{state.count()}", "ResponseStatus": "1000", "ResponseDescription": "Success"}


def pull(state: State, shop: Shop, said: Any) -> dict[str, Any]:
    """The payments of the last two days, in pages. Raises Wrong."""
    body = checks.check(said, checks.PULL)
    number = state.number_of(shop, body["ShortCode"])
    if number not in state.pulled and not state.lenient:
        raise Wrong(400, "400.002.02", "Bad Request - Invalid ShortCode")
    since, until = _at(body["StartDate"]), _at(body["EndDate"])
    oldest = state.now() - LISTED
    found = [
        one
        for one in state.ledger.entries
        if one.is_in and one.shortcode == number and max(since, oldest) <= one.at.replace(microsecond=0) <= until
    ][int(body["OffSetValue"]) :][:PAGE]
    return {
        "ResponseRefID": f"sim-{state.count()}",
        "ResponseCode": "1000" if found else "1001",
        "ResponseMessage": "Success" if found else "No transactions",
        **({"Response": [[_listed(one) for one in found]]} if found else {}),
    }


def _told(state: State, entry: Entry, *, balance: str) -> Mapping[str, Any]:
    is_till = any(shop.till == entry.shortcode for shop in state.shops.values())
    return {
        "TransactionType": "Buy Goods" if is_till else "Pay Bill",
        "TransID": entry.receipt,
        "TransTime": state.stamp(entry.at),
        "TransAmount": f"{entry.amount}.00",
        "BusinessShortCode": entry.shortcode,
        "BillRefNumber": entry.reference,
        "InvoiceNumber": "",
        "OrgAccountBalance": balance,
        "ThirdPartyTransID": "",
        "MSISDN": masked(entry.payer),
        "FirstName": "Simulated",
        "MiddleName": "",
        "LastName": "Payer",
    }


def masked(payer: str) -> str:
    """A payer's number as Safaricom shows it in payments nobody asked for."""
    return f"{payer[:4]} ***** {payer[-3:]}"


def _listed(entry: Entry) -> Mapping[str, Any]:
    return {
        "transactionId": entry.receipt,
        "trxDate": entry.at.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S"),
        "msisdn": masked(entry.payer),
        "sender": "SIMULATED PAYER",
        "transactiontype": "c2b-pay-bill-debit",
        "billreference": entry.reference,
        "amount": f"{entry.amount}.0",
        "organizationname": "Simulated",
    }


def _at(written: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=NAIROBI)
    except ValueError as fault:
        raise Wrong(400, "400.002.02", "Bad Request - Invalid Date") from fault
