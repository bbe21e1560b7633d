"""Traces by OpenTelemetry, where `DUKA_OTEL_ENDPOINT` is set: requests, deeds, hooks by plugin, SQL, jobs.

While tracing is on, the functions named here are replaced by ones that make a span around them; while it is off nothing
of it is loaded, and so it costs nothing. A span bears names from the code, ids and figures; its SQL has no values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from sqlalchemy import event

from kernel import VERSION
from kernel.db import Database, Prepared, Transaction
from kernel.db.engine import Phase
from kernel.hooks import HookSet
from kernel.jobs import Runner
from kernel.logs import Facts
from kernel.settings import Settings
from kernel.web import Gate, Visit
from kernel.work.deeds import Answered, Deed

EXPORT_TIMEOUT_S = 3.0
MOST_SQL = 2000
"""Of a statement's text, so much is kept."""
_SPAN = "duka_span"


def provider_for(settings: Settings) -> TracerProvider:
    """A provider that sends spans to the collector; what is left goes out as the process ends."""
    endpoint = settings.otel_endpoint.rstrip("/")
    if not endpoint.endswith("/v1/traces"):
        endpoint += "/v1/traces"
    provider = TracerProvider(resource=Resource.create({"service.name": "duka", "service.version": VERSION}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=EXPORT_TIMEOUT_S)))
    return provider


