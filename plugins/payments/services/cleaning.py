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
from plugins.payments.schemas.statements import StatementLine

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


def clean_line(line: StatementLine) -> StatementLine | None:
    """A line of a statement as it can be stored, its numbers as those of facts; None for amounts that cannot be."""
    amounts = (line.gross, line.fee, line.tax, line.net)
    if line.currency not in CURRENCIES or any(one is not None and abs(one) > MOST_MINOR for one in amounts):
        return None
    if line.occurred_at.tzinfo is None or not 1970 <= line.occurred_at.year < 2200 or not line.line_key:
        return None
    return structs.replace(
        line,
        line_key=_name(line.line_key),
        money_key=_name(line.money_key) or None if line.money_key else None,
        merchant_ref=_text(line.merchant_ref, _KEYS),
        payer=_text(line.payer, 100),
        refund_id=_uuid(line.refund_id),
        ids=plain_ids(line.ids),
        settlement_id=_name(line.settlement_id) or None if line.settlement_id else None,
        settlement_ref=_name(line.settlement_ref) or None if line.settlement_ref else None,
        said_at=_text(line.said_at, 60) or "",
        words=_text(line.words, 500) or "",
    )


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
