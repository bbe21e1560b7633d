"""Traces: what a request did and for how long, plugin by plugin, and nothing of whom it was for."""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kernel.app.application import trace
from kernel.app.tracing import Tracing, provider_for
from kernel.auth.identity import standing_of_business
from kernel.db import Transaction
from kernel.errors import SettingsFault
from kernel.hooks import HookSet
from kernel.jobs import Runner
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box
from kernel.tests.probes.stock.hooks import worth
from kernel.tests.probes.stock.models import LEVELS
from kernel.work import Work
from kernel.work.deeds import Deed

TAKE = "/api/v1/probe_stock/take"


@pytest.fixture
def exporter(box: Box) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider)
    tracing.start(box.deployment.database)
    yield exporter
    tracing.stop()
    provider.shutdown()


async def stocked(box: Box) -> None:
    async def run(work: Work) -> None:
        work.increment(LEVELS, ("rice", "shop"), 10)
        work.increment(LEVELS, ("canary-product", "shop"), 10)

    await box.act(run)


def above(span: ReadableSpan, spans: dict[int, ReadableSpan]) -> list[str]:
    """The names of the spans that a span is in, from the outermost."""
    names: list[str] = []
    while span.parent is not None:
        span = spans[span.parent.span_id]
        names.insert(0, span.name)
    return names


async def test_a_request_is_a_tree_of_deed_hooks_and_sql(box: Box, exporter: InMemorySpanExporter) -> None:
    await stocked(box)
    exporter.clear()
    answer = await box.client("owner").post(TAKE, {"product": "rice", "amount": 2})
    assert answer.status_code == 201
    found = list(exporter.get_finished_spans())
    spans = {one.context.span_id: one for one in found if one.context}
    by_name: dict[str, list[ReadableSpan]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one)
    [request] = by_name[f"POST {TAKE}"]
    said: Any = request.attributes
    assert said["http.response.status_code"] == 201
    assert said["duka.request_id"] == answer.headers["x-request-id"]
    assert (said["duka.plugin"], said["duka.business"]) == ("probe_stock", str(box.shop.id))
    [deed] = by_name["deed"]
    assert above(deed, spans) == [request.name]
    [hook] = by_name["hook taken"]
    assert hook.attributes is not None
    assert hook.attributes["duka.plugin"] == "probe_till"
    assert above(hook, spans) == [request.name, "deed"]
    sql = [one for one in found if one.name.startswith("SQL ")]
    assert len(sql) >= 4
    assert all(above(one, spans)[0] == request.name for one in sql)
    assert {"SQL BEGIN", "SQL COMMIT"} <= by_name.keys()


async def test_a_span_says_nothing_of_people_nor_of_what_was_sent(box: Box, exporter: InMemorySpanExporter) -> None:
    await stocked(box)
    owner = box.client("owner")
    await owner.post(TAKE, {"product": "canary-product", "amount": 2})
    refused = await owner.post(TAKE, {"product": "cursed", "amount": 2})
    assert refused.status_code == 409
    await box.client(None).post("/api/v1/auth/login", {"username": "canary@x.example", "password": "canary-word"})
    spans = exporter.get_finished_spans()
    told = " ".join(one.to_json() for one in spans)
    assert "canary" not in told
    assert "The till does not like it" not in told
    assert "owner@" not in told
    assert [one.status.description for one in spans if one.name == "hook taken"][-1] == "Conflict"


async def test_a_job_is_a_span_with_its_name(box: Box, exporter: InMemorySpanExporter) -> None:
    async def leave(work: Work) -> None:
        work.later("kernel.forget_old_keys", {})

    await box.act(leave)
    await Runner(box.deployment, standing_of_business).run_due()
    jobs = [one for one in exporter.get_finished_spans() if one.name == "job"]
    assert "kernel.forget_old_keys" in [dict(one.attributes or {})["duka.job"] for one in jobs]


@pytest.mark.parametrize("database", ["sqlite"])
async def test_asks_are_spans_by_plugin(box: Box, exporter: InMemorySpanExporter, database: str) -> None:
    registry = Registry(box.deployment.registry.in_order())
    assert [
        one.value for one in registry.hooks_for(frozenset(registry.plugins)).ask(worth, product="rice", amount=2)
    ] == [6]
    [ask] = exporter.get_finished_spans()
    assert (ask.name, dict(ask.attributes or {})["duka.plugin"]) == ("hook worth", "probe_till")


@pytest.mark.parametrize("database", ["sqlite"])
async def test_when_tracing_ends_everything_is_as_it_was(box: Box, database: str) -> None:
    before = (Deed.perform, Transaction.fetch, HookSet._timed, Runner._execute)
    tracing = Tracing(TracerProvider())
    tracing.start(box.deployment.database)
    assert Deed.perform is not before[0]
    tracing.stop()
    assert (Deed.perform, Transaction.fetch, HookSet._timed, Runner._execute) == before
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 200


def test_spans_go_to_the_collector_that_is_named(tmp_path: Any) -> None:
    heard: list[tuple[str, int]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.path, len(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for path in ("", "/", "/v1/traces"):
            url = f"http://127.0.0.1:{server.server_port}{path}"
            provider = provider_for(Settings(home=str(tmp_path), secret_key=SECRET, otel_endpoint=url))
            provider.get_tracer("test").start_span("one").end()
            provider.shutdown()
        server.shutdown()
    assert [path for path, _ in heard] == ["/v1/traces"] * 3
    assert all(length > 50 for _, length in heard)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_start_without_the_packages_says_which_extra_to_install(
    box: Box, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "kernel.app.tracing")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsFault, match=r"duka-erp\[otel\]"):
        trace(box.deployment)
