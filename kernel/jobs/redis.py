"""Whether Redis is there, for who watches; what hands jobs over finds out by itself."""

from __future__ import annotations

import logging

log = logging.getLogger("duka.jobs")
PATIENCE_S = 1.0


async def answers(url: str) -> bool:
    """Whether the Redis of a URL answers in time; where none is set nobody misses it."""
    if not url:
        return True
    from redis.asyncio import Redis  # noqa: PLC0415 - most deployments have none
    from redis.exceptions import RedisError  # noqa: PLC0415

    redis = Redis.from_url(url, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S)
    try:
        return bool(await redis.ping())
    except (RedisError, OSError) as error:
        log.warning("Redis does not answer: %s", error)
        return False
    finally:
        await redis.aclose()
