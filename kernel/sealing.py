"""Sealing what must be read again, and keyed hashes: neither is worth anything without the deployment's secret key.

The keys are derived from it, one a purpose (HKDF, RFC 5869). `secrets` is the present secret key, then the former ones:
after a change they still open what was sealed under them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kernel.errors import Conflict

__all__ = ["SealBroken", "keyed_hashes", "reseal", "seal", "unseal"]


class SealBroken(Conflict):
    """What is stored was sealed under a key that is not set, for another owner, or was tampered with."""

    code, title = "sealed-under-another-key", "This was kept under a secret key that is not set"


def seal(secrets: Sequence[str], purpose: str, owner: str, text: str) -> bytes:
    """Encrypt a text for one purpose and one owner (a row's key), so that it cannot be moved to another row."""
    return _fernets(tuple(secrets), purpose).encrypt(f"{owner}\n{text}".encode())


def unseal(secrets: Sequence[str], purpose: str, owner: str, sealed: bytes) -> str:
    """The text again. Raises SealBroken."""
    try:
        whose, _, text = _fernets(tuple(secrets), purpose).decrypt(bytes(sealed)).decode().partition("\n")
    except InvalidToken as fault:
        raise SealBroken(f"The {purpose} cannot be read; an operator can help") from fault
    if whose != owner:
        raise SealBroken(f"The {purpose} cannot be read; an operator can help")
    return text


def reseal(secrets: Sequence[str], purpose: str, sealed: bytes) -> bytes | None:
    """The same sealed under the present key; None where it is already. Raises SealBroken where no key opens it."""
    keys = tuple(secrets)
    try:
        _fernets(keys[:1], purpose).decrypt(bytes(sealed))
    except InvalidToken:
        try:
            return _fernets(keys, purpose).rotate(bytes(sealed))
        except InvalidToken as fault:
            raise SealBroken(f"A {purpose} was sealed under a key that is not set") from fault
    return None


def keyed_hashes(secrets: Sequence[str], purpose: str, text: str) -> list[bytes]:
    """HMAC-SHA256 of a text under the present key, then under each former one."""
    return [hmac.new(_derived(secret, purpose), text.encode(), hashlib.sha256).digest() for secret in secrets]


@lru_cache(maxsize=64)
def _fernets(secrets: tuple[str, ...], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(secret, purpose))) for secret in secrets])


@lru_cache(maxsize=64)
def _derived(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"duka {purpose}".encode()).derive(secret.encode())
