"""Builds the served application from settings: deployment, routes of every installed plugin, gate."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from kernel.app import figures, health, pages, plans
from kernel.app.routes import (
    account,
    approvals,
    archives,
    audit,
    auth,
    custom_fields,
    deployed,
    invitations,
    keys,
    operating,
    people,
    places,
    plugin_health,
    plugins,
    roles,
    running,
    safekeeping,
    second_factor,
    support,
    tills,
)
from kernel.app.routes import settings as plugin_settings
from kernel.app.served import Served
from kernel.app.settling import settled
from kernel.auth.accounts import housekeeping, letters
from kernel.auth.rights.permissions import Rights
from kernel.db import Database
from kernel.db.engine import COMMAND, SERVING
from kernel.errors import DukaError
from kernel.hooks import Strikes
from kernel.logs import never_show, now_known
from kernel.registry import Loaded, Registry, discover, functions_of
from kernel.settings import Settings, secret_key
from kernel.web import OPERATOR, Gate, Languages, Problem, Route, Site, Visit, as_duka_error, perform, problem
from kernel.web.exports import sent
from kernel.web.languages import FOLDER
from kernel.web.paths import Paths
from kernel.web.streams import listen
from kernel.work import Clock, Deployment, heed_now, system_clock
from kernel.work.crash import crashpoint

PREFIX = "/api/v1"
OPERATORS = "operating/"
KERNEL_JOBS = (housekeeping, letters, plans)
"""Modules that declare jobs of the kernel, by being imported."""


def open_deployment(
    settings: Settings,
    *,
    registry: Registry | None = None,
    clock: Clock = system_clock,
    patient: bool = False,
    name: str = SERVING,
) -> Deployment:
    """A deployment from its settings, plugins loaded. patient: no statement time-outs. name: of its sessions."""
    role = settings.database_role if settings.url.startswith("postgresql") else ""
    settings.home_path.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url, role=role, pool_size=settings.pool_size, patient=patient, name=name)
    secret = secret_key(settings)
    never_show(secret, *settings.secrets().values())
    strikes = Strikes(settings.hook_strikes, dt.timedelta(minutes=settings.hook_strikes_minutes))
    return Deployment(settings, database, registry or discover(), secret, clock, strikes=strikes)


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, patient: bool = True, settle: bool = False) -> AsyncIterator[Deployment]:
    """A deployment for one command, with all the time it needs; its connections are closed at the end.

    settle: without the plugins whose migrations have not run, as it is served.
    """
    registry = await settled(settings, discover()) if settle else None
    deployment = open_deployment(settings, registry=registry, patient=patient, name=COMMAND)
    try:
        await heed_now(deployment)
        yield deployment
    finally:
        await deployment.database.dispose()


def create_app(deployment: Deployment) -> Served:
    """The application of a deployment: its routes are those of every installed plugin, whatever is enabled where."""
    rights = Rights(deployment.found)
    routing = _routing(deployment.found, rights)
    gate = Gate(routing.app, deployment, rights, routing.paths, routing.languages, sites_of(deployment.registry))
    return Served(deployment, routing.routes, gate)


def sites_of(registry: Registry) -> dict[str, Site]:
    """What plugins serve to browsers: name → its site."""
    return {one.name: site for one in registry.in_order() for site in functions_of(one.site, Site)}


@dataclass(frozen=True)
class _Routing:
    """What follows from a registry alone: its routes, Litestar with their handlers, their paths, the languages."""

    registry: Registry
    routes: list[Route]
    app: Litestar
    paths: Paths
    languages: Languages


_LATEST: list[_Routing] = []
FEW = 3
"""Kept of them; a deployment has one, tests take turns with several."""


def _routing(registry: Registry, rights: Rights) -> _Routing:
    """The routing of a registry.

    It knows no deployment, so one that was made is taken again as long as the routes are the same: making one takes
    half a second, which the tests would pay for each database that they open.
    """
    routes = [*kernel_routes(), *plugin_routes(registry)]
    for latest in _LATEST:
        if latest.registry is registry and latest.routes == routes:
            return latest
    docs = pages.Pages(registry, rights, routes)
    app = Litestar(
        route_handlers=[*map(_handler, routes), *docs.handlers(), *health.handlers(), *figures.handlers()],
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
    languages = Languages([FOLDER, *(one.folder / "locale" for one in registry.in_order())])
    made = _Routing(registry, routes, app, Paths(routes), languages)
    _LATEST[:] = [made, *_LATEST[: FEW - 1]]
    return made


def kernel_routes() -> list[Route]:
    """The kernel's own routes."""
    found = [
        _mounted(route, "auth", f"{PREFIX}/auth")
        for module in (auth, account, archives)
        for route in functions_of(module, Route)
    ]
    people_and_roles = (invitations, people, approvals, roles, second_factor, keys, tills)
    of_plugins = (plugins, plugin_settings, running, plugin_health)
    for module in (
        *people_and_roles,
        places,
        custom_fields,
        *of_plugins,
        audit,
        operating,
        deployed,
        safekeeping,
        support,
    ):
        found += [
            _mounted(route, route.path.split("/")[1].replace("-", "_"), PREFIX) for route in functions_of(module, Route)
        ]
    return found


def plugin_routes(registry: Registry) -> list[Route]:
    """The routes of every installed plugin, each below the plugin's own name."""
    return [route for one in registry.in_order() for route in routes_of(one)]


def routes_of(plugin: Loaded) -> list[Route]:
    """A plugin's routes as they are mounted; those for operators below `operating`, wherever the plugin is on."""
    begins = plugin.manifest.begins
    return [
        _mounted(
            route,
            plugin.name,
            f"{PREFIX}/{OPERATORS if route.permission == OPERATOR else ''}{plugin.name}",
            begins=route.function.__name__ in begins,
        )
        for route in functions_of(plugin.routes, Route)
    ]


_MOUNTED: dict[tuple[int, str, str, bool], tuple[Route, Route, list[dict[str, Any]]]] = {}
"""Route as its module has it → itself, as it was mounted before, and what both were like then.

For the boxes of tests, which mount them again and again, and break one now and then.
"""


def _mounted(route: Route, plugin: str, prefix: str, *, begins: bool = False) -> Route:
    known = (id(route), plugin, prefix, begins)
    if known in _MOUNTED:
        _, mounted, as_made = _MOUNTED[known]
        if [vars(one) for one in (route, mounted, *mounted.instead.values())] == as_made:
            return mounted
    mounted = replace(route.mounted(plugin, prefix), begins=begins)
    as_made = [dict(vars(one)) for one in (route, mounted, *mounted.instead.values())]
    _MOUNTED[known] = route, mounted, as_made
    return mounted


def _handler(route: Route) -> HTTPRouteHandler:
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes] | Stream:
        visit: Visit = request.scope["duka"]  # type: ignore[typeddict-item]
        visit.route = route
        now_known(plugin=route.plugin)
        try:
            answer = await (listen if route.kind == "stream" else perform)(visit, route, request.scope["path_params"])
        except Exception as error:
            told = visit.problem(error)
            await visit.leave()
            return _response(told)
        await visit.leave()
        crashpoint("deed.before_answer")
        headers = dict(answer.headers)
        if answer.file is not None:
            return Stream(sent(answer.file), headers=headers, media_type=headers["Content-Type"])
        if answer.stream is not None:
            return Stream(answer.stream, headers=headers, media_type=headers["Content-Type"])
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
