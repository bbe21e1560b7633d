"""What a provider said, as it can be stored: texts without control characters and of bounded length, sound amounts."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from kernel.money import CURRENCIES
from plugins.payments.schemas.gateways import Fault, GatewayFact

MOST_MINOR = 10**15
"""Beyond so many minor units it is no amount of money."""
_KEYS = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def split(facts: Iterable[GatewayFact]) -> tuple[list[GatewayFact], list[GatewayFact]]:
    """Facts as they can be stored, and those that speak of money in amounts or currencies that cannot be."""
    sound: list[GatewayFact] = []
    unsound: list[GatewayFact] = []
    for fact in facts:
        (sound if _is_sound(fact) else unsound).append(_clean(fact))
    return sound, unsound


def _is_sound(fact: GatewayFact) -> bool:
    known = fact.currency is None or fact.currency in CURRENCIES
    return known and (fact.amount is None or 0 < fact.amount <= MOST_MINOR)


def _clean(fact: GatewayFact) -> GatewayFact:
    return structs.replace(
        fact,
        key=_name(fact.key),
        money_key=_name(fact.money_key) or None if fact.money_key else None,
        currency=_text(fact.currency, 10),
        fee=fact.fee if fact.fee is not None and 0 <= fact.fee <= MOST_MINOR else None,
        reference=_text(fact.reference, _KEYS),
        ids=plain_ids(fact.ids),
        payer=_text(fact.payer, 100),
        refund_id=_uuid(fact.refund_id),
        at=fact.at if fact.at is not None and fact.at.tzinfo is not None else None,
        code=plain(fact.code, 100),
        words=plain(fact.words),
        said=plain(fact.said),
        tells=plain(fact.tells),
    )


def storable(fault: Fault) -> dict[str, Any]:
    """Why a provider did not do it, as it can be stored."""
    return {"kind": fault.kind, "said": plain(fault.said), "code": plain(fault.code, 100)}


def plain(said: str, most: int = 500) -> str:
    """A provider's words as they can be stored."""
    return _CONTROL.sub("", said)[:most]


def plain_ids(ids: Mapping[str, str]) -> dict[str, str]:
    """What a provider calls something, as it can be stored."""
    return {_name(str(name)): _name(str(value)) for name, value in list(ids.items())[:20]}


def _text(said: str | None, most: int) -> str | None:
    return None if said is None else plain(said, most)


def _name(said: str) -> str:
    """A name that must stay distinct: one too long is known by its hash."""
    plain = _CONTROL.sub("", said)
    return plain if len(plain) <= _KEYS else hashlib.sha256(plain.encode()).hexdigest()


def _uuid(said: str | None) -> str | None:
    try:
        return None if said is None else str(uuid.UUID(said))
    except ValueError:
        return None
