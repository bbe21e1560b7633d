"""How many requests a minute a caller may send, held across processes without a row written for each request.

A process takes a block of tokens from the shared row of a caller and a minute in one statement, and serves from the
block. With Redis the row is a counter there; while Redis is away it is the database's again.
Tokens are taken before they are used, so that all processes together never let through more than the limit.
What a process took and did not use is lost to the others until the minute ends: a caller whose requests are spread
over P processes gets at least limit - (P - 1) * (block - 1). A block is a twentieth of the limit. Minutes are those of
the clock, so the first seconds of one may follow hard upon the last of another with a whole limit each.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kernel.auth.acting import act
from kernel.auth.models import Limit
from kernel.auth.secrets.bearer import Bearer
from kernel.auth.secrets.tokens import Claims
from kernel.db import upsert
from kernel.errors import RateLimited
from kernel.work import Deployment, Work

if TYPE_CHECKING:
    from kernel.auth.signing_in.shared_counts import SharedCounts

WINDOW_S = 60
BLOCKS = 20
"""Blocks a limit is taken in."""
FORGET_AFTER = dt.timedelta(hours=1)
PREFIX = "api:"

Take = Callable[[str, int, dt.datetime], Awaitable[int]]
"""(key, tokens wanted, when the window ends) → how many tokens had been taken before in the window."""


@dataclass
class Bucket:
    """What this process holds for one caller in the present minute. left: as far as is known, over all processes."""

    tokens: int = 0
    left: int = 0
    is_empty: bool = False

    def needs_filling(self) -> bool:
        """Whether another block must be taken, and there may be one."""
        return not self.tokens and not self.is_empty


@dataclass(frozen=True)
class Throttled:
    """Where a caller stands: what is left of each policy, and when the minute ends."""

    policies: Mapping[str, tuple[int, int]]
    ends_in_s: int

    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers."""
        policy = ", ".join(f'"{name}";q={most};w={WINDOW_S}' for name, (most, _) in self.policies.items())
        left = ", ".join(f'"{name}";r={left};t={self.ends_in_s}' for name, (_, left) in self.policies.items())
        return {"RateLimit-Policy": policy, "RateLimit": left}


class TooManyRequests(RateLimited):
    """A caller, or an address, has used up its minute."""

    def __init__(self, throttled: Throttled) -> None:
        super().__init__(throttled.ends_in_s, "Too many requests; wait for the next minute")
        self.throttled = throttled


class Throttle:
    """The limits of one process. take: takes tokens from the shared row."""

    def __init__(self, deployment: Deployment, take: Take | None = None) -> None:
        settings = deployment.settings
        self.deployment, self.is_on = deployment, settings.throttles
        self.limits = {"address": settings.requests_per_address, "principal": settings.requests_per_principal}
        self._counts = _shared(settings.redis_url) if settings.redis_url and self.is_on else None
        shared = functools.partial(self._take_shared, self._counts) if self._counts else self._take_from_row
        self._take: Take = take or shared
        self._window = -1
        self._buckets: dict[str, Bucket] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._forgotten: dt.datetime | None = None

    async def address(self, address: str | None) -> Throttled:
        """Count a request by where it comes from. Raises TooManyRequests."""
        return await self._count("address", network_of(address), None)

    async def principal(self, whose: str, so_far: Throttled | None) -> Throttled:
        """Count a request by who sends it. Raises TooManyRequests."""
        return await self._count("principal", whose, so_far)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._counts is not None:
            await self._counts.close()

    async def _count(self, policy: str, whose: str, so_far: Throttled | None) -> Throttled:
        most = self.limits[policy]
        ends = self._open_window()
        key = f"{PREFIX}{policy}:{whose}"
        bucket = self._buckets.setdefault(key, Bucket(left=most))
        if bucket.needs_filling():
            async with self._locks.setdefault(key, asyncio.Lock()):
                if bucket.needs_filling():  # who waited may find it filled
                    await self._fill(bucket, key, most, ends)
        ends_in_s = max(1, int((ends - self.deployment.clock()).total_seconds()))
        policies = dict(so_far.policies) if so_far else {}
        if not bucket.tokens:
            raise TooManyRequests(Throttled({**policies, policy: (most, 0)}, ends_in_s))
        bucket.tokens -= 1
        bucket.left -= 1
        return Throttled({**policies, policy: (most, max(0, bucket.left))}, ends_in_s)

    def _open_window(self) -> dt.datetime:
        """When the present minute ends; what was held for the one before is forgotten."""
        window = int(self.deployment.clock().timestamp()) // WINDOW_S
        if window != self._window:
            self._window = window
            self._buckets, self._locks = {}, {}
        return dt.datetime.fromtimestamp((window + 1) * WINDOW_S, dt.UTC)

    async def _fill(self, bucket: Bucket, key: str, most: int, ends: dt.datetime) -> None:
        wanted = max(1, most // BLOCKS)
        before = await self._take(key, wanted, ends)
        bucket.tokens = max(0, min(wanted, most - before))
        bucket.left = max(0, most - before)
        bucket.is_empty = not bucket.tokens

    async def _take_shared(self, counts: SharedCounts, key: str, wanted: int, ends: dt.datetime) -> int:
        counted = await counts.add(f"duka:{key}:{ends.timestamp():.0f}", wanted, 2 * WINDOW_S)
        return await self._take_from_row(key, wanted, ends) if counted is None else counted - wanted

    async def _take_from_row(self, key: str, wanted: int, ends: dt.datetime) -> int:
        fresh = upsert(self.deployment.database, Limit).values(key=key, window_ends=ends, count=wanted)
        over = Limit.window_ends < ends
        taken = fresh.on_conflict_do_update(
            index_elements=[Limit.key],
            set_={"count": sa.case((over, wanted), else_=Limit.count + wanted), "window_ends": ends},
            where=Limit.window_ends <= ends,
        ).returning(Limit.count.label("count_"))

        async def take(work: Work) -> int:
            await self._forget_old(work)
            row = (await work.execute(taken)).one_or_none()
            return row.count_ - wanted if row else 2**31  # another process is in the next minute already

        return await act(self.deployment, None, take, deed="throttle", audited=False)

    async def _forget_old(self, work: Work) -> None:
        """Once an hour, drop rows of minutes long over."""
        if self._forgotten is not None and work.now < self._forgotten + FORGET_AFTER:
            return
        self._forgotten = work.now
        old = sa.and_(Limit.window_ends < work.now - FORGET_AFTER, Limit.key.startswith(PREFIX, autoescape=True))
        await work.execute(sa.delete(Limit).where(old))


def _shared(url: str) -> SharedCounts:
    from kernel.auth.signing_in.shared_counts import SharedCounts  # noqa: PLC0415 - Redis's client imports slowly

    return SharedCounts(url)


def principal_of(claims: Bearer) -> str:
    """Who sends a request: a person, or whoever bears this secret of a key or a till; a guesser spends their own."""
    return str(claims.user_id) if isinstance(claims, Claims) else claims.hash.hex()


def network_of(address: str | None) -> str:
    """What counts as one place: an IPv4 address, the /64 of an IPv6 address."""
    try:
        said = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "unknown"
    if isinstance(said, ipaddress.IPv6Address):
        if said.ipv4_mapped:
            return str(said.ipv4_mapped)
        return str(ipaddress.ip_network((said, 64), strict=False))
    return str(said)
