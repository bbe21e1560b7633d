"""Streams of events: what they tell at once and later, what they hold, and what ends them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from kernel.auth.models import SignIn
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.testing.served import serving
from kernel.web import streams
from kernel.work import Work
from plugins.catalog.testing import a_product
from tests.promises.crowd import token_for

SALES, PAYMENTS = "/api/v1/sales/sales", "/api/v1/payments/payments"
SOON_S = 60.0


async def an_order(box: Box) -> Any:
    """A sale that waits for a transfer."""
    soap = await a_product(box, f"SOAP-{uuid.uuid4().hex[:8]}", "100.00", track_stock=False)
    paid = [{"method": "bank_transfer", "amount": "100.00", "awaited": True}]
    body = {"location_id": str(await box.location()), "lines": [{"product_id": str(soap)}], "payments": paid}
    answer = await box.client("cashier").post(SALES, body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def confirm(box: Box, order: Any) -> None:
    path = f"{PAYMENTS}/{order['payments'][0]['id']}/confirm"
    assert (await box.client("accountant").post(path, {})).status_code == 200


@pytest.fixture(autouse=True)
def _long_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST_S", 60.0)


class Listener:
    """Somebody who listens to a stream of a box's application, as a server lets them."""

    def __init__(
        self, box: Box, path: str, role: str = "cashier", last: str = "", query: str = "", shop: str = "mama-njeri"
    ) -> None:
        self.box, self.path, self.query = box, path, query
        token = box.client(role, shop).token
        self.headers = [(b"host", b"duka.test"), (b"authorization", f"Bearer {token}".encode())]
        self.headers += [(b"last-event-id", last.encode())] if last else []
        self.status, self.text = 0, ""
        self.heard = asyncio.Event()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        begun = False

        async def receive() -> dict[str, Any]:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self.gone
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            else:
                self.text += message["body"].decode()
                if not message.get("more_body") and not self.gone.done():
                    self.gone.set_result(None)
            self.heard.set()

        path = self.path
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": self.query.encode(),
        }
        scope |= {"headers": self.headers, "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1"}
        scope |= {"server": ("duka.test", 80), "root_path": "", "state": {}, "asgi": {"version": "3.0"}}
        await self.box.app(scope, receive, send)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """What was told so far: names and data."""
        found = []
        for frame in self.text.split("\n\n")[:-1]:
            said = dict(line.split(": ", 1) for line in frame.split("\n"))
            if "event" in said:
                found.append((said["event"], msgspec.json.decode(said["data"])))
        return found

    async def until(self, what: Any) -> None:
        """Wait until something holds of what was heard, or the stream has ended."""
        async with asyncio.timeout(SOON_S):
            while not what(self):
                self.heard.clear()
                assert not self.task.done(), self.text
                await asyncio.wait((asyncio.create_task(self.heard.wait()), self.task), return_when="FIRST_COMPLETED")

    async def told(self, count: int) -> list[tuple[str, Any]]:
        """Wait for so many events."""
        await self.until(lambda one: len(one.events) >= count)
        return self.events

    async def end(self) -> None:
        """Wait for the stream to end by itself."""
        async with asyncio.timeout(SOON_S):
            await self.task

    async def go(self) -> None:
        """Go away."""
        if not self.gone.done():
            self.gone.set_result(None)
        await self.end()


@contextlib.asynccontextmanager
async def listening(box: Box, path: str, **how: Any) -> AsyncIterator[Listener]:
    one = Listener(box, path, **how)
    try:
        yield one
    finally:
        await one.go()
        assert box.deployment.streams.total() == box.deployment.commits.waiting == 0


async def test_a_payment_is_told_at_once_then_when_its_money_comes_and_then_the_stream_ends(box: Box) -> None:
    order = await an_order(box)
    payment = order["payments"][0]["id"]
    async with listening(box, f"{PAYMENTS}/{payment}/events") as one:
        [(name, first)] = await one.told(1)
        assert (name, first["status"], first["captured"], one.status) == ("payment", "pending", "0.00", 200)
        assert box.deployment.visitors.free == 6, "it holds no place while it waits"
        await confirm(box, order)
        (_, last) = (await one.told(2))[1]
        assert (last["status"], last["captured"]) == ("captured", "100.00")
        await one.end()
    last_id = one.text.rsplit("id: ", 1)[1].split("\n")[0]
    async with listening(box, f"{PAYMENTS}/{payment}/events", last=last_id) as again:
        await again.end()
        assert (again.status, again.text) == (204, ""), "which tells a browser to come no more"


