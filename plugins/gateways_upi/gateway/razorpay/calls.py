"""Calls to Razorpay over an account's line: signed in by each call, errors by their reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plugins.gateways_upi.rules.razorpay import refusals
from plugins.gateways_upi.rules.razorpay.signing import basic
from plugins.gateways_upi.rules.razorpay.values import inside, text
from plugins.gateways_upi.schemas.razorpay import RazorpayConfig
from plugins.payments.api import Fault, FaultKind, GatewayFailed, Heard, Line, Mode

ADDRESS: Final = "https://api.razorpay.com"
_MIXED: Final = "A key for tests stands in a live account, or the other way round. Tell the owner"


def address(config: RazorpayConfig, mode: Mode) -> str:
    """Where Razorpay is: a simulator's address counts in test mode only."""
    return config.test_address if mode == "test" and config.test_address else ADDRESS


async def call(
    line: Line,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    moves: bool = False,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make one call below /v1; what it answered. moves: a lost answer leaves it unsure. Raises GatewayFailed."""
    config: RazorpayConfig = line.config
    if config.is_live != (line.mode == "live"):
        raise refused("configuration", _MIXED, "mode")
    said = {"Authorization": basic(config.key_id, config.key_secret), **(headers or {})}
    url = f"{address(config, line.mode)}/v1{path}"
    sent = None if body is None else dict(body)
    try:
        heard = await line.send(method, url, json=sent, headers=said)
    except GatewayFailed as failed:
        raise GatewayFailed(failed.fault, is_unsure=failed.is_unsure and moves, after_s=failed.after_s) from failed
    return _said(heard, moves=moves)


def refused(kind: FaultKind, said: str, code: str = "") -> GatewayFailed:
    """A refusal of our own: nothing was sent."""
    return GatewayFailed(Fault(kind, said, code))


def why(failed: GatewayFailed) -> refusals.Refusal:
    """What an answer without success came to, by what was kept of it."""
    status, _, reason = failed.fault.code.partition(" ")
    return refusals.refusal(int(status) if status.isdigit() else 0, reason, failed.fault.raw)


def _said(heard: Heard, *, moves: bool) -> dict[str, Any]:
    said = heard.json()
    if heard.status == 200 and isinstance(said, dict) and "error" not in said:
        return said
    reason = text(inside(said, "error", "reason"), 60)
    words = text(inside(said, "error", "description"))
    status = 400 if heard.status == 200 and inside(said, "error") else heard.status
    found = refusals.refusal(status, reason, words)
    fault = Fault(found.fault, found.said, f"{status} {reason}".strip(), words, found.again)
    raise GatewayFailed(fault, is_unsure=moves and found.is_unsure, after_s=_patience(heard))


def _patience(heard: Heard) -> float | None:
    """How long the answer itself asks to wait: Retry-After in seconds, an hour at most."""
    said = heard.headers.get("retry-after", "").strip()
    return float(min(int(said), 3600)) if said.isascii() and said.isdigit() and len(said) < 8 else None
