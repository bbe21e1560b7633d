"""Pages of operators: the deployment, its businesses, and its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Heading, Listing, Nav, Page, Seen
from plugins.console.schemas.contributions import OPERATOR
from plugins.console.services import setup_steps
from plugins.console.services.audit import deed_of

PAGE: Final = 50
STAGES: Final = ("waiting", "running", "failed")
WAIT_S: Final = 30
"""A job that is due for so long has been seen by nobody."""
BUSINESSES: Final = Listing(
    "console.businesses",
    (
        Heading("name", "Business"),
        Heading("region", "Region"),
        Heading("currency", "Currency"),
        Heading("created_at", "Since"),
        Heading("state", "State"),
    ),
)
JOBS: Final = Listing(
    "console.jobs",
    (
        Heading("name", "Job"),
        Heading("business", "Business"),
        Heading("run_at", "Due"),
        Heading("attempts", "Tries", "number"),
        Heading("fault", "Last error"),
        Heading("state", "State"),
    ),
)
NAVS: Final = (
    Nav("operator", "Deployment", "/operating", "server", OPERATOR, order=10),
    Nav("operator", "Businesses", "/operating/businesses", "building-2", OPERATOR, order=20),
    Nav("operator", "Jobs", "/operating/jobs", "timer", OPERATOR, order=40),
    Nav("operator", "Backups", "/operating/backups", "archive", OPERATOR, order=50),
)


async def overview(seen: Seen) -> Mapping[str, Any]:
    """How the deployment is, and what was done above all businesses."""
    deployment, plugins, trail, backups = await asyncio.gather(
        seen.get("/operating/deployment"),
        seen.look("/plugins"),
        seen.get("/operating/audit", limit=100),
        seen.get("/operating/backups"),
    )
    known = plugins["items"] if plugins else []
    aside = [one for one in known if one["state"] in ("quarantined", "uninstalled")]
    waiting = [one for one in known if one["version_installed"]]
    done = [one for one in trail["items"] if not one["deed"].startswith(("auth.", "prepare"))]
    return {
        "deployment": deployment,
        "aside": aside,
        "waiting": waiting,
        "trail": done[:10],
        "deed_of": deed_of,
        "known": len(known),
        "backups": backups,
        "odd": [one for one in deployment["nodes"] if state_of_node(one) != "ok"],
        "ways": {state_of_node(one) for one in deployment["nodes"]},
        "lacks_worker": lacks_worker(deployment),
        "state_of_node": state_of_node,
    }


def state_of_node(node: Mapping[str, Any]) -> str:
    """How a process is: silent, with other versions in memory, behind what was installed last, or well."""
    return next((word for word in ("silent", "other", "behind") if node[f"is_{word}"]), "ok")


def lacks_worker(deployment: Mapping[str, Any]) -> bool:
    """Whether jobs wait that only a worker does, and none is known of; one on a machine with another home is not."""
    works = any(one["kind"] == "worker" and not one["is_silent"] for one in deployment["nodes"])
    waits = deployment["jobs"]["oldest_s"] > WAIT_S or deployment["checks"]["outbox"] == "late"
    return deployment["jobs_by"] == "workers" and waits and not works


async def backups(seen: Seen) -> Mapping[str, Any]:
    """The backups that were made, and what came of rehearsals."""
    made, held = await asyncio.gather(seen.get("/operating/backups"), seen.get("/operating/rehearsals"))
    return {"backups": made, "rehearsals": held}


async def businesses(seen: Seen) -> Mapping[str, Any]:
    """All businesses, or those in a state."""
    asked = {name: seen.query.get(name) for name in ("q", "state", "cursor")}
    return {"listed": await seen.get("/operating/businesses", limit=PAGE, **asked)}


async def business(seen: Seen) -> Mapping[str, Any]:
    """One business as operators see it, with its dead jobs, and whether its owner lets them in."""
    slug = seen.path["slug"]
    found, dead, let_in = await asyncio.gather(
        seen.get(f"/operating/businesses/{slug}"),
        seen.get("/operating/jobs", business=slug, state="dead", limit=5),
        seen.get(f"/operating/businesses/{slug}/support-access"),
    )
    works_there = any(one["slug"] == slug for one in seen.me["businesses"])
    return {"one": found, "dead": dead["items"], "title": found["name"], "let_in": let_in, "works_there": works_there}


async def new_business(seen: Seen) -> Mapping[str, Any]:
    """Where a new business may be, with what is usual there, and what it may begin with."""
    plugins, there = await asyncio.gather(seen.get("/plugins"), setup_steps.new_business(seen))
    begins = [one for one in plugins["items"] if one["state"] not in ("quarantined", "uninstalled")]
    return {**there, "plugins": sorted(begins, key=lambda one: str(one["title"]))}


async def jobs(seen: Seen) -> Mapping[str, Any]:
    """Jobs of all businesses, the dead ones first of all."""
    state = seen.query.get("state", "dead")
    asked: dict[str, Any] = {name: seen.query.get(name) for name in ("plugin", "business", "cursor")}
    if state in STAGES:
        asked["stage"] = state
    elif state not in ("all", "scheduled"):
        asked["state"] = state
    listed, deployment, scheduled = await asyncio.gather(
        seen.get("/operating/jobs", limit=PAGE, **asked),
        seen.get("/operating/deployment"),
        seen.get("/operating/schedules"),
    )
    return {"listed": listed, "state": state, "jobs": deployment["jobs"], "scheduled": scheduled["items"]}


PAGES: Final = (
    Page("/operating", "operating/overview.html", "Deployment", OPERATOR, overview),
    Page("/operating/businesses", "operating/businesses.html", "Businesses", OPERATOR, businesses, lists=BUSINESSES),
    Page("/operating/businesses/new", "operating/new_business.html", "New business", OPERATOR, new_business),
    Page("/operating/businesses/{slug}", "operating/business.html", "Business", OPERATOR, business),
    Page("/operating/backups", "operating/backups.html", "Backups", OPERATOR, backups),
    Page("/operating/jobs", "operating/jobs.html", "Jobs", OPERATOR, jobs, lists=JOBS),
)
