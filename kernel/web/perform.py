"""From a matched route to its answer: decode, run the deed or the read, encode."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from kernel import metrics
from kernel.auth.identity import identify, standing_above
from kernel.auth.rights.approvals import store_request
from kernel.auth.rights.permissions import Rights
from kernel.auth.secrets.bearer import Bearer
from kernel.db import Phase, Transaction
from kernel.errors import (
    BusinessSuspended,
    Forbidden,
    NotFound,
    PluginFailed,
    SecondFactorDemanded,
)
from kernel.hooks import LeftOut, Pair
from kernel.logs import mention, now_known
from kernel.web.asking import read_header
from kernel.web.decode import decode_body, decode_path, decode_query, read_query
from kernel.web.keys import key_of
from kernel.web.languages import Languages
from kernel.web.problems import ENGLISH, Problem, as_duka_error, problem
from kernel.web.public_deeds import deed_for
from kernel.web.reach import refuse_elsewhere
from kernel.web.routes import IN_PERSON, OPERATOR, PUBLIC, SIGNED_IN, Route
from kernel.web.shaping import Shape, shape_of, shaped
from kernel.wire import Download, RawAnswer, RawRequest, Reply, Upload
from kernel.work import (
    NO_BUSINESS,
    Actor,
    Answered,
    ApprovalRequired,
    Deed,
    Deployment,
    Key,
    Origin,
    Standing,
    Work,
    heed,
)
from kernel.work.crash import crashpoint
from kernel.work.fields import refuse_unheld, shown
from kernel.work.leaving_out import note_strike, one_more

T = TypeVar("T")
STRANGER = Actor(None, "nobody", frozenset())
_UNCHANGED = ("ETag", "Cache-Control")
"""What an answer says again that is as it was: without it the kept one would be thrown away."""


class Visit:
    """One request on its way: where it came from, who sent it, and its open read transaction."""

    def __init__(
        self,
        deployment: Deployment,
        rights: Rights,
        request_id: str,
        address: str | None,
        languages: Languages = ENGLISH,
    ) -> None:
        self.deployment, self.rights, self.languages = deployment, rights, languages
        self.request_id, self.address = request_id, address
        self.headers: Mapping[str, str] = {}
        self.query_string = b""
        self.body = b""
        self.parsed: Any = None
        self.upload: Upload | None = None
        self.raw: RawRequest | None = None
        self.limit: asyncio.Timeout | None = None
        self.path: Mapping[str, str] = {}
        self.claims: Bearer | None = None
        self.transaction: Transaction | None = None
        self.standing: Standing | None = None
        self.is_head = False
        self.at_end = AsyncExitStack()
        self.passes_suspension = False
        self.passes_demand = False
        self.route: Route | None = None
        self._was_in = False

    async def enter(self) -> Standing:
        """Open the request's read transaction and find out who is calling. Raises Unauthenticated."""
        business = (self.claims and self.claims.business_id) or NO_BUSINESS
        await self.deployment.visitors.acquire(again=self._was_in)
        self._was_in = True
        try:
            self.transaction = await self.deployment.database.open(Phase.READ, business)
        except BaseException:
            self.deployment.visitors.release()
            raise
        self.standing = await self.identify(self.transaction)
        now_known(business=None if business == NO_BUSINESS else business, actor=self.standing.actor.id)
        crashpoint("gate.identified")
        return self.standing

    async def identify(self, transaction: Transaction) -> Standing:
        """Who is calling, as of now."""
        if self.claims is None:
            standing = await standing_above(transaction, STRANGER)
        else:
            standing = await identify(transaction, self.claims, self.rights, self.deployment.clock())
        await heed(self.deployment, transaction, standing)
        if standing.suspended and not self.passes_suspension:
            raise BusinessSuspended
        if standing.must_enrol and not self.passes_demand:
            raise SecondFactorDemanded("Your role takes a second factor here: begin with POST /auth/second-factor")
        return standing

    def problem(self, error: BaseException) -> Problem:
        """An error as this caller is told of it."""
        told = as_duka_error(error, self.request_id)
        metrics.PROBLEMS.labels(told.code).inc()
        return problem(told, self.request_id, self.languages, self.headers.get("accept-language"))

    def allow(self, seconds: float) -> None:
        """From now on the request has so long to be answered."""
        if self.limit is not None:
            self.limit.reschedule(asyncio.get_running_loop().time() + seconds)

    async def leave(self) -> None:
        """Give the connection back."""
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            try:
                await transaction.close()
            finally:
                self.deployment.visitors.release()


