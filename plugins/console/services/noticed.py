"""What the console itself tells of: invitations nobody answered, apps that need somebody; to operators, jobs."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from plugins.console.schemas import Notice, Seen, Waiting, Waits
from plugins.console.schemas.contributions import OPERATOR
from plugins.console.services.approvals import ANSWERS

FEW: Final = 6
CHECKS: Final = {
    "database": "Database",
    "migrations": "Migrations",
    "outbox": "Jobs in time",
    "audit": "Audit trails",
    "disk": "Room on the disk",
    "backups": "Backups",
    "redis": "Redis",
}


async def to_approve(seen: Seen) -> Waiting:
    """Requests of others for approval: nobody answers their own."""
    found = (await seen.get("/approvals", state="waiting", limit=50))["items"]
    others = [one for one in found if one["requested_by"] != seen.me["id"]]
    return Waiting([Waits(seen.word(one["words"]), "/approvals", one["requested_by_name"]) for one in others])


async def invited(seen: Seen) -> Waiting:
    """Invitations that nobody has answered yet."""
    found = await seen.get("/users/invitations", state="open", limit=FEW, include_total=True)
    return Waiting([Waits(one["name"], "/people", one["email"]) for one in found["items"]], found["total"])


async def unset(seen: Seen) -> Waiting:
    """Apps that are on and lack a setting."""
    found = (await seen.get("/settings"))["items"]
    lacking = [one for one in found if one["missing"] and seen.has(one["plugin"])]
    word = seen.word("A setting has no value yet")
    return Waiting([Waits(seen.word(one["title"]), f"/settings/{one['plugin']}", word) for one in lacking])


async def left_out(seen: Seen) -> Waiting:
    """Apps that failed and are left out until somebody resets them."""
    found = (await seen.get("/plugins/health"))["items"]
    word = seen.word("It failed, and is left out until somebody resets it")
    failing = sorted({one["name"] for one in found if one["state"] == "tripped"})
    return Waiting([Waits(name, f"/apps/{name}", word) for name in failing])


async def dead(seen: Seen) -> Waiting:
    """Jobs of all businesses that gave up."""
    found = await seen.get("/operating/jobs", state="dead", limit=FEW, include_total=True)
    items = [Waits(one["name"], "/operating/jobs?state=dead", _of(one)) for one in found["items"]]
    return Waiting(items, found["total"])


async def unwell(seen: Seen) -> Waiting:
    """Checks of the deployment that fail, processes that fell silent, and plugins set aside."""
    deployment, plugins = await asyncio.gather(seen.get("/operating/deployment"), seen.look("/plugins"))
    failing = [name for name, word in deployment["checks"].items() if word != "ok" and name != "backups"]
    aside = [one for one in (plugins["items"] if plugins else ()) if one["state"] == "quarantined"]
    checks = [Waits(seen.word(CHECKS.get(one, one)), "/operating", seen.word("This check fails")) for one in failing]
    silent = [
        Waits(seen.word("Worker" if one["kind"] == "worker" else "Server"), "/operating", _where(seen, one))
        for one in deployment["nodes"]
        if one["is_silent"]
    ]
    apps = [Waits(seen.word(one["title"]), "/operating/apps", one["reason"] or "") for one in aside]
    return Waiting([*checks, *silent, *apps])


async def backups(seen: Seen) -> Waiting:
    """A backup that failed, or that nobody made in time."""
    told = await seen.get("/operating/backups")
    if told["state"] == "broken":
        return Waiting([Waits(seen.word("The last backup failed"), "/operating/backups", _why(seen, told["failed"]))])
    if told["state"] == "late":
        return Waiting([Waits(seen.word("No backup was made in time"), "/operating/backups")])
    return Waiting()


def _where(seen: Seen, node: Any) -> str:
    return f"{node['host']} · {node['pid']} · {seen.word('silent')}"


def _why(seen: Seen, failed: Any) -> str:
    return seen.word(failed["said"]) if failed["said"] else str(failed["fault"])


def _of(job: Any) -> str:
    return " · ".join(filter(None, (job["business"], job["fault"])))


NOTICES: Final = (
    Notice(
        *("approvals", "Approvals to give", "shield-check", to_approve, ANSWERS, "/approvals", "bad", 5),
        follows=("approvals", "sales"),
    ),
    Notice(
        *("invited", "Invitations not answered", "users", invited, "users.see", "/people", "", 80),
        follows=("invitations", "users"),
    ),
    Notice(
        *("unset", "Apps that need setting up", "settings", unset, "settings.manage", "/settings", "warn", 40),
        follows=("settings", "plugins"),
    ),
    Notice(
        *("left_out", "Apps that are left out", "triangle-alert", left_out, "plugins.manage", "/apps", "bad", 10),
        follows=("plugins",),
    ),
    Notice("dead", "Jobs that gave up", "timer", dead, OPERATOR, "/operating/jobs?state=dead", "bad", 8),
    Notice("unwell", "The deployment", "server", unwell, OPERATOR, "/operating", "bad", 6),
    Notice("backups", "Backups", "archive", backups, OPERATOR, "/operating/backups", "bad", 7),
)