class Tracing:
    """Makes spans from `start` to `stop`. Start it before the application is made."""

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer: Tracer = provider.get_tracer("duka", VERSION)
        self._before: list[tuple[Any, str, Any]] = []
        self._engines: list[sa.Engine] = []

    def start(self, database: Database) -> None:
        """Begin."""
        self._replace(Gate, "_answer", self._request)
        self._replace(Deed, "perform", self._deed)
        self._replace(HookSet, "_timed", self._told)
        self._replace(HookSet, "_stamp", self._asked)
        self._replace(Runner, "_execute", self._job)
        self._replace(Transaction, "fetch", self._fetch)
        self._replace(Transaction, "fetch_raw", self._fetch_raw)
        self._replace(Transaction, "run_inside", self._run_inside)
        self._replace(Transaction, "begin", self._begin)
        self._replace(Transaction, "commit", self._commit)
        self._engines = list({id(one): one.sync_engine for one in (database.writer, database.reader)}.values())
        for engine in self._engines:
            for name, listener in self._listeners():
                event.listen(engine, name, listener)

    def stop(self) -> None:
        """End: everything is as it was."""
        for owner, name, function in reversed(self._before):
            setattr(owner, name, function)
        self._before.clear()
        for engine in self._engines:
            for name, listener in self._listeners():
                event.remove(engine, name, listener)
        self._engines = []

    def _replace(self, owner: Any, name: str, around: Callable[[Any], Any]) -> None:
        function = getattr(owner, name)
        self._before.append((owner, name, function))
        setattr(owner, name, functools.wraps(function)(around(function)))

    def _request(self, function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def traced(gate: Gate, scope: Any, receive: Any, send: Any, visit: Visit) -> None:
            status = 0

            async def heard(message: Any) -> None:
                nonlocal status
                status = message.get("status", status)
                await send(message)

            with self._span("request", {}, SpanKind.SERVER) as span:
                try:
                    await function(gate, scope, receive, heard, visit)
                finally:
                    _tell_request(span, visit, status)

        return traced

    def _deed(self, function: Callable[..., Awaitable[Answered]]) -> Callable[..., Awaitable[Answered]]:
        async def traced(deed: Deed[Any]) -> Answered:
            said = {"duka.deed": deed.origin.deed, "duka.business": str(deed.standing.business_id)}
            with self._span("deed", said) as span:
                answer = await function(deed)
                span.set_attribute("duka.replayed", answer.replayed)
                return answer

        return traced

    def _told(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def traced(set_: HookSet, hook: str, plugin: str, answer: Awaitable[Any]) -> Any:
            with self._span(f"hook {hook}", {"duka.hook": hook, "duka.plugin": plugin}):
                return await function(set_, hook, plugin, answer)

        return traced

    def _asked(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def traced(set_: HookSet, plugin: str, hook: str, answer: Callable[..., Any]) -> Any:
            if inspect.iscoroutinefunction(answer):
                return function(set_, plugin, hook, answer)
            said = {"duka.hook": hook, "duka.plugin": plugin}

            @functools.wraps(answer)
            def spanned(*args: Any) -> Any:
                with self._span(f"hook {hook}", said):
                    return answer(*args)

            return function(set_, plugin, hook, spanned)

        return traced

    def _job(self, function: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
        async def traced(runner: Runner, business_id: Any, job_id: Any, facts: Facts) -> bool:
            with self._span("job", {"duka.business": str(business_id), "duka.job_id": str(job_id)}) as span:
                ran = await function(runner, business_id, job_id, facts)
                span.set_attribute("duka.job", facts.job or "")
                return ran

        return traced

    def _fetch(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def traced(transaction: Transaction, statement: Prepared, /, **parameters: Any) -> Any:
            text = statement.text(transaction.database.writer.dialect).sql
            with self._sql(text):
                return await function(transaction, statement, **parameters)

        return traced

    def _fetch_raw(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def traced(transaction: Transaction, sql: str, arguments: Any) -> Any:
            with self._sql(sql):
                return await function(transaction, sql, arguments)

        return traced

    def _run_inside(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def traced(transaction: Transaction, what: str, inside: Callable[..., Any]) -> Any:
            with self._sql(what):
                return await function(transaction, what, inside)

        return traced

    def _begin(self, function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def traced(transaction: Transaction, phase: Phase) -> None:
            with self._sql(f"BEGIN {phase.value}"):
                await function(transaction, phase)

        return traced

    def _commit(self, function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def traced(transaction: Transaction) -> None:
            with self._sql("COMMIT"):
                await function(transaction)

        return traced

    def _sql(self, text: str) -> Any:
        return self._span(*_of_sql(text), kind=SpanKind.CLIENT)

    def _span(self, name: str, said: dict[str, str], kind: SpanKind = SpanKind.INTERNAL) -> Any:
        """A span around a piece of work. What is raised is told by its class alone: its words may name people."""
        return _Around(
            self.tracer.start_as_current_span(
                name, kind=kind, attributes=said, record_exception=False, set_status_on_exception=False
            )
        )

    @functools.cache  # noqa: B019 - the same functions are taken off that were put on; there is one of these a process
    def _listeners(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        def before(_connection: Any, _cursor: Any, text: str, _parameters: Any, context: Any, _many: bool) -> None:
            name, said = _of_sql(text)
            setattr(context, _SPAN, self.tracer.start_span(name, kind=SpanKind.CLIENT, attributes=said))

        def after(_connection: Any, _cursor: Any, _text: str, _parameters: Any, context: Any, _many: bool) -> None:
            getattr(context, _SPAN).end()

        def failed(context: Any) -> None:
            span: Span | None = getattr(context.execution_context, _SPAN, None)
            if span is not None:
                span.set_status(StatusCode.ERROR, type(context.original_exception).__name__)
                span.end()

        return ("before_cursor_execute", before), ("after_cursor_execute", after), ("handle_error", failed)


class _Around:
    """A span as a context, told of an error by its class."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __enter__(self) -> Span:
        span: Span = self._inner.__enter__()
        self._span = span
        return span

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        if kind is not None:
            self._span.set_status(StatusCode.ERROR, kind.__name__)
        self._inner.__exit__(None, None, None)


def _of_sql(text: str) -> tuple[str, dict[str, str]]:
    operation = text.split(None, 1)[0].upper() if text.strip() else ""
    return f"SQL {operation}", {"db.operation.name": operation, "db.query.text": text[:MOST_SQL]}


def _tell_request(span: Span, visit: Visit, status: int) -> None:
    route, standing = visit.route, visit.standing
    if route is not None:
        span.update_name(f"{route.method} {route.path}")
        span.set_attributes(
            {"http.request.method": route.method, "http.route": route.path, "duka.plugin": route.plugin}
        )
    if standing is not None and standing.shop is not None:
        span.set_attribute("duka.business", str(standing.shop.id))
    span.set_attributes({"duka.request_id": visit.request_id, "http.response.status_code": status})
    if status >= 500 or not status:
        span.set_status(StatusCode.ERROR)
