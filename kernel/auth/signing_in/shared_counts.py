"""Counters in Redis, for the limits on requests. While Redis is away they say so, and the database counts."""

from __future__ import annotations

import logging
import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger("duka.auth")
AWAY_S = 5.0
"""So long is Redis left alone after it did not answer."""


class SharedCounts:
    """The counters of one Redis. url: where it is."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5)
        self._asks_from = 0.0

    async def add(self, key: str, amount: int, forget_after_s: int) -> int | None:
        """Add to a counter, which is forgotten some time after; returns what it came to, None while Redis is away."""
        if time.monotonic() < self._asks_from:
            return None
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                _ = pipe.incrby(key, amount)
                _ = pipe.expire(key, forget_after_s)
                counted, _ = await pipe.execute()
        except RedisError as error:
            log.warning("requests are counted in the database for a while: Redis is away: %s", error)
            self._asks_from = time.monotonic() + AWAY_S
            return None
        return int(counted)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
