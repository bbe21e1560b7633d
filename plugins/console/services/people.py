"""Who works here: people, invitations, roles and what they may do, API keys."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Nav, Page, Seen

NAVS: Final = (
    Nav("system", "People", "/people", "users", "users.see", order=20),
    Nav("system", "Roles", "/roles", "shield-check", "users.see", order=30),
    Nav("system", "API keys", "/keys", "key-round", "keys.manage", order=80),
)


async def _people(seen: Seen) -> Mapping[str, Any]:
    listed, invited, (roles, usual) = await asyncio.gather(
        seen.get("/users", limit=100, cursor=seen.query.get("cursor")),
        seen.get("/users/invitations", limit=50, state="open"),
        roles_to_give(seen),
    )
    return {"listed": listed, "invited": invited["items"], "roles": roles, "usual_role": usual}


async def _person(seen: Seen) -> Mapping[str, Any]:
    path = f"/users/{seen.path['user_id']}"
    (person, tag), (works, works_tag), (roles, _), places = await asyncio.gather(
        seen.get_tagged(path),
        seen.get_tagged(f"{path}/locations"),
        roles_to_give(seen),
        seen.get("/locations", limit=200),
    )
    shown = {"person": person, "tag": tag, "works": works["location_ids"], "works_tag": works_tag, "roles": roles}
    return {**shown, "places": places["items"], "title": person["name"]}


async def _matrix(seen: Seen) -> Mapping[str, Any]:
    return {"matrix": await seen.get("/roles/matrix")}


async def _role(seen: Seen) -> Mapping[str, Any]:
    (role, tag), matrix = await asyncio.gather(
        seen.get_tagged(f"/roles/{seen.path['role_id']}"), seen.get("/roles/matrix")
    )
    groups = [{**group, "limits": [_far(limit, role) for limit in group["limits"]]} for group in matrix["groups"]]
    return {"role": role, "tag": tag, "groups": groups, "title": role["name"], "held": set(role["permissions"])}


async def _keys(seen: Seen) -> Mapping[str, Any]:
    listed, matrix = await asyncio.gather(
        seen.get("/keys", limit=100, cursor=seen.query.get("cursor")), seen.get("/roles/matrix")
    )
    mine = set(seen.me["permissions"])
    groups = [
        {**group, "permissions": [one for one in group["permissions"] if one["name"] in mine]}
        for group in matrix["groups"]
        if group["plugin"] != "kernel"
    ]
    return {"listed": listed, "groups": [group for group in groups if group["permissions"]]}


def _far(limit: Mapping[str, Any], role: Mapping[str, Any]) -> Mapping[str, Any]:
    """A limit with how far this role may go; None for as far as it likes."""
    return {**limit, "value": role["limits"].get(limit["name"]), "applies": limit["name"] in role["limits"]}


async def roles_to_give(seen: Seen) -> tuple[list[tuple[str, str]], str]:
    """Roles by id and name, and the id of the one that most newcomers have: it may do little."""
    found = (await seen.get("/roles", limit=200))["items"]
    usual = next((one["id"] for one in found if one["code"] == "cashier"), "")
    return [(one["id"], seen.word(one["name"])) for one in found], usual


PAGES: Final = (
    Page("/people", "people/people.html", "People", "users.see", _people),
    Page("/people/{user_id}", "people/person.html", "Person", "users.see", _person, subject="user"),
    Page("/roles", "people/roles.html", "Roles", "users.see", _matrix),
    Page("/roles/{role_id}", "people/role.html", "Role", "users.see", _role, subject="role"),
    Page("/keys", "people/keys.html", "API keys", "keys.manage", _keys),
)