class Scene:
    """What a flow is given: it runs deeds one after another, each committed before the next step."""

    def __init__(self, visit: Visit, route: Route) -> None:
        self.visit, self.deployment = visit, visit.deployment
        self._route = route
        self.is_replay = False

    @property
    def key(self) -> Key | None:
        """The caller's idempotency key, where the flow is `keyed` and one was sent. Raises IdempotencyKeyInvalid.

        A flow that answers what it answered before sets `is_replay`.
        """
        return _key(self.visit, self._route, self.visit.path)

    @property
    def standing(self) -> Standing:
        """Who is calling, for which business, as of the gate."""
        assert self.visit.standing is not None  # noqa: S101 - the gate has set it, but for public routes
        return self.visit.standing

    @property
    def address(self) -> str | None:
        """Where the request came from."""
        return self.visit.address

    async def pause(self) -> None:
        """Give the request's connection back while it is not needed; the next deed finds out anew who is calling."""
        await self.visit.leave()

    async def deed(self, run: Callable[[Work], Awaitable[T]]) -> T:
        """Run one deed to its commit."""
        kept: list[T] = []

        async def keeping(work: Work) -> T:
            kept[:] = [await run(work)]
            return kept[0]

        visit = self.visit
        if visit.transaction is None:
            await visit.enter()
        assert visit.transaction is not None  # noqa: S101 - enter() has set both
        assert visit.standing is not None  # noqa: S101 - as above
        try:
            await Deed(
                self.deployment,
                visit.transaction,
                visit.standing,
                origin_of(visit, self._route),
                run=keeping,
                encode=lambda _: Answered(200, b""),
                identify=visit.identify,
            ).perform()
        finally:
            await visit.leave()
        return kept[0]

    async def deed_for(self, business_id: uuid.UUID, run: Callable[[Work], Awaitable[T]], **how: bool) -> T:
        """Run one deed as Duka itself, for a business that the request proves to be meant; see `public_deeds`."""
        await self.visit.leave()
        return await deed_for(
            self.deployment,
            business_id,
            run,
            origin=origin_of(self.visit, self._route),
            plugin=self._route.plugin,
            **how,
        )


async def perform(visit: Visit, route: Route, path: Mapping[str, str]) -> Answered:
    """Run a route for a visit. Raises DukaError; a refusal that asks for approval names the request it has stored."""
    visit.path = path
    mention(path)
    meant = route.meant_by(visit.parsed)
    if meant is not route and meant.longest_s is not None:
        visit.allow(meant.longest_s)
    route = meant
    try:
        return await _perform(visit, route, path)
    except ApprovalRequired as refusal:
        raise await _asked(visit, route, refusal) from refusal


async def _asked(visit: Visit, route: Route, refusal: ApprovalRequired) -> ApprovalRequired:
    """Store the request for approval, in a deed of its own, once the one that was refused is rolled back."""
    await visit.leave()
    approval_id = await Scene(visit, route).deed(lambda work: store_request(work, refusal.ask))
    return ApprovalRequired(refusal.ask, approval_id)


async def _perform(visit: Visit, route: Route, path: Mapping[str, str]) -> Answered:
    check_permission(visit, route)
    given: dict[str, Any] = {n: decode_path(n, path[n], kind) for n, kind in route.parameters.items()}
    asked = read_query(visit.query_string) if visit.query_string and route.raw is None else {}
    shape = shape_of(route.answer, route.includes, asked) if asked and route.takes_shape else None
    query = decode_query(asked, route.query)
    if route.query is not None:
        given["query"] = query
    if route.takes is not None:
        given["upload"] = visit.upload
    if route.raw is not None:
        given["raw"] = visit.raw
    if route.body is not None:
        given["data"] = decode_body(visit.body, route.body)
        refuse_unheld(visit.parsed, route.body, may_of(visit))
    if visit.standing is not None:
        refuse_elsewhere(visit.standing.actor, route.method, given, visit.parsed if route.body is not None else None)
    if route.kind == "flow":
        scene = Scene(visit, route)
        told = _encode(visit, route, await route.function(scene, **given))
        return msgspec.structs.replace(told, replayed=scene.is_replay)
    if visit.transaction is None:
        await visit.enter()
    if route.plugin in visit.deployment.registry.set_aside:
        raise NotFound
    assert visit.transaction is not None  # noqa: S101 - enter() has set both
    assert visit.standing is not None  # noqa: S101 - as above
    if route.kind == "query":
        return await _read_without_failing(visit, route, shape, given)
    answer = await Deed(
        visit.deployment,
        visit.transaction,
        visit.standing,
        origin_of(visit, route),
        run=lambda work: _run(work, route, given),
        encode=lambda value: _encode(visit, route, value),
        identify=visit.identify,
        key=_key(visit, route, path),
        read_first=route.read_first,
        if_match=visit.headers.get("if-match"),
        phase=Phase.SWITCH if route.switches else Phase.WRITE,
    ).perform()
    if answer.replayed:  # it was kept when the person may have seen more than today
        return msgspec.structs.replace(
            answer, body=shown(answer.body, route.answer, may_of(visit), visit.deployment.registry)
        )
    return answer


