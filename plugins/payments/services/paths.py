"""Where a provider leaves word: a path that names the business and what it is about, and that nobody can guess.

Only figures and the letters a to f stand in it, since providers refuse paths with certain words in them.
"""

from __future__ import annotations

import hmac
import re
import uuid
from typing import Literal, NamedTuple

from kernel.sealing import keyed_hashes
from kernel.work import Deployment

Thing = Literal["account", "payment"]
PREFIX = "/api/v1/payments/notices/"
_THINGS: dict[str, Thing] = {"1": "account", "2": "payment"}
_TOKEN = re.compile(r"([12])([0-9a-f]{32})([0-9a-f]{32})([0-9a-f]{4})([0-9a-f]{32})\Z", re.ASCII)


class Place(NamedTuple):
    """What a path is about. generation: of an account, to be compared with what it has now; 0 for payments."""

    thing: Thing
    business_id: uuid.UUID
    id: uuid.UUID
    generation: int


def notify_url(
    deployment: Deployment, business_id: uuid.UUID, thing: Thing, id_: uuid.UUID, generation: int = 0
) -> str:
    """The address for notices about a payment, or about all that happens in an account."""
    digit = next(digit for digit, one in _THINGS.items() if one == thing)
    said = f"{digit}{business_id.hex}{id_.hex}{generation % 0x10000:04x}"
    [mac, *_] = keyed_hashes(deployment.secrets, "gateway notices", said)
    return f"{deployment.settings.public_address}{PREFIX}{said}{mac[:16].hex()}"


def read_path(deployment: Deployment, token: str) -> Place | None:
    """What a path is about; None for one that we never made.."""
    found = _TOKEN.match(token)
    if found is None:
        return None
    digit, business, id_, generation, mac = found.groups()
    said = token[:-32]
    hashes = keyed_hashes(deployment.secrets, "gateway notices", said)
    if not any(hmac.compare_digest(one[:16], bytes.fromhex(mac)) for one in hashes):
        return None
    return Place(_THINGS[digit], uuid.UUID(hex=business), uuid.UUID(hex=id_), int(generation, 16))
