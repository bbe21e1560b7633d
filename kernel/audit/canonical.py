"""An audit row as bytes that are the same on every machine and database, and the hash that chains them.

The bytes are JSON in UTF-8: names sorted, no spaces, columns without a value left out – so that a column added later
changes no hash of a row from before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from kernel.db.tables import Audit

COLUMNS = tuple(Audit.__table__.c)
START = bytes(32)
"""What stands before the first hash of a chain."""


def canonical(row: Mapping[str, Any]) -> bytes:
    """The bytes of an audit row. A flag that is not set counts as no value."""
    said = {name: _plain(value) for name, value in row.items() if value is not None and value is not False}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def link(before: bytes, number: int, sealed_at: dt.datetime, row: Mapping[str, Any]) -> bytes:
    """The hash of a row at its place in the chain: SHA-256 of the hash before, number, time, and the row's bytes."""
    place = f"{number}@{_plain(sealed_at)}\n".encode()
    return hashlib.sha256(before + place + canonical(row)).digest()


def made_at(id_: uuid.UUID) -> dt.datetime:
    """When a UUIDv7 was made; the deployment's own clock of that moment, to the millisecond."""
    return dt.datetime.fromtimestamp((id_.int >> 80) / 1000, dt.UTC)


def first_id(at: dt.datetime) -> uuid.UUID:
    """The smallest UUID that can have been made at an instant or later."""
    return uuid.UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return value
