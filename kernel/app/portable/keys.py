"""The secret key and a backup: a fingerprint tells under which key a backup was taken; the key itself goes in only
encrypted under a passphrase.

scrypt (RFC 7914) makes the passphrase slow to guess, Fernet (AES-128-CBC with HMAC-SHA-256) encrypts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Literal

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from kernel.errors import Conflict

SHORTEST_PASSPHRASE = 12
_N, _R, _P, _MEMORY = 65536, 8, 1, 128 * 1024 * 1024
Scheme = Literal["scrypt-65536-8-1+fernet"]
"""How a key is wrapped. The costs are fixed by its name: no file says how much memory is to be taken."""


class WrongPassphrase(Conflict):
    """The passphrase does not open what is in the backup."""

    code, title = "wrong-passphrase", "This is not the passphrase of the backup"


class Wrapped(msgspec.Struct, frozen=True, kw_only=True):
    """A secret key, encrypted."""

    scheme: Scheme
    salt: str
    token: str


class KeySaid(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says of the secret key: its fingerprint, those of former keys, and perhaps the key, wrapped."""

    fingerprint: str
    former: list[str] = []
    wrapped: Wrapped | None = None


def fingerprint(secret: str) -> str:
    """Sixteen hexadecimal digits by which a key is told from another; it gives nothing of the key away."""
    return hmac.digest(secret.encode(), b"duka backup: which secret key", "sha256").hex()[:16]


def key_said(secret: str, former: Sequence[str], passphrase: str | None) -> KeySaid:
    """What a manifest is to say. passphrase: wrap the key under it; None leaves it out."""
    wrapped = None if passphrase is None else wrap(secret, passphrase)
    return KeySaid(fingerprint=fingerprint(secret), former=[fingerprint(one) for one in former], wrapped=wrapped)


def wrap(secret: str, passphrase: str) -> Wrapped:
    """Encrypt a key."""
    salt = secrets.token_bytes(16)
    token = _fernet(passphrase, salt).encrypt(secret.encode()).decode()
    return Wrapped(scheme="scrypt-65536-8-1+fernet", salt=salt.hex(), token=token)


def unwrap(said: KeySaid, passphrase: str) -> str:
    """The key again. Raises WrongPassphrase."""
    if said.wrapped is None:
        raise WrongPassphrase("The backup holds no secret key")
    try:
        found = _fernet(passphrase, bytes.fromhex(said.wrapped.salt)).decrypt(said.wrapped.token.encode()).decode()
    except (InvalidToken, ValueError) as fault:
        raise WrongPassphrase("The passphrase is wrong, or the key in the backup was altered") from fault
    if fingerprint(found) != said.fingerprint:
        raise WrongPassphrase("The key in the backup is not the one under which it was taken")
    return found


def _fernet(passphrase: str, salt: bytes) -> Fernet:
    key = hashlib.scrypt(passphrase.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=_MEMORY, dklen=32)
    return Fernet(base64.urlsafe_b64encode(key))
