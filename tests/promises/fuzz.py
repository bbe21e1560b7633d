"""Requests that Schemathesis makes from the OpenAPI document, sent to a box as somebody, and what became of them.

Schemathesis runs in a thread of its own; the application answers in the loop its connections belong to.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import schemathesis
import sqlalchemy as sa
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.openapi.checks import JsonSchemaError
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.testing.box import Box
from kernel.wire import SPREADSHEET
from tests.promises.bodies import spots

schemathesis.serializer.alias(SPREADSHEET, "application/octet-stream")
ROLES = ("owner", "manager", "cashier", "operator", None)
LEFT_OUT = frozenset(
    {
        *("auth.logout", "auth.logout_everywhere", "auth.end_sign_in", "auth.switch", "plugins.disable_plugin"),
        *("operating.suspend_business", "operating.delete_business"),
        *("operating.make_backup", "operating.rehearse_upgrade"),
    }
)
"""Operations after which all else would answer 401 or 404; switch hands out a refresh token, which is then replayed.

Backups and rehearsals take seconds each, and ask nothing but a number."""
COUNTED = frozenset({"auth", "approvals", "tills"})
"""Rooms whose refusals may be counted or end a sign-in: tries at a password or a PIN, a refresh token come back."""
SAID_OTHERWISE = ("positive_data_acceptance", "missing_required_header", "ignored_auth", "object_level_authorization")
"""Checks that do not fit: no schema says which goods there are; tests of manners, tokens and tenants say the rest."""
REFUSALS = [400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 414, 415, 422, 428, 429, 431]
WRITTEN = "x-test-written"
"""The header by which the box tells the check that something was committed."""


class Watch:
    """Sees from outside whether anything was committed since it last looked."""

    def __init__(self, url: str) -> None:
        self._engine, self._seen = create_async_engine(url, poolclass=sa.StaticPool), 0
        self._is_sqlite = url.startswith("sqlite")

    async def has_moved(self) -> bool:
        """Whether there was a commit that wrote since the last call; SQLite counts them, PostgreSQL numbers them."""
        async with self._engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            if self._is_sqlite:
                now = (await connection.exec_driver_sql("PRAGMA data_version")).scalar_one()
                moved = now != self._seen
            else:
                now = (await connection.exec_driver_sql(_NEXT)).scalar_one()
                moved = now != self._seen and await self._is_any_committed(connection, now)
        self._seen = now
        return bool(moved)

    async def close(self) -> None:
        """Close its connection."""
        await self._engine.dispose()

    async def _is_any_committed(self, connection: Any, now: int) -> bool:
        found = await connection.execute(_COMMITTED, {"first": self._seen or now - 1, "last": now - 1})
        return bool(found.scalar_one())


_NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_COMMITTED = sa.text(
    "SELECT EXISTS (SELECT FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS number"
    " WHERE pg_xact_status(number::text::xid8) = 'committed')"
)


@dataclass
class Found:
    """What a run came to. statuses and phases: how many cases; wrong: what was wrong, each kind once an operation."""

    statuses: Counter[int] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """How many requests were judged."""
        return self.statuses.total()

    @property
    def kinds(self) -> set[str]:
        """The names of the checks that failed."""
        return {one.partition(" ")[0] for one in self.wrong}


class Fuzz:
    """One run as one person. own: names of ids → ids there are; only: an operation, where not all are wanted."""

    def __init__(self, box: Box, own: Mapping[str, str], role: str | None, seed: int, only: str = "") -> None:
        self.box, self.own, self.client, self.seed = box, own, box.client(role), seed
        self.only, self.found = only, Found()

    async def run(
        self, *, cases: int, seconds: float, phases: list[str], examples: int = 2, until_wrong: bool = False
    ) -> Found:
        """Judge so many cases more, or as many as there is time for. examples: of each operation a round.

        until_wrong: no more than it takes to find something.
        """
        loop, watch = asyncio.get_running_loop(), Watch(self.box.deployment.settings.url)
        await watch.has_moved()
        whole = schemathesis.openapi.from_dict(await self._document(), config=self._config())
        schema: Any = whole.include(operation_id=self.only) if self.only else whole.exclude(operation_id=list(LEFT_OUT))
        schema.app = _served_in(loop, self.box, watch)
        schema.config.max_time = seconds
        schema.config.generation.update(max_examples=examples, no_shrink=True, database="none")
        schema.hooks.hook("filter_failure")(_is_of_a_whole_answer)
        schema.config.update(continue_on_failure=not until_wrong, headers=self._headers())
        schema.config.phases.update(phases=phases)
        try:
            await asyncio.to_thread(self._execute, schema, self.found.cases + cases, until_wrong)
        finally:
            await watch.close()
        return self.found

    async def _document(self) -> dict[str, Any]:
        said: dict[str, Any] = (await self.client.get("/api/v1/openapi.json")).json()
        return said

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.client.token}"} if self.client.token else {}

    def _config(self) -> SchemathesisConfig:
        """The ids there are, offered in every place for one of their name; the checks that fit."""
        places: dict[str, set[str]] = {}
        for route in self.box.app.routes:
            pointers: list[tuple[str | int, ...]] = [("path", name) for name in route.parameters]
            pointers += [("query", one.encode_name) for one in msgspec.structs.fields(route.query or msgspec.Struct)]
            pointers += [("body", *one) for one in spots(route.body, uuid.UUID)] if route.body is not None else []
            for pointer in pointers:
                if pointer[-1] in self.own and all(isinstance(one, str) for one in pointer):
                    places.setdefault(str(pointer[-1]), set()).add(".".join(map(str, pointer)))
        bound = {place: {"dictionary": name, "probability": 0.7} for name in places for place in places[name]}
        checks: dict[str, Any] = {name: {"enabled": False} for name in SAID_OTHERWISE}
        checks["negative_data_rejection"] = {"expected-statuses": REFUSALS}
        said: dict[str, Any] = {"seed": self.seed, "parameters": bound, "checks": checks}
        return SchemathesisConfig.from_dict(
            said | {"dictionaries": {name: {"values": [self.own[name]]} for name in places}}
        )

    def _execute(self, schema: Any, cases: int, until_wrong: bool) -> None:
        stream = from_schema(schema).execute()
        for event in stream:
            if isinstance(event, events.ScenarioFinished):
                self._note(event)
                if self.found.cases >= cases or (until_wrong and self.found.wrong):
                    stream.stop()
            elif isinstance(event, events.NonFatalError):
                self.found.wrong[f"error {event.label}"] = str(event.value)
            elif isinstance(event, events.FatalError):
                raise event.exception

    def _note(self, event: events.ScenarioFinished) -> None:
        recorder = event.recorder
        for one in recorder.interactions.values():
            if one.response is not None:
                self.found.statuses[one.response.status_code] += 1
                self.found.phases[event.phase.value] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    name = f"{check.name} {recorder.cases[case_id].value.operation.label}"
                    self.found.wrong.setdefault(
                        name, f"{failure.message[:400]}\n{check.failure_info.code_sample[:1500]}"
                    )


def _served_in(loop: asyncio.AbstractEventLoop, box: Box, watch: Watch) -> Any:
    """The box as an application for another loop; its answers tell whether anything was written."""

    async def answered(scope: Any, body: bytes) -> list[dict[str, Any]]:
        waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body}]
        said: list[dict[str, Any]] = []
        told = asyncio.Event()

        async def receive() -> Any:
            if waiting:
                return waiting.pop()
            await told.wait()  # whoever asked stays on the line until then
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.append(dict(message))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                told.set()

        await box.app(scope, receive, send)
        if await watch.has_moved():
            said[0]["headers"] = [*said[0]["headers"], (WRITTEN.encode(), b"1")]
        return said

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        body = (await receive())["body"]
        future = asyncio.run_coroutine_threadsafe(answered(scope, body), loop)
        for message in await asyncio.wrap_future(future):
            await send(message)

    return served


def _is_of_a_whole_answer(context: Any, failure: Failure, case: Any, response: Response) -> bool:
    """Whoever asks for some fields only is answered less than the schema requires."""
    return not (isinstance(failure, JsonSchemaError) and "fields" in (case.query or {}))


@schemathesis.check
def refusal_is_a_problem_and_writes_nothing(ctx: CheckContext, response: Response, case: Any) -> None:
    """What Duka promises of a refusal, beside what its document says."""
    operation = case.operation.definition.raw
    said = response.content if case.method.upper() != "HEAD" else b""
    headers = {name.lower(): value[0] for name, value in response.headers.items()}
    if faults := faults_of(response.status_code, headers, said, operation["tags"][0], case.method):
        raise Failure(operation=case.operation.label, title="Not as a refusal must be", message="; ".join(faults))


def faults_of(status: int, headers: Mapping[str, str], body: bytes, room: str, method: str) -> list[str]:
    """What is wrong with an answer that refuses."""
    if status < 400:
        return []
    waits = b'"approval-required"' in body  # a request for approval is what such a refusal leaves
    found = ["written"] if headers.get(WRITTEN) and not waits and room not in COUNTED else []
    if method.upper() == "HEAD":
        return found
    if headers.get("content-type") != "application/problem+json":
        return [*found, "no problem document"]
    said = msgspec.json.decode(body)
    if said["status"] != status or said["type"] != f"/problems/{said['code']}" or not said["title"]:
        found.append("not a whole problem document")
    if said["request_id"] != headers.get("x-request-id"):
        found.append("a request id that is not the answer's")
    if b"Traceback" in body or b"sqlalchemy" in body.lower():
        found.append("says too much")
    if status == 405 and not headers.get("allow"):
        found.append("405 without Allow")
    return found
