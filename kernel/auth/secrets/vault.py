"""Sealing and keyed hashes under a deployment's secret keys."""

from __future__ import annotations

from kernel import sealing
from kernel.sealing import SealBroken
from kernel.work import Deployment

__all__ = ["SealBroken", "keyed_hashes", "seal", "unseal"]


def seal(deployment: Deployment, purpose: str, owner: str, text: str) -> bytes:
    """Encrypt a text for one purpose and one owner (a row's key), so that it cannot be moved to another row."""
    return sealing.seal(deployment.secrets, purpose, owner, text)


def unseal(deployment: Deployment, purpose: str, owner: str, sealed: bytes) -> str:
    """The text again. Raises SealBroken."""
    return sealing.unseal(deployment.secrets, purpose, owner, sealed)


def keyed_hashes(deployment: Deployment, purpose: str, text: str) -> list[bytes]:
    """HMAC-SHA256 of a text under the present key, then under each former one."""
    return sealing.keyed_hashes(deployment.secrets, purpose, text)
