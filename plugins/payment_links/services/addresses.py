"""The address of a page: it names the business and what is to be paid, and nobody else can make one."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import uuid
from typing import Final, Literal, NamedTuple

from kernel.sealing import keyed_hashes
from kernel.work import Deployment

Thing = Literal["link", "turn"]
PATH: Final = "/pay"
_PURPOSE: Final = "payment links"
_THINGS: Final[dict[int, Thing]] = {1: "link", 2: "turn"}
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{68}\Z", re.ASCII)
_SAID, _MAC = 35, 16
"""Bytes of what is said, and of what proves it; together no bit is left over, so each token has one spelling."""


class Place(NamedTuple):
    """What an address leads to. generation: of the link, to be compared with what it has now."""

    thing: Thing
    business_id: uuid.UUID
    id: uuid.UUID
    generation: int


def token_of(deployment: Deployment, place: Place) -> str:
    """The last part of an address."""
    number = next(number for number, thing in _THINGS.items() if thing == place.thing)
    generation = (place.generation % 0x10000).to_bytes(2, "big")
    said = bytes([number]) + place.business_id.bytes + place.id.bytes + generation
    [mac, *_] = _macs(deployment, said)
    return base64.urlsafe_b64encode(said + mac).decode()


def address_of(deployment: Deployment, place: Place) -> str:
    """What a payer opens."""
    return f"{deployment.settings.public_address}{PATH}/{token_of(deployment, place)}"


def read_token(deployment: Deployment, token: str) -> Place | None:
    """What a token leads to; None for one that we never made."""
    if not _TOKEN.match(token):
        return None
    try:
        raw = base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        return None
    said, mac = raw[:_SAID], raw[_SAID:]
    thing = _THINGS.get(said[0])
    if thing is None or not any(hmac.compare_digest(mac, one) for one in _macs(deployment, said)):
        return None
    return Place(
        thing, uuid.UUID(bytes=said[1:17]), uuid.UUID(bytes=said[17:33]), int.from_bytes(said[33:_SAID], "big")
    )


def _macs(deployment: Deployment, said: bytes) -> list[bytes]:
    return [one[:_MAC] for one in keyed_hashes(deployment.secrets, _PURPOSE, said.hex())]
