"""Values in few words. A Struct that has a property `in_short` says it itself."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kernel.work import Work

LONGEST: Final = 90
FEW: Final = 3


def asked_shortly(arguments: Mapping[str, Any]) -> str:
    """What was asked: the arguments of a call but for the unit of work and the facts of others."""
    told = [shortly(value) for name, value in arguments.items() if name != "facts" and not isinstance(value, Work)]
    return _cut(", ".join(told))


def shortly(value: Any) -> str:
    """A value in few words; None is "nothing"."""
    return "nothing" if value is None else _cut(_said(value))


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        more = [f"… {len(value) - FEW} more"] if len(value) > FEW else []
        return "; ".join([*(_said(one) for one in value[:FEW]), *more]) if value else "none"
    if isinstance(value, msgspec.Struct):
        own = getattr(value, "in_short", None)
        return own if isinstance(own, str) else _struct(value)
    if isinstance(value, uuid.UUID):
        return f"…{value.hex[-6:]}"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value if isinstance(value, str) else repr(value)


def _struct(value: msgspec.Struct) -> str:
    """Its fields that say something: those that are neither empty nor what they would be anyhow."""
    given = [(one, getattr(value, one.name)) for one in msgspec.structs.fields(value)]
    said = [f"{one.name}={_said(is_)}" for one, is_ in given if is_ not in (None, "", (), [], {}, one.default)]
    return f"{type(value).__name__}({', '.join(said)})"


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
