"""The process that serves a plugin under development: its migrations run, it is on, its answers are traced.

What keeps it from that is told, and every request is answered with it, until a file changes and another process takes
over.
"""

from __future__ import annotations

import asyncio
import socket
import time
from importlib.metadata import entry_points
from typing import Any

import msgspec
import sqlalchemy as sa
import uvicorn

from kernel.app import create_app, open_deployment
from kernel.app.application import settings_of
from kernel.app.demo import PASSWORD, demo_data, has_businesses, make_demo
from kernel.app.listening import Server, config_of
from kernel.app.prepare import lineages, prepare
from kernel.auth import act, look
from kernel.auth.businesses.switching import enable
from kernel.db import Phase
from kernel.db.tables import Business
from kernel.errors import NotReady
from kernel.kit.developing.faults import Trouble, trouble_in
from kernel.kit.developing.project import Project
from kernel.kit.developing.telling import Teller
from kernel.kit.developing.tracing import Tracer, Turn
from kernel.migrate import MigrationFailed, Migrator
from kernel.registry import GROUP, Registry, discover, load
from kernel.settings import Settings
from kernel.web import problem
from kernel.work import Deployment, Work, heed_now

LARGEST_ANSWER = 4_000_000
"""Bytes of an answer in which changes are looked for."""


class Bench(msgspec.Struct, frozen=True):
    """What is developed, and how it is told. everyone: the answers of all plugins, not only of this one."""

    project: Project
    as_json: bool = False
    everyone: bool = False
    port: int = 0
    host: str = ""


class Broken(Exception):
    """The plugin cannot be served; what: what was tried."""

    def __init__(self, what: str, trouble: Trouble) -> None:
        super().__init__(trouble.words)
        self.what, self.trouble = what, trouble


_APPLICATION: list[Any] = []


def application() -> Any:
    """What this process serves; made before it listens."""
    return _APPLICATION[0]


def serve(bench: Bench, sockets: list[socket.socket] | None = None) -> None:
    """Serve until told to stop. The listener is the first of `sockets`."""
    begun = time.monotonic()
    teller = Teller(as_json=bench.as_json)
    settings = settings_of(**{name: given for name in ("host", "port") if (given := getattr(bench, name))})
    try:
        served: Any = _traced(bench, settings, teller)
        shop = demo_data()["businesses"][0]
        address = f"http://{settings.host}:{settings.port}"
        teller.say(
            "ready",
            [f"{bench.project.plugin} is served at {address} ({time.monotonic() - begun:.1f} s)"],
            colour="green",
            url=address,
            business=shop["slug"],
            username=shop["staff"][0]["email"],
            password=PASSWORD,
        )
    except Broken as broken:
        teller.trouble(broken.what, broken.trouble)
        teller.say("waiting", ["  Waiting for a change."])
        served = Refusing(broken)
    _APPLICATION[:] = [served]
    config = config_of(settings, f"{__name__}:application")
    Brief(config, 0).run(sockets)


def _traced(bench: Bench, settings: Settings, teller: Teller) -> Watching:
    registry = _registry(bench.project)
    tracer = Tracer(teller.turn, bench.project.source)
    own = registry.plugins[bench.project.plugin]
    tracer.follow(registry.in_order() if bench.everyone else [own])
    asyncio.run(_prepared(bench.project, settings, registry, teller))
    tracer.hear_failures()
    tracer.is_on = True
    return Watching(create_app(open_deployment(settings, registry=registry)), tracer, bench.project.plugin)


def _registry(project: Project) -> Registry:
    """Every plugin, this one with its own error where it cannot be loaded. Raises Broken."""
    what = f"{project.plugin} cannot be loaded"
    points = [one for one in entry_points(group=GROUP) if one.name == project.plugin]
    if not points:
        raise Broken(what, Trouble("it is not installed here; run: duka plugin env ."))
    try:
        manifest = points[0].load()
        load(manifest, project.package, {one.name for one in entry_points(group=GROUP)})
    except Exception as fault:  # the developer's own code may raise anything
        raise Broken(what, trouble_in(project.source, fault)) from fault
    registry = discover()
    if project.plugin in registry.set_aside:
        raise Broken(what, Trouble(registry.set_aside[project.plugin].reason))
    return registry


