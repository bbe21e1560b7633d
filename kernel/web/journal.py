"""The journal of requests: one line each, of facts that name nobody and show nothing.

The route stands as it was declared, never as it was asked for: ids, tokens of callbacks and search words are not in it.
"""

from __future__ import annotations

import logging

from kernel.logs import JOURNAL
from kernel.web.perform import Visit

log = logging.getLogger(JOURNAL)


def note(visit: Visit, method: str, status: int, seconds: float) -> None:
    """Log one request: id, route, status (0: nothing was answered), milliseconds, business, actor's id."""
    if not log.isEnabledFor(logging.INFO):
        return
    standing, route = visit.standing, visit.route
    shop = standing.shop if standing else None
    actor = standing.actor.id if standing else None
    facts = {
        "request_id": visit.request_id,
        "method": method,
        "route": route.path if route else None,
        "plugin": route.plugin if route else None,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "business": str(shop.id) if shop else None,
        "actor": str(actor) if actor else None,
    }
    log.info("request", extra={"facts": facts})
