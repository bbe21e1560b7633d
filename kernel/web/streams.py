"""Routes that answer a stream of events (server-sent events, WHATWG HTML): what changes is told while somebody listens.

Between two looks a stream holds nothing: no transaction, no place of a visitor. Every look finds out anew who is
calling, so that a stream ends with the sign-in, the permission and the plugin it stands on.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec

from kernel.auth.acting import look
from kernel.auth.signing_in.throttle import principal_of
from kernel.errors import BadRequest, DukaError, NotFound, TooManyStreams
from kernel.hooks import LeftOut
from kernel.web.decode import decode_path, decode_query, read_query
from kernel.web.perform import Visit, check_permission, may_of, origin_of
from kernel.web.reach import refuse_elsewhere
from kernel.web.routes import Route
from kernel.wire import StreamEvent
from kernel.work import Answered, Deployment, Work
from kernel.work.fields import shown
from kernel.work.leaving_out import one_more

T = TypeVar("T")
MOST = 200
"""So many streams are open in a process at most,"""
MOST_OF_ONE = 6
"""and so many of one person, key or till."""
HEARTBEAT_S = 15.0
"""A stream that has nothing to tell says so, lest a proxy think it dead."""
LONGEST_S = 600.0
"""A stream ends by then; whoever still listens comes again, with the last event's id."""
POLL_S = 1.0
"""What other processes commit is seen by then."""
LEAST_S = 0.1
"""Commits of this process are looked at no more often."""
RETRY_MS = 1000
LONGEST_ID = 64
"""Characters of a `Last-Event-ID`."""
_STILL_HERE = b": still here\n\n"


class Watch:
    """What the function of a stream is given: it looks, tells, and waits for the next change."""

    def __init__(self, visit: Visit, route: Route) -> None:
        self._visit, self._route = visit, route
        self._known: int | None = None
        self._identified_at = 0.0

    @property
    def deployment(self) -> Deployment:
        """The deployment that is asked."""
        return self._visit.deployment

    async def look(self, read: Callable[[Work], Awaitable[T]]) -> T:
        """Read in one short snapshot. Raises what `read` raises, and what ends the stream, such as Unauthenticated."""
        visit = self._visit
        try:
            if visit.standing is not None:
                self._known = visit.deployment.commits.count(visit.standing.business_id)
            self._identified_at = asyncio.get_running_loop().time()
            if visit.transaction is None:
                await visit.enter()
                check_permission(visit, self._route)
            return await self._read(read)
        finally:
            await visit.leave()

    async def change(self, *, within_s: float = POLL_S, least_s: float = LEAST_S) -> None:
        """Wait until something may have changed since the last look: a commit of this process, or so long.

        within_s: what other processes commit is looked for by then; whether the stream may go on, each second.
        least_s: no two looks are closer than that. Raises what ends the stream, such as Unauthenticated.
        """
        visit, loop = self._visit, asyncio.get_running_loop()
        assert visit.standing is not None  # noqa: S101 - a look has set it
        commits, business_id = visit.deployment.commits, visit.standing.business_id
        until = loop.time() + within_s
        await asyncio.sleep(least_s)
        while self._known in (None, commits.count(business_id)) and (left_s := until - loop.time()) > 0:
            due_s = self._identified_at + POLL_S - loop.time() if within_s > POLL_S else left_s
            if due_s <= 0:
                await self._go_on()
            else:
                await commits.wait(business_id, min(left_s, due_s), beyond=self._known)

    async def _go_on(self) -> None:
        """Find out anew who is calling, without a look. Raises what ends the stream."""
        self._identified_at = asyncio.get_running_loop().time()
        try:
            await self._visit.enter()
            check_permission(self._visit, self._route)
        finally:
            await self._visit.leave()

    async def changes(self, read: Callable[[Work], Awaitable[T]]) -> AsyncIterator[T]:
        """What is read, at once and then whenever it differs from what it was."""
        last = await self.look(read)
        yield last
        while True:
            await self.change()
            now = await self.look(read)
            if now != last:
                last = now
                yield now

    async def changes_for(self, business_id: uuid.UUID, read: Callable[[Work], Awaitable[T]]) -> AsyncIterator[T]:
        """As `changes`, read by Duka itself, for a business that a public address proves to be meant.

        Raises NotFound where the business or the plugin is gone.
        """
        last: T | None = None
        while True:
            now = await self._look_for(business_id, read)
            if now != last:
                last = now
                yield now
            await asyncio.sleep(LEAST_S)
            await self.deployment.commits.wait(business_id, POLL_S - LEAST_S)

    async def _look_for(self, business_id: uuid.UUID, read: Callable[[Work], Awaitable[T]]) -> T:
        deployment = self.deployment
        if self._route.plugin in deployment.registry.set_aside:
            raise NotFound
        await deployment.visitors.acquire()
        try:
            return await look(deployment, business_id, read)
        except LookupError as gone:
            if type(gone) is not LookupError:  # a fault in `read`
                raise
            raise NotFound from gone
        finally:
            deployment.visitors.release()

    async def _read(self, read: Callable[[Work], Awaitable[T]]) -> T:
        visit, left_out = self._visit, frozenset[Any]()
        while True:
            assert visit.transaction is not None  # noqa: S101 - enter() has set both
            assert visit.standing is not None  # noqa: S101 - as above
            origin = origin_of(visit, self._route)
            try:
                return await read(Work(visit.deployment, visit.transaction, visit.standing, origin, left_out=left_out))
            except LeftOut as failed:
                left_out = one_more(visit.deployment, visit.standing, left_out, failed)
                await visit.leave()
                await visit.enter()


