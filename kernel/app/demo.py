"""Demo businesses: made from data, then filled by every plugin that answers `seed_demo`."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files
from typing import Any, TypeVar

import sqlalchemy as sa

from kernel.auth import act, look
from kernel.auth.businesses.making import NewBusiness, Place, add_member, create_business, make_user, role_named
from kernel.auth.models import Location, User
from kernel.auth.secrets.passwords import hash_password
from kernel.db.tables import Business
from kernel.hooks import seed_demo
from kernel.work import SYSTEM, Actor, Deployment, Shop, Work

T = TypeVar("T")
PASSWORD = "DemoPass123!"  # noqa: S105 - printed at every start; a production deployment refuses demo data
DAYS = 30


class Demo:
    """A demo business in the making: what `seed_demo` is given.

    `notes` hands values from one plugin to those after it. `rng` is seeded by the business, so that every deployment
    gets the same data. `days` are the business dates to fill, a month or less, oldest first; the last is yesterday.
    `now`: today's trade goes so far.
    """

    def __init__(
        self,
        deployment: Deployment,
        shop: Shop,
        people: dict[str, list[Actor]],
        locations: dict[str, tuple[uuid.UUID, str]],
        days: int = DAYS,
    ) -> None:
        self.shop, self.region = shop, shop.region
        self.people, self.locations = people, locations
        self.rng = random.Random(shop.slug)  # noqa: S311 - demo data, not a secret
        self.now = deployment.clock().astimezone(shop.tz)
        today = self.now.date()
        self.days = [today - dt.timedelta(days=back) for back in range(days, 0, -1)]
        self.notes: dict[str, Any] = {}
        self._deployment = deployment

    async def act(
        self,
        run: Callable[[Work], Awaitable[T]],
        *,
        role: str = "owner",
        at: dt.datetime | None = None,
        deed: str = "demo",
    ) -> T:
        """Run a deed as someone of a role, at a time. deed: the operation it stands for in the trail."""
        person = self.rng.choice(self.people[role])
        return await act(self._deployment, self.shop.id, run, actor=person, deed=deed, at=at)


async def has_businesses(deployment: Deployment) -> bool:
    """Whether anything is there that demo data must not mix with."""

    async def count(work: Work) -> bool:
        return bool((await work.execute(sa.select(sa.func.count()).select_from(Business))).scalar_one())

    return await look(deployment, None, count)


async def make_demo(deployment: Deployment, say: Callable[[str], None]) -> None:
    """Make the demo businesses, with people in every role, and let every plugin fill them."""
    await make_businesses(deployment, demo_data()["businesses"], say)


async def make_businesses(
    deployment: Deployment, wanted: Iterable[dict[str, Any]], say: Callable[[str], None], days: int = DAYS
) -> None:
    """Make businesses as `demo.json` describes them, each with some days of trade."""
    hashed = await hash_password(PASSWORD)
    operator = await _operator(deployment, demo_data()["operator"], hashed)
    hooks = deployment.registry.hooks_for(deployment.registry.plugins)
    for said in wanted:
        say(f"making {said['name']} …")
        demo = await _business(deployment, said, hashed, operator, days)
        await hooks.tell(seed_demo, demo=demo)


def demo_data() -> Any:
    """What `demo.json` says: the businesses with their places and staff, and the operator."""
    return json.loads(files("kernel").joinpath("data", "demo.json").read_text())


def sign_ins() -> list[tuple[str, str, str, str]]:
    """(business, role, name, e-mail) of everyone in the demo; all have the same password."""
    data = demo_data()
    found = [
        (one["name"], person["role"], person["name"], person["email"])
        for one in data["businesses"]
        for person in one["staff"]
    ]
    return [*found, ("", "operator", data["operator"]["name"], data["operator"]["email"])]


async def _operator(deployment: Deployment, said: dict[str, str], hashed: str) -> uuid.UUID:
    async def make(work: Work) -> uuid.UUID:
        known = await work.execute(sa.select(User.id).where(User.email == said["email"]))
        id_: uuid.UUID | None = known.scalar_one_or_none()
        if id_ is not None:
            return id_
        return await make_user(work, email=said["email"], name=said["name"], password_hash=hashed, is_operator=True)

    return await act(deployment, None, make, deed="demo")


async def _business(deployment: Deployment, said: dict[str, Any], hashed: str, operator: uuid.UUID, days: int) -> Demo:
    new = NewBusiness(
        said["slug"],
        said["name"],
        said["region"],
        said["currency"],
        said["zone"],
        said.get("state_code"),
        said.get("tax_number"),
    )
    places = [
        Place(one["code"], one["name"], one["kind"], one["zone"], _minutes(one["day_cutoff"]))
        for one in said["locations"]
    ]

    async def make(work: Work) -> tuple[Shop, dict[str, list[Actor]], dict[str, tuple[uuid.UUID, str]]]:
        staff = [
            (person, await make_user(work, email=person["email"], name=person["name"], password_hash=hashed))
            for person in said["staff"]
        ]
        owner = next(id_ for person, id_ in staff if person["role"] == "owner")
        plugins = list(deployment.registry.plugins)
        shop = await create_business(work, new, owner_id=owner, plugins=plugins, places=places)
        await add_member(work, operator, await role_named(work, "owner"))
        people: dict[str, list[Actor]] = {}
        for person, id_ in staff:
            people.setdefault(person["role"], []).append(Actor(id_, person["name"], None))
            if id_ != owner:
                await add_member(work, id_, await role_named(work, person["role"]))
        rows = await work.execute(
            sa.select(Location.code, Location.id, Location.kind).where(Location.business_id == shop.id)
        )
        return shop, people, {row.code: (row.id, row.kind) for row in rows.all()}

    shop, people, locations = await act(deployment, None, make, actor=SYSTEM, deed="demo")
    return Demo(deployment, shop, people, locations, days)


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


__all__ = ["DAYS", "PASSWORD", "Demo", "demo_data", "has_businesses", "make_businesses", "make_demo", "sign_ins"]