async def _prepared(project: Project, settings: Settings, registry: Registry, teller: Teller) -> None:
    deployment = open_deployment(settings, registry=registry, patient=True)
    try:
        await heed_now(deployment)
        await _migrate(project, deployment, teller)
        await prepare(deployment)
        if not await has_businesses(deployment):
            await make_demo(deployment, lambda line: teller.say("preparing", [line], step=line))
        await _switch_on(project, deployment)
    finally:
        await deployment.database.dispose()


async def _migrate(project: Project, deployment: Deployment, teller: Teller) -> None:
    url = deployment.settings.migrations_database_url or deployment.settings.url
    migrator = Migrator(url, lineages(deployment.registry), deployment.database.role)
    try:
        done = await migrator.upgrade()
    except MigrationFailed as fault:
        raise Broken(f"the migrations of {fault.plugin} failed", trouble_in(project.source, fault)) from fault
    except Exception as fault:  # a revision that cannot even be read
        raise Broken("the migrations cannot be read", trouble_in(project.source, fault)) from fault
    own = [one for one in done if one.startswith(f"{project.plugin}_")]
    if own:
        teller.say("migrated", [f"migrated {', '.join(own)}"], revisions=own)
    apart = [one for one in await migrator.differences() if f"{project.plugin}_" in one]
    if apart:
        advice = f"write a revision (duka migration new {project.plugin} 'Words'), or begin anew (duka dev --fresh)"
        words = ["! The tables are not what models.py says:", *(f"    {one}" for one in apart), f"  {advice}"]
        teller.say("warning", words, colour="yellow", differences=apart, advice=advice)


async def _switch_on(project: Project, deployment: Deployment) -> None:
    """Switch the plugin on for every business, with what it stands on."""
    needed = deployment.registry.needed_by(project.plugin)

    async def every(work: Work) -> list[Any]:
        return list((await work.execute(sa.select(Business.id))).scalars())

    async def turn_on(work: Work) -> None:
        for name in needed:
            if name not in work.standing.enabled:
                await enable(work, name)

    try:
        for business in await look(deployment, None, every):
            if not await look(deployment, business, lambda work: _is_on(work, needed)):
                await act(deployment, business, turn_on, deed="dev", phase=Phase.SWITCH)
    except Exception as fault:  # its answer to switched_on may raise anything
        raise Broken(f"{project.plugin} cannot be switched on", trouble_in(project.source, fault)) from fault


async def _is_on(work: Work, needed: list[str]) -> bool:
    return work.standing.enabled.issuperset(needed)


class Watching:
    """The application with an eye on what it answers."""

    def __init__(self, app: Any, tracer: Tracer, plugin: str) -> None:
        self._app, self._tracer, self._plugin = app, tracer, plugin

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve, and look for what the plugin's answers came to."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._tracer.turn(scope["method"], scope["path"]) as turn:
            parts: list[bytes] = []

            async def sent(message: Any) -> None:
                _note(message, turn, parts)
                await send(message)

            await self._app(scope, receive, sent)
            if turn.calls:
                turn.settle(_read(b"".join(parts)))


def _note(message: Any, turn: Turn, parts: list[bytes]) -> None:
    if message["type"] == "http.response.start":
        turn.status = message["status"]
    elif message["type"] == "http.response.body" and sum(map(len, parts)) < LARGEST_ANSWER:
        parts.append(bytes(message.get("body", b"")))


def _read(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.MsgspecError:  # a picture, a page, or one too large
        return None


class Brief(Server):
    """A server whose port stays open for the process that takes over, and which ends without the time to drain."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and answer what is under way."""
        await uvicorn.Server.shutdown(self, sockets)


class Refusing:
    """Answers everything with what is wrong."""

    def __init__(self, broken: Broken) -> None:
        said = " – ".join(line.strip() for line in broken.trouble.lines())
        self._told = problem(NotReady({"plugin": f"{broken.what}: {said}"}), "")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse; of the server's own beginning and end only say that they have been heard."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in self._told.headers.items()]
        await send({"type": "http.response.start", "status": self._told.status, "headers": headers})
        await send({"type": "http.response.body", "body": self._told.body})
