"""Prices over time: spans of one key that never overlap, and what a change makes of them. Scaled by `money.MICRO`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

Mark = Literal["while", "after"]
WHILE: Final = "while"
"""A price that was set for a while: what is under it goes on when it ends."""
AFTER: Final = "after"
"""What was in force before such a price, gone on after it; it follows when that changes."""


class Span(Struct, frozen=True):
    """A price from one instant up to, not including, another; None as end: until further notice."""

    id: UUID
    price: int | None
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    mark: Mark | None = None


class Added(NamedTuple):
    """A span that is to be."""

    price: int | None
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    mark: Mark | None = None


class Amendment(Struct, frozen=True):
    """What becomes of the spans of one key. ends: id → new end; dropped: ids; added: new ones.

    Only what has not begun is dropped, but for what begins at the very instant of the change.
    """

    ends: Mapping[UUID, dt.datetime | None] = {}
    dropped: tuple[UUID, ...] = ()
    added: tuple[Added, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything becomes different."""
        return bool(self.ends or self.dropped or self.added)


def at_of(spans: Iterable[Span], at: dt.datetime) -> Span | None:
    """The span in force at an instant."""
    return next((one for one in spans if one.starts_at <= at and (one.ends_at is None or at < one.ends_at)), None)


def amended(spans: Iterable[Span], what: Amendment, new_id: Callable[[], UUID]) -> list[Span]:
    """The spans of a key after an amendment, the first first."""
    kept = [replace(one, ends_at=what.ends.get(one.id, one.ends_at)) for one in spans if one.id not in what.dropped]
    return sorted([*kept, *(Span(new_id(), *one) for one in what.added)], key=lambda one: one.starts_at)


def repriced(
    spans: Sequence[Span], at: dt.datetime, until: dt.datetime | None, price: int | None, now: dt.datetime
) -> Amendment:
    """Let a price be in force from an instant on: up to another, or up to the next change that is planned."""
    if until is None:
        return priced_from(spans, at, price, now)
    return priced_for_a_while(spans, at, until, price, now)


def priced_from(spans: Sequence[Span], at: dt.datetime, price: int | None, now: dt.datetime) -> Amendment:
    """Let a price be in force from an instant up to the next change that is planned; what was before keeps its own.

    Prices that are planned for a while stay, and after them this one goes on; one that runs for a while ends. The
    price that runs now needs no new row; one that is planned has its own even if it is the same, since what is before
    it may yet change.
    """
    running = at_of(spans, at)
    if running is not None and running.price == price and running.mark != WHILE:
        is_said = running.starts_at == at and running.mark is None
        if is_said or at <= now:
            return Amendment()
    ends, dropped, added, begin = dict[UUID, dt.datetime | None](), list[UUID](), list[Added](), at
    if running is not None and running.starts_at < at:
        ends[running.id] = at
    elif running is not None:
        dropped.append(running.id)
    until = None
    for one in sorted((one for one in spans if one.starts_at > at), key=lambda one: one.starts_at):
        if one.mark == WHILE and one.ends_at is not None:
            if begin < one.starts_at:
                added.append(Added(price, begin, one.starts_at, None if begin == at else AFTER))
            begin = one.ends_at
        elif one.mark == AFTER:
            dropped.append(one.id)
        else:
            until = one.starts_at
            break
    if until is None or begin < until:
        added.append(Added(price, begin, until, None if begin == at else AFTER))
    return Amendment(ends, tuple(dropped), tuple(added))


def priced_for_a_while(
    spans: Sequence[Span], at: dt.datetime, until: dt.datetime, price: int | None, now: dt.datetime
) -> Amendment:
    """Let a price be in force from one instant up to another; then goes on what would have been in force by then.

    That is what was before, or what was planned meanwhile; changes of the time between never show.
    """
    running = at_of(spans, at)
    if running is not None and running.price == price and (at <= now or running.starts_at == at):
        lasts = running.ends_at is None or running.ends_at > until
        if running.ends_at == until or (lasts and at <= now):
            return Amendment()
    ends, dropped, added = dict[UUID, dt.datetime | None](), list[UUID](), [Added(price, at, until, WHILE)]
    for one in spans:
        if one.starts_at >= until or (one.ends_at is not None and one.ends_at <= at):
            continue
        if one.ends_at is None or one.ends_at > until:
            is_before = one.mark is None and (one.starts_at < at or at <= now)
            mark: Mark | None = AFTER if is_before else one.mark
            added.append(Added(one.price, until, one.ends_at, mark))
        if one.starts_at < at:
            ends[one.id] = at
        else:
            dropped.append(one.id)
    return Amendment(ends, tuple(dropped), tuple(added))


def resumed_from(spans: Sequence[Span], former: Sequence[Span], at: dt.datetime) -> Amendment:
    """Let former spans go on from an instant, as they were planned; what was in force before it stays."""
    ends: dict[UUID, dt.datetime | None] = {one.id: at for one in spans if one.starts_at < at and _lasts(one, at)}
    dropped = tuple(one.id for one in spans if one.starts_at >= at)
    added = tuple(Added(one.price, max(one.starts_at, at), one.ends_at, one.mark) for one in former if _lasts(one, at))
    return Amendment(ends, dropped, added)


def ended_at(span: Span, at: dt.datetime, spans: Sequence[Span]) -> Amendment:
    """Take a price away: one that is planned as if it had never been, one that runs from the instant on.

    With one that was set for a while goes its end: what was before it goes on at once.
    """
    after = next((one for one in spans if one.mark == AFTER and one.starts_at == span.ends_at), None)
    after = after if span.mark == WHILE else None
    if span.starts_at < at:
        if after is None:
            return Amendment(ends={span.id: at})
        return Amendment({span.id: at}, (after.id,), (Added(after.price, at, after.ends_at),))
    before = next((one for one in spans if one.ends_at == span.starts_at), None)
    gone = (span.id,) if after is None or before is None else (span.id, after.id)
    ends_at = span.ends_at if len(gone) == 1 or after is None else after.ends_at
    return Amendment(ends={before.id: ends_at} if before is not None else {}, dropped=gone)


def _lasts(span: Span, at: dt.datetime) -> bool:
    return span.ends_at is None or span.ends_at > at
