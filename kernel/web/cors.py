"""Which browser origins may call the API, and the answer to their preflight. The API knows no cookies, so none pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping

ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, PUT, DELETE",
    "Access-Control-Allow-Headers": ", ".join(
        (
            *("Accept-Language", "Authorization", "Content-Type", "Idempotency-Key"),
            *("If-Match", "If-None-Match", "X-Approval"),
        )
    ),
    "Access-Control-Max-Age": "600",
}
EXPOSED = ", ".join(
    (
        *("Allow", "Content-Language", "ETag", "Idempotency-Replayed", "Location"),
        *("RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"),
    )
)


def headers_for(origins: Collection[str], asked: Mapping[str, str]) -> dict[str, str]:
    """The headers that let the asking origin read the answer; none for an origin that is not listed."""
    origin = asked.get("origin")
    if origin is None or origin not in origins:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}


def is_preflight(method: str, asked: Mapping[str, str]) -> bool:
    """Whether a browser asks if it may ask."""
    return method == "OPTIONS" and "origin" in asked and "access-control-request-method" in asked
