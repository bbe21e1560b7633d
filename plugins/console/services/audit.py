"""The trail: who did what, when, and how it was before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Nav, Page, Seen

NAVS: Final = (Nav("system", "Trail", "/audit", "scroll-text", "audit.see", order=95),)


async def _trail(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("from", "to", "deed", "actor_id", "subject", "q", "cursor")}
    listed = await seen.get("/audit", limit=50, **asked)
    anchors = await seen.get("/audit/anchors")
    return {"listed": listed, "anchor": max(anchors["items"], key=lambda one: one["number"], default=None)}


async def _row(seen: Seen) -> Mapping[str, Any]:
    return {"row": await seen.get(f"/audit/{seen.path['audit_id']}")}


PAGES: Final = (
    Page("/audit", "audit/trail.html", "Trail", "audit.see", _trail),
    Page("/audit/{audit_id}", "audit/row.html", "What was done", "audit.see", _row),
)