async def test_a_sale_is_told_and_what_was_heard_is_not_told_again(box: Box) -> None:
    order = await an_order(box)
    async with listening(box, f"{SALES}/{order['id']}/events") as one:
        [(name, first)] = await one.told(1)
        assert (name, first["status"], first["balance_due"]) == ("sale", "pending", "100.00")
        heard = one.text.split("id: ")[1].split("\n")[0]
    async with listening(box, f"{SALES}/{order['id']}/events", last=heard) as one:
        await one.until(lambda one: "retry" in one.text)
        await confirm(box, order)
        [(_, told)] = await one.told(1)
        assert (told["status"], told["number"]) == ("completed", "O1-2026-000001")


async def test_what_may_not_be_seen_is_refused_by_a_problem_before_a_stream_begins(box: Box) -> None:
    order = await an_order(box)
    path = f"{PAYMENTS}/{order['payments'][0]['id']}/events"
    assert (await box.client(None).get(path)).status_code == 401
    assert (await box.client("manager", "sharma-kirana").get(path)).status_code == 404
    assert (await box.client("manager").get(f"{PAYMENTS}/{uuid.uuid4()}/events")).status_code == 404
    assert (await box.client("manager").get(f"{path}?junk=1")).status_code == 422
    assert (await box.client("manager").send("HEAD", path)).status_code == 200
    assert box.deployment.streams.total() == 0


async def test_a_stream_ends_with_the_sign_in(box: Box) -> None:
    order = await an_order(box)
    async with listening(box, f"{SALES}/{order['id']}/events") as one:
        await one.told(1)
        ended = sa.update(SignIn).where(SignIn.id == box.people["mama-njeri", "cashier"].session_id)

        async def sign_out(work: Work) -> None:
            await work.execute(ended.values(revoked_at=work.now))

        await box.act(sign_out)
        name, told = (await one.told(2))[1]
        assert (name, told["code"], told["status"]) == ("problem", "unauthenticated", 401)
        await one.end()


async def test_streams_end_when_the_process_is_told_to_stop(box: Box) -> None:
    order = await an_order(box)
    async with listening(box, f"{SALES}/{order['id']}/events") as one:
        await one.told(1)
        box.app.health.stop()
        await one.end()
    async with listening(box, f"{SALES}/{order['id']}/events") as late:
        await late.end()
        assert [name for name, _ in late.events] == ["sale"], "how it stands, and no more"


async def test_a_stream_says_that_it_is_still_there_and_ends_in_time(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    order = await an_order(box)
    async with listening(box, f"{SALES}/{order['id']}/events") as one:
        await one.until(lambda one: one.text.count(": still here") > 2)
    monkeypatch.setattr(streams, "LONGEST_S", 0.3)
    async with listening(box, f"{SALES}/{order['id']}/events") as one:
        await one.end()
        assert len(one.events) == 1


async def test_one_person_has_so_many_streams_open_and_no_more(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_OF_ONE", 2)
    order = await an_order(box)
    path = f"{SALES}/{order['id']}/events"
    async with contextlib.AsyncExitStack() as stack:
        for _ in "12":
            one = Listener(box, path)
            stack.push_async_callback(one.go)
            await one.told(1)
        refused = await box.client("cashier").get(path)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")
        other = Listener(box, path, role="manager")
        stack.push_async_callback(other.go)
        await other.told(1)
    assert box.deployment.streams.total() == 0


async def test_a_served_stream_tells_what_another_process_commits_and_ends_with_its_server(
    box: Box, box_settings: Settings
) -> None:
    order, waiting = await an_order(box), await an_order(box)
    headers = {"Authorization": f"Bearer {token_for(box, 'cashier')}"}
    with serving(box_settings) as [server]:
        async with (
            httpx.AsyncClient(base_url=server.url, headers=headers, timeout=SOON_S) as client,
            client.stream("GET", f"{PAYMENTS}/{order['payments'][0]['id']}/events") as first,
            client.stream("GET", f"{SALES}/{waiting['id']}/events") as second,
        ):
            assert first.headers["content-type"] == "text/event-stream; charset=utf-8"
            lines = first.aiter_lines()
            await _said(lines, '"status":"pending"')
            await confirm(box, order)
            await _said(lines, '"status":"captured"')
            assert [line async for line in lines if line] == []
            rest = second.aiter_lines()
            await _said(rest, '"status":"pending"')
            server.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(SOON_S):
                assert [line async for line in rest if line.startswith("event")] == []
        assert await asyncio.to_thread(server.process.wait, SOON_S) == 0


async def _said(lines: AsyncIterator[str], what: str) -> None:
    async with asyncio.timeout(SOON_S):
        async for line in lines:
            if what in line:
                return
    raise AssertionError(f"nothing said {what}")
