"""Builds the served application from settings: deployment, routes of every installed plugin, gate, job loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from kernel.app import pages, purging
from kernel.app.health import Health
from kernel.app.routes import (
    account,
    approvals,
    archives,
    audit,
    auth,
    invitations,
    keys,
    operating,
    people,
    places,
    roles,
    running,
    second_factor,
    support,
    tills,
)
from kernel.audit import Sealer
from kernel.auth.accounts import housekeeping, letters
from kernel.auth.identity import standing_of_business
from kernel.auth.rights.permissions import Rights
from kernel.db import Database
from kernel.errors import DukaError
from kernel.jobs import Runner
from kernel.logs import never_show
from kernel.registry import Registry, discover, functions_of
from kernel.settings import Settings, secret_key
from kernel.web import Gate, Languages, Problem, Route, Visit, as_duka_error, perform, problem
from kernel.web.exports import sent
from kernel.web.languages import FOLDER
from kernel.work import Clock, Deployment, system_clock
from kernel.work.crash import crashpoint

log = logging.getLogger("duka.web")
PREFIX = "/api/v1"
LAST_JOB_S = 10.0
"""A job, or a round of a loop, that is under way when the server stops is given so long to end."""
KERNEL_JOBS = (housekeeping, letters)
"""Modules that declare jobs of the kernel, by being imported."""


class Served:
    """The ASGI application, with what it was built from."""

    def __init__(self, deployment: Deployment, routes: list[Route], gate: Gate, health: Health) -> None:
        self.deployment, self.routes, self.gate, self.health = deployment, routes, gate, health
        trusted = list(deployment.settings.trusted_proxies)
        self._entrance: Any = ProxyHeadersMiddleware(gate, trusted) if trusted else gate  # type: ignore[arg-type]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve. What proxies say of the caller is believed of those that are trusted, and of nobody else."""
        await self._entrance(scope, receive, send)


def open_deployment(
    settings: Settings, *, registry: Registry | None = None, clock: Clock = system_clock, patient: bool = False
) -> Deployment:
    """A deployment from its settings, plugins loaded. patient: no statement time-outs."""
    role = settings.database_role if settings.url.startswith("postgresql") else ""
    settings.home_path.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url, role=role, pool_size=settings.pool_size, patient=patient)
    secret = secret_key(settings)
    never_show(secret, *settings.secrets().values())
    return Deployment(settings, database, registry or discover(), secret, clock)


def create_app(deployment: Deployment) -> Served:
    """The application of a deployment: its routes are those of every installed plugin, whatever is enabled where."""
    rights = Rights(deployment.registry)
    routes = [*kernel_routes(), *plugin_routes(deployment.registry)]
    docs, health = pages.Pages(deployment, rights, routes), Health(deployment)

    @contextlib.asynccontextmanager
    async def running_jobs(_app: Litestar) -> AsyncIterator[None]:
        stop = asyncio.Event()
        loops = _loops(deployment, stop) if deployment.settings.jobs == "embedded" else []
        tasks = [asyncio.create_task(one) for one in loops]
        health.begin()
        try:
            yield
        finally:
            health.stop()
            stop.set()
            deployment.jobs_due.set()
            await _ended(tasks)
            await deployment.database.dispose()

    app = Litestar(
        route_handlers=[*(_handler(route) for route in routes), *docs.handlers(), *health.handlers()],
        lifespan=[running_jobs],
        exception_handlers={
            DukaError: _told,
            NotFoundException: _told,
            MethodNotAllowedException: _told,
            Exception: _told,
        },
        openapi_config=None,
        logging_config=None,
        pdb_on_exception=False,
        debug=False,
    )
    languages = Languages([FOLDER, *(one.folder / "locale" for one in deployment.registry.in_order())])
    return Served(deployment, routes, Gate(app, deployment, rights, routes, languages), health)


def kernel_routes() -> list[Route]:
    """The kernel's own routes."""
    found = [
        route.mounted("auth", f"{PREFIX}/auth")
        for module in (auth, account, archives)
        for route in functions_of(module, Route)
    ]
    people_and_roles = (invitations, people, approvals, roles, second_factor, keys, tills)
    for module in (*people_and_roles, places, running, audit, operating, support):
        found += [
            route.mounted(route.path.split("/")[1].replace("-", "_"), PREFIX) for route in functions_of(module, Route)
        ]
    return found


def plugin_routes(registry: Registry) -> list[Route]:
    """The routes of every installed plugin, each below the plugin's own name."""
    return [
        route.mounted(one.name, f"{PREFIX}/{one.name}")
        for one in registry.in_order()
        for route in functions_of(one.routes, Route)
    ]


def _loops(deployment: Deployment, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    """What a server does besides answering: jobs, sealing the audit trail, deleting businesses that were given up."""
    jobs = Runner(deployment, standing_of_business).loop(stop)
    return [jobs, Sealer(deployment, standing_of_business).loop(stop), purging.loop(deployment, stop)]


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for loops that were told to stop; what still runs after a while is broken off, and so rolled back."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=LAST_JOB_S)
    for task in late:
        task.cancel()
    for said in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(said, Exception):
            log.error("a loop ended with an error", exc_info=said)


def _handler(route: Route) -> HTTPRouteHandler:
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes] | Stream:
        visit: Visit = request.scope["duka"]  # type: ignore[typeddict-item]
        visit.route = route
        try:
            answer = await perform(visit, route, request.scope["path_params"])
        except Exception as error:
            told = visit.problem(error)
            await visit.leave()
            return _response(told)
        await visit.leave()
        crashpoint("deed.before_answer")
        headers = dict(answer.headers)
        if answer.file is not None:
            return Stream(sent(answer.file), headers=headers, media_type=headers["Content-Type"])
        if answer.replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(answer.body, status_code=answer.status, headers=headers, media_type="application/json")

    handle.__name__ = route.function.__name__
    path = route.path.replace("}", ":str}")
    return HTTPRouteHandler(path, http_method=[route.method], status_code=200, name=route.operation)(handle)  # type: ignore[list-item]


def _told(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    visit: Visit | None = request.scope.get("duka")  # type: ignore[assignment]
    return _response(visit.problem(error) if visit else problem(as_duka_error(error, ""), ""))


def _response(told: Problem) -> Response[bytes]:
    return Response(
        told.body, status_code=told.status, headers=dict(told.headers), media_type=told.headers["Content-Type"]
    )
