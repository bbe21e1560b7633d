"""Apps: the catalogue of plugins, one of them, and what switching, installing or removing it would do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plugins.console.schemas import Find, Found, Nav, Page, Refused, Seen
from plugins.console.schemas.contributions import OPERATOR
from plugins.console.services.markdown import html_of

MANAGE: Final = "plugins.manage"
SWITCHING: Final = ("enable", "disable")
DEPLOYING: Final = ("install", "upgrade", "uninstall")
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "on": ("On", "ok"),
    "setup": ("Needs setup", "warn"),
    "failing": ("Left out", "bad"),
    "update": ("Update", "info"),
    "draining": ("Going off", "warn"),
    "off": ("Off", ""),
    "incompatible": ("Incompatible", "bad"),
    "quarantined": ("Quarantined", "bad"),
    "uninstalled": ("Not installed", ""),
}
"""How an app stands: code → words and the kind of their pill, in the order in which people look for them."""
HEADINGS: Final[Mapping[str, str]] = {
    "enable": "Turn on {name}",
    "disable": "Turn off {name}",
    "install": "Install {name}",
    "upgrade": "Upgrade {name}",
    "uninstall": "Uninstall {name}",
}
OPPOSITE: Final = {"enable": "disable", "disable": "enable", "install": "uninstall", "uninstall": "install"}
_HARMLESS: Final = ("none", "short")

NAVS: Final = (
    Nav("system", "Apps", "/apps", "blocks", MANAGE, order=10),
    Nav("operator", "Apps of the deployment", "/operating/apps", "puzzle", OPERATOR, order=25),
)


async def listed(seen: Seen) -> Mapping[str, Any]:
    """All apps as cards, those in one state, or those that words fit."""
    plugins, settings, health = await asyncio.gather(
        seen.get("/plugins"), seen.look("/settings"), seen.look("/plugins/health")
    )
    missing = {one["plugin"]: one["missing"] for one in _items(settings)}
    health_of = {one["name"]: one["state"] for one in _items(health)}
    titles = {one["name"]: one["title"] for one in plugins["items"]}
    cards = [
        {
            **one,
            "summary": words_of(one),
            "takes": [said["path"][-1] for said in one["hindrances"] if said["code"] == "missing"],
            "shown": state_of(one, missing.get(one["name"], ()), health_of.get(one["name"], "")),
        }
        for one in plugins["items"]
    ]
    counts = Counter(one["shown"] for one in cards)
    words, wanted = seen.query.get("q", "").strip().lower(), seen.query.get("state", "")
    shown = [one for one in cards if wanted in ("", one["shown"]) and _fits(one, words)]
    shown.sort(key=lambda one: (list(STATES).index(one["shown"]) == len(STATES) - 1, one["title"].lower()))
    return {
        "apps": shown,
        "titles": titles,
        "states": [(code, *STATES[code], counts[code]) for code in STATES if counts[code]],
        "total": len(cards),
        "all_states": STATES,
    }


async def one(seen: Seen) -> Mapping[str, Any]:
    """One app, with all that its plan tells."""
    name = seen.path["name"]
    plugin = await seen.get(f"/plugins/{name}")
    is_here = plugin["state"] not in ("uninstalled", "quarantined")
    plan, health, settings, history, along, plugins = await asyncio.gather(
        _plan(seen, name, "enable" if is_here else "install"),
        seen.look("/plugins/health"),
        seen.look(f"/settings/{name}") if is_here else _nothing(),
        seen.look("/audit", subject=f"plugin:{name}", limit=20),
        seen.look("/audit", deed="plugins.apply_to_plugin", limit=50),
        seen.get("/plugins"),
    )
    own = next((one for one in _items(health) if one["name"] == name), None)
    missing = settings["missing"] if settings else []
    first, _, rest = plugin["description"].partition("\n## ")
    rest = f"## {rest}" if rest else ""
    return {
        "app": plugin,
        "shown": state_of(plugin, missing, own["state"] if own else ""),
        "states": STATES,
        "plan": plan,
        "health": own,
        "settings": settings,
        "history": history_of(name, [*_items(history), *_items(along)]),
        "titles": {one["name"]: one["title"] for one in plugins["items"]},
        "title": plugin["title"],
        "summary": words_of(plugin),
        "description": html_of(first),
        "more": html_of(rest),
    }


async def switching(seen: Seen) -> Mapping[str, Any]:
    """What switching an app would do here, to be applied by its hash."""
    return await _planned(seen, SWITCHING, "/apps")


async def deploying(seen: Seen) -> Mapping[str, Any]:
    """What an action would do to the whole deployment, to be applied by its hash."""
    return await _planned(seen, DEPLOYING, "/operating/apps")


async def deployed(seen: Seen) -> Mapping[str, Any]:
    """The apps of the deployment: versions, and what waits to be done with them."""
    plugins = (await seen.get("/plugins"))["items"]
    rows = [{**one, "summary": words_of(one), "shown": deployed_state_of(one)} for one in plugins]
    words = seen.query.get("q", "").strip().lower()
    shown = [one for one in rows if _fits(one, words)]
    order = ("quarantined", "update", "installed", "uninstalled")
    return {
        "apps": sorted(shown, key=lambda one: (order.index(one["shown"]), one["title"].lower())),
        "titles": {one["name"]: one["title"] for one in plugins},
    }


def deployed_state_of(plugin: Mapping[str, Any]) -> str:
    """How a plugin stands in the deployment, whatever is on where."""
    if plugin["state"] in ("quarantined", "uninstalled"):
        return str(plugin["state"])
    return "update" if plugin["version_installed"] else "installed"


async def _planned(seen: Seen, actions: Sequence[str], base: str) -> Mapping[str, Any]:
    name, action = seen.path["name"], seen.path["action"]
    if action not in actions:
        raise Refused(404, {"title": "There is no such page"})
    archive, also = seen.query.get("archive") or None, _named(seen.query.get("also", ""))
    asked: dict[str, Any] = {"action": action, **({"archive": archive} if archive else {})}
    if action in SWITCHING:
        asked |= {"along": True, "also": also}
    plan, plugins = await asyncio.gather(seen.post(f"/plugins/{name}/plan", asked), seen.get("/plugins"))
    titles = {one["name"]: one["title"] for one in plugins["items"]}
    others = [one for one in plan["turn"] if one != name]
    held = await seen.get("/operating/rehearsals") if action == "upgrade" else None
    return {
        "plan": plan,
        "rehearsal": rehearsal_of(plan, held["items"]) if held else None,
        "is_rehearsed_now": bool(held and held["is_under_way"]),
        "parts": parts_of(plan),
        "action": action,
        "also": also,
        "others": others,
        "heading": HEADINGS[action],
        "verdict": verdict_of(plan),
        "titles": titles,
        "opposite": _way_back(name, action, others, base),
        "is_deploying": action in DEPLOYING,
        "base": base,
    }


def rehearsal_of(plan: Mapping[str, Any], held: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest rehearsal of the version that the plan is of, if the plan's migrations ran in it or it failed."""
    name, runs = plan["plugin"], {one["revision"] for one in plan["migrations"]}
    return next(
        (
            one
            for one in held
            if one["plugins"].get(name) == plan["version"] and (one["fault"] or runs.issubset(one["migrated"]))
        ),
        None,
    )


