"""A deployment in a box: two ready businesses on a throw-away database, people in every role, an API client.

async def test_something(box):
    owner = box.client("owner")
    answer = await owner.get("/api/v1/plugins")
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa
from msgspec import structs

from kernel.app import Served, create_app, open_deployment
from kernel.app.prepare import prepare
from kernel.auth import act, look
from kernel.auth.businesses.making import NewBusiness, Place, add_member, create_business, make_user, role_named
from kernel.auth.identity import standing_of_business
from kernel.auth.models import Location, Membership, SignIn, User
from kernel.auth.rights.permissions import Rights
from kernel.auth.secrets.passwords import hash_password
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.db import new_id
from kernel.db.tables import Audit, Business, Job, JobPayload
from kernel.jobs import Runner
from kernel.plugin import ROLES
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.compiled import keep_compiled, use_compiled
from kernel.work import SYSTEM, Actor, Deployment, Shop, Work, system_clock

__all__ = ["MORNING", "PASSWORD", "PLACES", "SECRET", "SHOPS", "Box", "Client", "Clock", "open_box"]

T = TypeVar("T")
PASSWORD = "a password for tests"  # noqa: S105 - of accounts that live for one test
SECRET = "a secret for tests that is long enough"  # noqa: S105 - as above
SHOPS = {
    "mama-njeri": NewBusiness("mama-njeri", "Mama Njeri Stores", "KE", "KES", "Africa/Nairobi"),
    "sharma-kirana": NewBusiness("sharma-kirana", "Sharma Kirana", "IN", "INR", "Asia/Kolkata", "08"),
}
MORNING = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
"""When a box is opened, whatever the day on which the tests run; what it holds was made an hour before."""
PLACES = (Place("kilimani", "Kilimani", "storefront"), Place("store", "Store room", "warehouse"))


class Clock:
    """The time, as a test sets it; it stands still."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        """The time it is."""
        return self.now

    def pass_by(self, **length: float) -> None:
        """Let time go by: `clock.pass_by(hours=2)`."""
        self.now += dt.timedelta(**length)


class Client:
    """One person calling the API. POSTs carry a fresh Idempotency-Key unless one is given."""

    def __init__(self, http: httpx.AsyncClient, token: str | None) -> None:
        self.http, self.token = http, token

    async def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """GET a path below /api/v1 (or any that starts with /)."""
        return await self.send("GET", path, **kwargs)

    async def post(self, path: str, json: Any = None, *, key: str | None = None, **kwargs: Any) -> httpx.Response:
        """POST JSON."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, **kwargs.pop("headers", {})}
        return await self.send("POST", path, json=json, headers=headers, **kwargs)

    async def patch(self, path: str, json: Any, *, version: int | None = None) -> httpx.Response:
        """PATCH JSON with the version last read."""
        return await self.send(
            "PATCH", path, json=json, headers={} if version is None else {"If-Match": f'"{version}"'}
        )

    async def send(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Any request."""
        headers = dict(kwargs.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if "json" in kwargs and kwargs["json"] is None:
            del kwargs["json"]
        return await self.http.request(method, path, headers=headers, **kwargs)


class Box:
    """What a test is given."""

    def __init__(
        self, deployment: Deployment, shops: Mapping[str, Shop], people: Mapping[tuple[str, str], Actor]
    ) -> None:
        self.deployment, self.shops, self.people = deployment, shops, people
        self.shop, self.other = shops["mama-njeri"], shops["sharma-kirana"]
        self.app: Served = create_app(deployment)
        self.app.health.begin()
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://duka.test")

    @property
    def clock(self) -> Clock:
        """The box's clock."""
        clock = self.deployment.clock
        assert isinstance(clock, Clock)
        return clock

    def client(self, role: str | None, shop: str = "mama-njeri") -> Client:
        """A client signed in as the person of a role (None: not signed in; "operator": the deployment's operator)."""
        if role is None:
            return Client(self.http, None)
        person = self.people[shop, role]
        assert person.id
        assert person.session_id
        claims = Claims(person.id, person.session_id, self.shops[shop].id)
        return Client(
            self.http,
            make_access_token(claims, self.deployment.secret, self.deployment.clock(), dt.timedelta(days=400)),
        )

    async def act(
        self, run: Callable[[Work], Awaitable[T]], *, role: str | None = None, shop: str = "mama-njeri", **how: Any
    ) -> T:
        """Run a deed for a business as the person of a role (None: Duka itself, which may do everything)."""
        return await act(
            self.deployment, self.shops[shop].id, run, actor=await self._actor(role, shop), deed="test", **how
        )

    async def look(self, run: Callable[[Work], Awaitable[T]], *, shop: str = "mama-njeri") -> T:
        """Read for a business."""
        return await look(self.deployment, self.shops[shop].id, run)

    async def location(self, code: str = "kilimani", shop: str = "mama-njeri") -> uuid.UUID:
        """The id of a location."""

        async def find(work: Work) -> uuid.UUID:
            found = await work.execute(
                sa.select(Location.id).where(Location.business_id == work.business_id, Location.code == code)
            )
            id_: uuid.UUID = found.scalar_one()
            return id_

        return await self.look(find, shop=shop)

    async def run_jobs(self) -> int:
        """Run what is due by the box's clock, schedules included, until nothing is; returns how many jobs ran."""
        runner, ran = Runner(self.deployment, standing_of_business), 0
        while done := await runner.run_due():
            ran += done
        return ran

    async def jobs(self, state: str = "pending", shop: str = "mama-njeri") -> list[Mapping[str, Any]]:
        """The jobs of a business in a state, oldest first: rows with `name`, `run_at`, `payload`, `error` and so on."""
        columns = (*Job.__table__.c, JobPayload.payload)
        statement = (
            sa.select(*columns)
            .outerjoin(JobPayload, sa.and_(JobPayload.business_id == Job.business_id, JobPayload.job_id == Job.id))
            .where(Job.business_id == self.shops[shop].id, Job.state == state)
            .order_by(Job.id)
        )
        return await self._rows(statement, shop)

    async def trail(self, subject: str, shop: str = "mama-njeri") -> list[Mapping[str, Any]]:
        """The audit rows about a subject such as `product:<id>`, oldest first."""
        here = sa.and_(Audit.business_id == self.shops[shop].id, Audit.subject == subject)
        return await self._rows(sa.select(Audit.__table__).where(here).order_by(Audit.id), shop)

    async def letters(self) -> list[EmailMessage]:
        """The letters sent so far, oldest first; what is due is sent first."""
        await self.run_jobs()
        folder = self.deployment.settings.home_path / "mail"
        found = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns) if folder.is_dir() else []
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]

    async def close(self) -> None:
        """Close connections."""
        await self.http.aclose()
        await self.deployment.database.dispose()

    async def _rows(self, statement: sa.Select[Any], shop: str) -> list[Mapping[str, Any]]:
        async def read(work: Work) -> list[Mapping[str, Any]]:
            return [dict(row) for row in (await work.execute(statement)).mappings()]

        return await self.look(read, shop=shop)

    async def _actor(self, role: str | None, shop: str) -> Actor:
        if role is None:
            return SYSTEM
        person = self.people[shop, role]

        async def held(work: Work) -> Actor:
            rights, enabled = Rights(self.deployment.registry), work.standing.enabled
            limits = rights.limits_of(role, {}, enabled)
            return structs.replace(person, permissions=rights.of(role, (), (), enabled), limits=limits)

        return await self.look(held, shop=shop)