async def listen(visit: Visit, route: Route, path: Mapping[str, str]) -> Answered:
    """Open a stream: its first event is there before it is answered, so that a refusal is a problem document.

    204, which tells a browser to come no more, where the first event is the last, and was told already. Raises
    TooManyStreams and what the first look raises.
    """
    given = _given(visit, route, path)
    if len(visit.headers.get("last-event-id", "")) > LONGEST_ID:
        raise BadRequest("Last-Event-ID is longer than any id that was told")
    if route.plugin in visit.deployment.registry.set_aside:
        raise NotFound
    close = _take_place(visit)
    events: AsyncIterator[StreamEvent[Any]] = route.function(Watch(visit, route), **given)
    visit.at_end.push_async_callback(close)
    visit.at_end.push_async_callback(_closed, events)
    first = await anext(events, None)
    told = visit.headers.get("last-event-id")
    if first is None or (first.is_last and told == _id(_data(visit, route, first))):
        return Answered(204, b"")
    headers = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    if visit.is_head:
        return Answered(200, b"", headers)
    frames = _frames(visit, route, events, first, told)
    visit.at_end.push_async_callback(frames.aclose)
    return Answered(200, b"", headers, stream=frames)


def _given(visit: Visit, route: Route, path: Mapping[str, str]) -> dict[str, Any]:
    """What the function is given beside its Watch. Raises what the request is refused with."""
    check_permission(visit, route)
    given: dict[str, Any] = {n: decode_path(n, path[n], kind) for n, kind in route.parameters.items()}
    query = decode_query(read_query(visit.query_string) if visit.query_string else {}, route.query)
    if route.query is not None:
        given["query"] = query
    if visit.standing is not None:
        refuse_elsewhere(visit.standing.actor, route.method, given, None)
    return given


async def _frames(
    visit: Visit, route: Route, events: AsyncIterator[StreamEvent[Any]], first: StreamEvent[Any], told: str | None
) -> AsyncGenerator[bytes, None]:
    """The stream as it is sent, until its last event, or until it must end."""
    loop, ending = asyncio.get_running_loop(), visit.deployment.ending
    until = loop.time() + LONGEST_S
    yield f"retry: {RETRY_MS}\n\n".encode()
    if _id(_data(visit, route, first)) != told:
        yield _frame(visit, route, first)
    event, ends = first, asyncio.create_task(ending.wait())
    coming: asyncio.Task[StreamEvent[Any] | None] | None = None
    try:
        while not event.is_last:
            coming = asyncio.create_task(_next(events))
            while not coming.done():
                patience = min(HEARTBEAT_S, until - loop.time())
                if patience <= 0 or ending.is_set():
                    return
                await asyncio.wait((coming, ends), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done() and not ends.done():
                    yield _STILL_HERE
            try:
                said = coming.result()
            except DukaError as fault:
                yield _told(visit, fault)
                return
            if said is None:
                return
            event = said
            yield _frame(visit, route, event)
    finally:
        ends.cancel()
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _next(events: AsyncIterator[StreamEvent[Any]]) -> StreamEvent[Any] | None:
    return await anext(events, None)


async def _closed(events: Any) -> None:
    with contextlib.suppress(DukaError):
        await events.aclose()


def _take_place(visit: Visit) -> Callable[[], Awaitable[None]]:
    """Count one more stream; returns how it is counted off. Raises TooManyStreams."""
    counted = visit.deployment.streams
    whose = principal_of(visit.claims) if visit.claims else f"address {visit.address}"
    if counted.total() >= MOST or counted[whose] >= MOST_OF_ONE:
        raise TooManyStreams
    counted[whose] += 1

    async def leave() -> None:
        counted[whose] -= 1
        if not counted[whose]:
            del counted[whose]

    return leave


def _data(visit: Visit, route: Route, event: StreamEvent[Any]) -> bytes:
    return shown(msgspec.json.encode(event.data), route.answer, may_of(visit), visit.deployment.registry)


def _id(data: bytes) -> str:
    """The id of what is told: the same for the same."""
    return hashlib.sha256(data).hexdigest()[:16]


def _frame(visit: Visit, route: Route, event: StreamEvent[Any]) -> bytes:
    data = _data(visit, route, event)
    return f"id: {_id(data)}\nevent: {event.name}\ndata: ".encode() + data + b"\n\n"


def _told(visit: Visit, fault: DukaError) -> bytes:
    """Why a stream ends, as the problem document that a request would be answered with."""
    return b"event: problem\ndata: " + visit.problem(fault).body + b"\n\n"