def parts_of(plan: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What comes or goes with each app of a plan, in their turn."""
    by_name = {one["plugin"]: one for one in (*plan["along"], plan)}
    return [by_name[name] for name in plan["turn"]]


def _way_back(name: str, action: str, others: Sequence[str], base: str) -> str:
    """The page of the opposite plan, of all that this one switches."""
    if action not in OPPOSITE:
        return ""
    return f"{base}/{name}/{OPPOSITE[action]}" + (f"?also={','.join(others)}" if others else "")


def _named(said: str) -> list[str]:
    return [one for one in said.split(",") if one][:100]


async def find(seen: Seen, words: str) -> Sequence[Found]:
    """Apps that words fit."""
    plugins = await seen.get("/plugins")
    fit = [one for one in plugins["items"] if _fits(one, words.lower())]
    return [Found(one["title"], f"/apps/{one['name']}", words_of(one)) for one in fit]


def words_of(plugin: Mapping[str, Any]) -> str:
    """What it is for, without its name before it."""
    said = str(plugin["summary"])
    rest = said.removeprefix(f"{plugin['title']}: ")
    return rest if rest == said else rest[:1].upper() + rest[1:]


def state_of(plugin: Mapping[str, Any], missing: Sequence[str], health: str) -> str:
    """How an app stands, as one of `STATES`. missing: settings without a value. health: of the business's own view."""
    state = plugin["state"]
    if state in ("uninstalled", "quarantined", "draining"):
        return str(state)
    if state == "available":
        blocked = any(one["code"] in ("rival", "order") for one in plugin["hindrances"])
        return "incompatible" if blocked else "off"
    if health == "tripped":
        return "failing"
    if missing:
        return "setup"
    return "update" if plugin["version_installed"] else "on"


def verdict_of(plan: Mapping[str, Any]) -> str:
    """Red where it cannot be done, amber where somebody should look first, green else; grey where it is so already."""
    if plan["is_done"]:
        return "info"
    if plan["hindrances"]:
        return "bad"
    effects = {said["effect"] for one in plan["migrations"] for said in one["statements"]}
    looks = (
        plan["action"] == "uninstall",
        "console" in plan["turn"] and plan["action"] == "disable",
        any(one["obligations"] for one in parts_of(plan)),
        plan["action"] == "disable" and plan["along"],
        effects.difference(_HARMLESS),
        any(not one["is_whole"] for one in plan["migrations"]),
        any(one["changed"] for one in plan["consequences"]),
        any(one["is_required"] for one in plan["settings"]) and plan["action"] == "install",
    )
    return "warn" if any(looks) else "ok"


def history_of(name: str, deeds: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The deeds that switched an app, by itself or along with another, newest first."""
    own = {
        one["id"]: one
        for one in deeds
        if (one["facts"].get("action") or one["facts"].get("state"))
        and (one["subject"] == f"plugin:{name}" or name in one["facts"].get("along", ()))
    }
    return sorted(own.values(), key=lambda one: str(one["at"]), reverse=True)[:20]


async def _plan(seen: Seen, name: str, action: str) -> Any:
    """The plan, None where its reader may not see it or there is nothing to plan."""
    try:
        return await seen.post(f"/plugins/{name}/plan", {"action": action})
    except Refused:
        return None


async def _nothing() -> None:
    return None


def _items(answer: Any) -> Sequence[Any]:
    found: Sequence[Any] = answer["items"] if answer else ()
    return found


def _fits(app: Mapping[str, Any], words: str) -> bool:
    said = f"{app['name']} {app['title']} {app['summary']}".lower()
    return all(word in said for word in words.split())


PAGES: Final = (
    Page("/apps", "apps/list.html", "Apps", MANAGE, listed),
    Page("/apps/{name}", "apps/one.html", "App", MANAGE, one),
    Page("/apps/{name}/{action}", "apps/plan.html", "Plan", MANAGE, switching),
    Page("/operating/apps", "apps/deployed.html", "Apps of the deployment", OPERATOR, deployed),
    Page("/operating/apps/{name}/{action}", "apps/plan.html", "Plan", OPERATOR, deploying),
)
FINDS: Final = (Find("apps", "Apps", "blocks", find, MANAGE, order=80),)
