"""Telling Safaricom where payments to the PayBill or till are told, and what such a notice is worth."""

from __future__ import annotations

import ipaddress
from typing import Final

from plugins.gateways_mpesa.gateway.calls import call, refused
from plugins.gateways_mpesa.rules.facts import OF, shape
from plugins.gateways_mpesa.rules.values import inside, text
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.payments.api import GatewayFailed, Line, Notice, Verdict

CONFIRMATION: Final = "paid"
VALIDATION: Final = "asked"
FORBIDDEN: Final = ("mpesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
"""Words that Safaricom refuses in addresses."""


async def register(line: Line) -> str:
    """Register where payments are told. In production Safaricom takes it once. Raises GatewayFailed."""
    config: MpesaConfig = line.config
    if words := [word for word in FORBIDDEN if word in line.notify.lower()]:
        raise refused(
            "configuration", f"Safaricom refuses addresses with {words[0]} in them: {line.notify.split('?')[0]}"
        )
    body = {
        "ShortCode": config.till or config.shortcode,
        "ResponseType": config.when_unanswered,
        "ConfirmationURL": _marked(config, line.notify, CONFIRMATION),
        "ValidationURL": _marked(config, line.notify, VALIDATION),
    }
    try:
        await call(line, "/mpesa/c2b/v2/registerurl", body)
    except GatewayFailed as failed:
        if failed.fault.kind != "duplicate":
            raise
        return (
            f"Safaricom knows addresses for {body['ShortCode']} already. If they are not these, have them deleted on"
            " its pages and try again"
        )
    return f"Payments to {body['ShortCode']} are told to this account"


def is_validation(notice: Notice) -> bool:
    """Whether a payment is asked about before it is made. Without a mark: its balance is empty then."""
    mark = notice.query.get(OF)
    if mark in (CONFIRMATION, VALIDATION):
        return mark == VALIDATION
    return text(inside(notice.json(), "OrgAccountBalance")) is None


def worth(config: MpesaConfig, notice: Notice) -> Verdict:
    """What a notice is worth. Safaricom signs none.

    What a question can confirm is a hint. What none can (a payment nobody asked for, the result of a refund) is
    believed at its secret path if it comes from where Safaricom sends; so its documentation means it to be.
    """
    body = notice.json()
    kind = shape(body)
    if kind == "c2b":
        if text(inside(body, "BusinessShortCode")) not in config.shortcodes:
            return Verdict("refused", "it is about another shortcode")
        if is_validation(notice):
            return Verdict("hint", "it asks about a payment that is not made yet")
    if kind not in ("c2b", "result") or "late" in notice.query:
        return Verdict("hint", "it is not signed")
    if not config.trust_sources:
        return Verdict("hint", "it is not signed, and no address is trusted")
    if not _listed(config, notice.address):
        return Verdict("hint", "it does not come from an address of Safaricom's")
    return Verdict("trusted", "it comes from an address of Safaricom's")


def is_idle_answer(config: MpesaConfig, notice: Notice) -> bool:
    """Whether it answers a question about a refund and cannot be believed."""
    return notice.query.get(OF) == "status" and worth(config, notice).trust != "trusted"


def _listed(config: MpesaConfig, address: str | None) -> bool:
    try:
        come = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(come, "ipv4_mapped", None)
    networks = [ipaddress.ip_network(one, strict=False) for one in config.sources]
    return any((mapped or come) in one for one in networks)


def _marked(config: MpesaConfig, notify: str, mark: str) -> str:
    return f"{notify}?{OF}={mark}" if config.marks_addresses else notify
