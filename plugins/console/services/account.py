"""One's own account: profile, password, second factor, PIN, where one is signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Page, Seen


async def _profile(seen: Seen) -> Mapping[str, Any]:
    me, tag = await seen.get_tagged("/auth/me")
    return {"profile": me, "tag": tag}


async def _security(seen: Seen) -> Mapping[str, Any]:
    factor, sign_ins, pin = await asyncio.gather(
        seen.get("/auth/second-factor"),
        seen.get("/auth/sign-ins", limit=50),
        seen.get("/auth/my-pin") if seen.business else _none(),
    )
    return {"factor": factor, "sign_ins": sign_ins["items"], "pin": pin}


async def _none() -> None:
    return None


PAGES: Final = (
    Page("/account", "account/profile.html", "Your account", read=_profile),
    Page("/security", "account/security.html", "Security", read=_security),
)
