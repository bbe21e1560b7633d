"""A sign-in between its password and its code: what was said comes back sealed, and is good for some minutes."""

from __future__ import annotations

import json
from typing import Final

from kernel.sealing import SealBroken, seal, unseal
from kernel.work import Deployment

GOOD_FOR_S: Final = 300
_PURPOSE: Final = "half of a sign-in"


def half(deployment: Deployment, username: str, password: str) -> str:
    """Name and password for a field of the next page, which nobody but this deployment reads."""
    said = {"username": username, "password": password, "at": deployment.clock().timestamp()}
    return seal(deployment.secrets, _PURPOSE, "", json.dumps(said)).decode()


def whole(deployment: Deployment, half: str) -> dict[str, str] | None:
    """The name and the password again; None for what is too old, or none of ours."""
    try:
        said = json.loads(unseal(deployment.secrets, _PURPOSE, "", half.encode()))
    except SealBroken:
        return None
    if deployment.clock().timestamp() - said["at"] > GOOD_FOR_S:
        return None
    return {name: said[name] for name in ("username", "password")}