def _run(work: Work, route: Route, given: Mapping[str, Any]) -> Awaitable[Any]:
    if route.begins:
        work.begin(route.plugin)
    told: Awaitable[Any] = route.function(work, **given)
    return told


def may_of(visit: Visit) -> Callable[[str], bool]:
    """Whether whoever is calling holds a permission."""
    return (visit.standing.actor if visit.standing else STRANGER).may


async def _read_without_failing(visit: Visit, route: Route, shape: Shape | None, given: dict[str, Any]) -> Answered:
    """Read, again without whatever answer fails in a hook that may do without it."""
    left_out: frozenset[Pair] = frozenset()
    while True:
        assert visit.transaction is not None  # noqa: S101 - enter() has set both
        assert visit.standing is not None  # noqa: S101 - as above
        work = Work(visit.deployment, visit.transaction, visit.standing, origin_of(visit, route), left_out=left_out)
        try:
            return await _read(visit, route, work, shape, given)
        except LeftOut as failed:
            left_out = one_more(visit.deployment, visit.standing, left_out, failed)
            await visit.leave()
            await visit.enter()
        except PluginFailed as failed:
            note_strike(visit.deployment, visit.standing, failed)
            raise


async def _read(visit: Visit, route: Route, work: Work, shape: Shape | None, given: dict[str, Any]) -> Answered:
    value = await route.function(work, **given)
    if shape is not None and (shape.fields or shape.include):
        living = bool(shape.include) or (isinstance(value, Reply) and value.living)
        inner = await shaped(work, value.value if isinstance(value, Reply) else value, shape)
        value = replace(value, value=inner, living=living) if isinstance(value, Reply) else inner
    answer = _encode(visit, route, value)
    tag, known = answer.headers.get("ETag"), visit.headers.get("if-none-match")
    if tag and known and (known.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in known.split(","))):
        return Answered(304, b"", {name: answer.headers[name] for name in _UNCHANGED if name in answer.headers})
    return answer


def check_permission(visit: Visit, route: Route) -> None:
    """Refuse who may not use a route. Raises NotFound for a plugin that is off, Forbidden."""
    if route.permission == PUBLIC:
        return
    standing = visit.standing
    assert standing is not None  # noqa: S101 - the gate lets only public routes pass without one
    if route.permission == OPERATOR:
        if route.plugin in visit.deployment.registry.set_aside:
            raise NotFound
    elif route.plugin in visit.deployment.found.plugins and route.plugin not in standing.enabled:
        raise NotFound
    actor = standing.actor
    if route.permission == SIGNED_IN:
        if actor.id is None:
            raise Forbidden("Nobody is signed in at this till")
        return
    if route.permission == IN_PERSON:
        if not actor.in_person:
            raise Forbidden("Sign in with your password for this")
        return
    if route.permission != OPERATOR and standing.shop is None:
        raise NotFound("Choose a business first")
    if standing.read_only and route.kind not in ("query", "stream") and route.plugin != "auth":
        raise Forbidden("The business lets you look, not change anything")
    if not actor.may(route.permission):
        raise Forbidden(f"This needs the permission {route.permission}")


def origin_of(visit: Visit, route: Route) -> Origin:
    """Where a deed of a visit comes from."""
    approvals, asks = read_header(visit.headers)
    request = [dict(visit.path), visit.parsed]
    return Origin(route.operation, visit.request_id, visit.address, request, approvals, asks)


def _key(visit: Visit, route: Route, path: Mapping[str, str]) -> Key | None:
    assert visit.standing is not None  # noqa: S101 - perform() has entered
    who = visit.standing.actor.id
    return key_of(route, visit.headers, (path, visit.parsed), who, visit.deployment)


def _encode(visit: Visit, route: Route, value: Any) -> Answered:
    headers: dict[str, str] = {}
    status, reply = route.status, value if isinstance(value, Reply) else None
    if isinstance(value, RawAnswer):
        return Answered(value.status, value.body, {"Content-Type": value.media_type, **value.headers})
    if isinstance(value, Download):
        attached = f'attachment; filename="{value.name}"'
        headers = {"Content-Type": value.media_type, "Content-Disposition": attached, **value.headers}
        return Answered(200, b"", headers, file=value.file)
    if reply is not None:
        value, status = reply.value, reply.status or status
        if reply.location:
            headers["Location"] = reply.location
    if value is None and route.answer is None:
        return Answered(204 if status == 200 else status, b"", headers)
    headers["Content-Type"] = "application/json"
    body = shown(msgspec.json.encode(value), route.answer, may_of(visit), visit.deployment.registry)
    if reply is not None and reply.version is not None:
        digest = f".{hashlib.sha256(body).hexdigest()[:16]}" if reply.living else ""
        headers["ETag"] = f'"{reply.version}{digest}"'
    return Answered(status, body, headers)
