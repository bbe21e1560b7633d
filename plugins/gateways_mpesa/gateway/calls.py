"""Calls to Daraja over an account's line: one shared token, errors by their code, and nothing told twice by chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plugins.gateways_mpesa.rules import codes
from plugins.gateways_mpesa.rules.credentials import basic
from plugins.gateways_mpesa.rules.values import code, text, without_phones
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.payments.api import Fault, GatewayFailed, Heard, Line, Mode, Token

HOSTS: Final[Mapping[Mode, str]] = {"live": "api.safaricom.co.ke", "test": "sandbox.safaricom.co.ke"}
TOKEN_PATH: Final = "/oauth/v1/generate?grant_type=client_credentials"  # noqa: S105 - a path
_HOLDS_S: Final = 3599.0


def address(config: MpesaConfig, mode: Mode) -> str:
    """Where Daraja is: a simulator's address counts in test mode only."""
    if mode == "test" and config.test_address:
        return config.test_address
    return f"https://{HOSTS[mode]}"


async def call(line: Line, path: str, body: Mapping[str, Any], *, method: str = "POST", moves: bool = False) -> Any:
    """Make one call; what it answered, as plain values.

    moves: whether it moves money, so that a lost answer leaves it unsure. A refused token is fetched anew once and the
    call made once more: nothing else was looked at. Raises GatewayFailed.
    """
    token = await line.token(lambda: _fetch(line))
    try:
        return await _once(line, token, method, path, body, moves=moves)
    except GatewayFailed as failed:
        if not why(failed).is_token:
            raise
    await line.forget_token(token)
    token = await line.token(lambda: _fetch(line))
    return await _once(line, token, method, path, body, moves=moves)


async def sign_in(line: Line) -> None:
    """Prove the consumer key: the token that is there is dropped and another fetched. Raises GatewayFailed."""
    await line.forget_token(await line.token(lambda: _fetch(line)))
    await line.token(lambda: _fetch(line))


def why(failed: GatewayFailed) -> codes.Refusal:
    """What an answer without success came to, by the code and the words that were kept of it."""
    return codes.refusal(0, failed.fault.code, failed.fault.raw)


def refused(kind: Any, said: str, number: str = "", raw: Any = "") -> GatewayFailed:
    """A refusal of our own, or of an answer whose code says no: nothing was done."""
    return GatewayFailed(Fault(kind, said, number, without_phones(text(raw) or "")[:500]))


async def _once(line: Line, token: str, method: str, path: str, body: Mapping[str, Any], *, moves: bool) -> Any:
    url, headers = address(line.config, line.mode) + path, {"Authorization": f"Bearer {token}"}
    sent = None if method == "GET" else dict(body)
    return _said(await line.send(method, url, json=sent, headers=headers), moves=moves)


def _said(heard: Heard, *, moves: bool) -> Any:
    said = heard.json()
    number = code(said.get("errorCode")) if isinstance(said, dict) else ""
    if heard.status == 200 and isinstance(said, dict) and not number:
        return said
    raw = without_phones(text(said.get("errorMessage")) or "")[:500] if isinstance(said, dict) else ""
    if heard.status == 200 and not isinstance(said, dict):
        raise _failed(codes.GARBLED, "200", raw, moves=moves)
    found = codes.refusal(heard.status, number, raw)
    raise _failed(found, number or str(heard.status), raw, moves=moves, after_s=_patience(heard))


def _failed(
    found: codes.Refusal, number: str, raw: str, *, moves: bool = False, after_s: float | None = None
) -> GatewayFailed:
    fault = Fault(found.fault, found.said, number, raw, found.again)
    return GatewayFailed(fault, is_unsure=moves and found.is_unsure, after_s=after_s or found.after_s)


def _patience(heard: Heard) -> float | None:
    """How long the answer itself asks to wait: Retry-After in seconds, an hour at most."""
    said = heard.headers.get("retry-after", "").strip()
    return float(min(int(said), 3600)) if said.isascii() and said.isdigit() and len(said) < 8 else None


async def _fetch(line: Line) -> Token:
    """A token. What fails here has moved no money: it is never unsure."""
    config: MpesaConfig = line.config
    headers = {"Authorization": basic(config.consumer_key, config.consumer_secret)}
    try:
        heard = await line.send("GET", address(config, line.mode) + TOKEN_PATH, headers=headers)
    except GatewayFailed as failed:
        raise GatewayFailed(failed.fault, after_s=failed.after_s) from failed
    if heard.status in (400, 401, 403):
        known = codes.refusal(401, "", "")
        raise _failed(known, str(heard.status), "")
    said = _said(heard, moves=False)
    token = text(said.get("access_token"))
    if token is None:
        raise _failed(codes.GARBLED, "200", "")
    try:
        lasts_s = float(said.get("expires_in", _HOLDS_S))
    except (TypeError, ValueError):
        lasts_s = _HOLDS_S
    return Token(token, lasts_s if 0 < lasts_s <= 86_400 else _HOLDS_S)
