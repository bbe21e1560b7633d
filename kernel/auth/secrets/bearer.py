"""What may stand after `Bearer`: a person's access token, a business's API key, a till's device token.

A key is `dk_<public>_<secret>`, a device token `dt_<public>_<secret>`: the public part names business and row, the
secret is 32 random bytes of which only the SHA-256 is stored; both in base 32, so that a scanner for leaked secrets
finds them by one pattern and a double click selects them whole.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
import secrets
import uuid
from typing import Literal

import msgspec

from kernel.auth.secrets.tokens import Claims, read_access_token
from kernel.errors import Unauthenticated

Prefix = Literal["dk", "dt"]
_LASTING = re.compile(r"(dk|dt)_([a-z2-7]{52})_([a-z2-7]{52})\Z")


class KeyClaims(msgspec.Struct, frozen=True):
    """What an API key says. at: when it was presented."""

    business_id: uuid.UUID
    key_id: uuid.UUID
    hash: bytes
    at: dt.datetime


class TillClaims(msgspec.Struct, frozen=True):
    """What a till's device token says."""

    business_id: uuid.UUID
    till_id: uuid.UUID
    hash: bytes


Bearer = Claims | KeyClaims | TillClaims


def make_lasting(prefix: Prefix, business_id: uuid.UUID, id_: uuid.UUID) -> tuple[str, bytes]:
    """A new key or device token for a row, and the hash that is stored of it."""
    secret = _base32(secrets.token_bytes(32))
    return f"{prefix}_{_base32(business_id.bytes + id_.bytes)}_{secret}", _hash(secret)


def read_bearer(token: str, secret: str, now: dt.datetime) -> Bearer:
    """The claims of what somebody presents; whether keys and tills are alive is asked of the database.

    Raises Unauthenticated.
    """
    if not token.startswith(("dk_", "dt_")):
        return read_access_token(token, secret, now)
    found = _LASTING.match(token)
    if found is None:
        raise Unauthenticated("The key is not valid")
    business_id, id_ = _public(found[2])
    if found[1] == "dk":
        return KeyClaims(business_id, id_, _hash(found[3]), now)
    return TillClaims(business_id, id_, _hash(found[3]))


def _public(text: str) -> tuple[uuid.UUID, uuid.UUID]:
    try:
        raw = base64.b32decode(text.upper() + "====")
    except binascii.Error as fault:
        raise Unauthenticated("The key is not valid") from fault
    if _base32(raw) != text:  # of several spellings of the same bytes only ours counts
        raise Unauthenticated("The key is not valid")
    return uuid.UUID(bytes=raw[:16]), uuid.UUID(bytes=raw[16:])


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower().rstrip("=")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
