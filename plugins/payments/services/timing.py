"""When a provider is asked, how long one that is down is left alone, and what a payment is called there.

Pure: instants come in, instants go out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

JITTER: Final = 0.2
"""Questions are moved by up to a fifth of their time, lest all payments of a busy hour ask at once."""
SLOW_ASKS: Final = 7
"""So often is asked after the plan has ended, before only a person asks."""
FAILURES: Final = 5
"""So many in a row close a gateway for an account."""
PAUSE_S, LONGEST_PAUSE_S = 30, 300
_ID_LETTERS: Final = 6


def next_ask(
    payment_id: uuid.UUID, began: dt.datetime, now: dt.datetime, after_s: Sequence[int], last_s: int
) -> tuple[dt.datetime, bool] | None:
    """When to ask next, and whether the plan has ended and asking is slow by then; None: not by itself any more.

    began: when the request was sent. after_s, last_s: as of Capabilities. Every payment has its own jitter, the same
    whoever computes it; the first question is never early.
    """
    planned = [began + dt.timedelta(seconds=seconds) for seconds in _moved(payment_id, after_s)]
    if coming := [at for at in planned if at > now]:
        return min(coming), False
    end = max(planned, default=began)
    if last_s <= 0:
        return None
    past = int((now - end).total_seconds() // last_s) + 1
    return (end + dt.timedelta(seconds=past * last_s), True) if past <= SLOW_ASKS else None


def _moved(payment_id: uuid.UUID, after_s: Sequence[int]) -> Iterator[float]:
    for place, seconds in enumerate(after_s):
        digest = hashlib.sha256(b"%s/%d" % (payment_id.bytes, place)).digest()
        share = int.from_bytes(digest[:4]) / 0xFFFFFFFF
        yield seconds * (1 + JITTER * (share if place == 0 else 2 * share - 1))


def pause(closings: int) -> dt.timedelta:
    """How long a gateway is left alone that was closed so often in a row: half a minute, doubling to five."""
    return dt.timedelta(seconds=min(PAUSE_S * 2 ** min(closings, 10), LONGEST_PAUSE_S))


def reference_of(number: str, payment_id: uuid.UUID, letters: str, most: int) -> str:
    """Our name for a payment at a provider: the end of its document's number, then letters of its own.

    letters: what it may be made of, two at least. Where there is no room for both it is letters of its own alone.
    """
    value, own = int.from_bytes(hashlib.sha256(payment_id.bytes).digest()), ""
    wanted = _ID_LETTERS if most >= 2 * _ID_LETTERS else most
    while len(own) < wanted:
        value, digit = divmod(value, len(letters))
        own += letters[digit]
    legal = "".join(one for one in number.upper() if one in letters)
    room = most - wanted
    return (legal[-room:] if room else "") + own
