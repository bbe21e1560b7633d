"""Made-up businesses: names, places and staff by chance, the same for the same number on every deployment."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from kernel.auth import look
from kernel.db.tables import Business
from kernel.plugin import ROLES
from kernel.work import Deployment, Work

MOST_SHOPS = 2


async def made_up(deployment: Deployment, count: int) -> list[dict[str, Any]]:
    """So many businesses as `make_businesses` takes them, Kenyan and Indian in turn, with slugs that are free."""

    async def taken(work: Work) -> set[str]:
        return set((await work.execute(sa.select(Business.slug))).scalars())

    known = await look(deployment, None, taken)
    free = (one for one in _businesses() if one["slug"] not in known)
    return [next(free) for _ in range(count)]


def _businesses() -> Iterator[dict[str, Any]]:
    """All there can be; a name that comes up again bears a number."""
    names = json.loads(files("kernel").joinpath("data", "names.json").read_text())
    regions, seen, number = sorted(names, reverse=True), dict[str, int](), 0
    while True:
        region = regions[number % len(regions)]
        rng = random.Random(f"{region} {number}")  # noqa: S311 - made-up data, not a secret
        said = _business(region, names[region], rng)
        seen[said["name"]] = again = seen.get(said["name"], 0) + 1
        name = said["name"] if again == 1 else f"{said['name']} {again}"
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower())
        yield said | {"name": name, "slug": slug, "staff": _staff(slug, names[region], rng)}
        number += 1


def _business(region: str, names: Any, rng: random.Random) -> dict[str, Any]:
    streets = rng.sample(names["streets"], MOST_SHOPS)[: rng.randint(1, MOST_SHOPS)]
    place = {"zone": names["zone"], "day_cutoff": "00:00"}
    shops = [
        {"code": f"S{number}", "name": street, "kind": "storefront", **place}
        for number, street in enumerate(streets, start=1)
    ]
    store = {"code": "WH", "name": f"{streets[0]} store room", "kind": "warehouse", **place}
    return {
        "name": f"{rng.choice(names['families'])} {rng.choice(names['trades'])}",
        "region": region,
        "currency": names["currency"],
        "zone": names["zone"],
        "state_code": names["state_code"],
        "locations": [*shops, store],
    }


def _staff(slug: str, names: Any, rng: random.Random) -> list[dict[str, str]]:
    roles = [*ROLES, "cashier"]
    given = rng.sample(names["given"], len(roles))
    found = []
    for number, (role, first) in enumerate(zip(roles, given, strict=True)):
        account = role.replace("_", "-") if number < len(ROLES) else f"{role}-2"
        person = {"role": role, "name": f"{first} {rng.choice(names['families'])}"}
        found.append(person | {"email": f"{account}@{slug}.example"})
    return found