async def prepare_template(settings: Settings, registry: Registry, plugins: Iterable[str]) -> None:
    """Make the two businesses and their people in an empty database."""
    deployment = open_deployment(
        settings, registry=registry, clock=Clock(MORNING - dt.timedelta(hours=1)), patient=True
    )
    await prepare(deployment)
    hashed = await hash_password(PASSWORD)

    async def make(work: Work, new: NewBusiness) -> None:
        users = {}
        for role in (*ROLES, "operator"):
            email = f"{role}@{new.slug}.example"
            is_operator = role == "operator"
            users[role] = await make_user(
                work, email=email, name=role.title(), password_hash=hashed, is_operator=is_operator
            )
            await work.execute(sa.insert(SignIn).values(id=new_id(), user_id=users[role], created_at=system_clock()))
        await create_business(work, new, owner_id=users["owner"], plugins=plugins, places=PLACES)
        for role in (*ROLES[1:], "operator"):
            await add_member(work, users[role], await role_named(work, "owner" if role == "operator" else role))

    for new in SHOPS.values():
        await act(deployment, None, lambda work, new=new: make(work, new), deed="test")  # type: ignore[misc]
    await deployment.database.dispose()


async def open_box(settings: Settings, registry: Registry, *, clock: Clock | None = None) -> Box:
    """A box on a database made from the template."""
    deployment = open_deployment(settings, registry=registry, clock=clock or Clock(MORNING))
    use_compiled(deployment.database)

    async def read(work: Work) -> tuple[dict[str, Shop], dict[tuple[str, str], Actor]]:
        columns = (
            Business.id,
            Business.slug,
            Business.name,
            Business.region,
            Business.subdivision,
            Business.currency,
            Business.zone,
        )
        rows = (await work.execute(sa.select(*columns))).all()
        shops = {row.slug: Shop(*tuple(row)) for row in rows}
        found = await work.execute(
            sa.select(User.id, User.name, User.email, SignIn.id.label("sign_in"), Business.slug)
            .join(SignIn, SignIn.user_id == User.id)
            .join(Membership, Membership.user_id == User.id)
            .join(Business, Business.id == Membership.business_id)
        )
        people = {
            (row.slug, row.email.partition("@")[0]): Actor(row.id, row.name, frozenset(), False, row.sign_in)
            for row in found.all()
        }
        return shops, people

    shops, people = await look(deployment, None, read)
    keep_compiled(deployment.database)
    return Box(deployment, shops, people)
