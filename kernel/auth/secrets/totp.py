"""Codes by time: TOTP (RFC 6238) over HOTP (RFC 4226) with SHA-1, as every authenticator app reckons them. Pure."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
DRIFT = 1
"""How many steps a clock may be early or late (RFC 6238 §5.2 asks for no more than one)."""


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a time step (RFC 4226 §5.3)."""
    mac = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(now: dt.datetime) -> int:
    """The time step of an instant."""
    return int(now.timestamp()) // STEP_S


def matching_step(secret: bytes, code: str, now: dt.datetime) -> int | None:
    """The step near now that a code is of, or None; takes as long whichever it is."""
    found = None
    for step in range(step_of(now) - DRIFT, step_of(now) + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            found = step
    return found


def as_text(secret: bytes) -> str:
    """A secret as people type it: base 32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """The secret that a text stands for."""
    return base64.b32decode(text + "=" * (-len(text) % 8))


def uri(secret: bytes, account: str, issuer: str = "Duka") -> str:
    """The `otpauth:` address that an app reads from a QR code (Google Authenticator's Key Uri Format)."""
    label = f"{quote(issuer)}:{quote(account, safe='@')}"
    about = f"issuer={quote(issuer)}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
    return f"otpauth://totp/{label}?secret={as_text(secret)}&{about}"
