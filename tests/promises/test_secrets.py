"""P38: no secret stands in a log line, an error document, the stored data or an export, whatever goes wrong."""

from __future__ import annotations

import io
import logging
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel import logs
from kernel.app import build, create_app
from kernel.auth.identity import standing_of_business
from kernel.auth.models import User
from kernel.db.tables import Job
from kernel.jobs import Runner
from kernel.testing.box import PASSWORD, SECRET, Box
from kernel.web import SIGNED_IN, Scene, command, flow, query
from kernel.wire import Request
from kernel.work import Work
from tests.promises.people import dump

SENT = {
    "password": "canary-password with spaces",
    "new_password": 'canary-"quoted" pässword\\',
    "pin": "482915",
    "refresh_token": "r_canaryrefresh-0123456789abcdefghijklmnop",
    "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiJhY2Nlc3MifQ.canaryaccess",
    "reset_token": "canary-reset-token-0123456789",
    "api_key": "canary-api-key-0123456789",
    "webhook_secret": "canary-webhook-secret",
    "recovery_code": "canary-recovery-code",
    "otp": "771204",
}
"""What a client may send under the name of a secret."""
OURS = {"signing key": SECRET, "database password": "canary-database-password"}
URL = f"postgresql+asyncpg://duka:{OURS['database password']}@db.internal:5432/duka"


class Everything(Request, frozen=True):
    """A body with every kind of secret."""

    password: str
    new_password: str
    pin: str
    refresh_token: str
    access_token: str
    reset_token: str
    api_key: str
    webhook_secret: str
    recovery_code: str
    otp: str


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret where it should never travel."""

    reset_token: str = ""


@command("POST", "/message", permission=SIGNED_IN)
async def bursts_with_the_body(work: Work, data: Everything) -> None:
    """Raise with the whole body in the message."""
    raise RuntimeError(f"could not do {data!r} as {msgspec.json.encode(data).decode()}")


@command("POST", "/bare", permission=SIGNED_IN)
async def bursts_with_bare_values(work: Work, data: Everything) -> None:
    """Raise with values that no name stands beside, one error caused by another."""
    try:
        raise ValueError(" ".join(msgspec.structs.astuple(data)))
    except ValueError as fault:
        raise RuntimeError(*msgspec.structs.astuple(data)) from fault


@command("POST", "/statement", permission=SIGNED_IN)
async def bursts_in_the_database(work: Work, data: Everything) -> None:
    """Send every value as a parameter of a statement that fails."""
    columns = [sa.literal(value).label(name) for name, value in msgspec.structs.asdict(data).items()]
    await work.execute(sa.select(*columns, sa.column("no_such_column")))


@command("POST", "/taken", permission=SIGNED_IN)
async def bursts_on_a_constraint(work: Work, data: Everything) -> None:
    """Break a unique constraint with a secret in the row."""
    row = {"name": data.password, "password_hash": data.new_password, "created_at": work.now}
    for _ in "12":
        await work.execute(sa.insert(User).values(email=f"{data.api_key}@canary.example", **row))


@query("/query", permission=SIGNED_IN)
async def bursts_with_the_query(work: Work, query: Token) -> Token:
    """Raise with what stood in the query string."""
    raise RuntimeError(f"no use for {query.reset_token}")


@query("/callback/{token}", permission=SIGNED_IN)
async def bursts_with_the_path(work: Work, token: str) -> Token:
    """Raise with the token of a callback."""
    raise RuntimeError(f"no gateway listens at {token}")


@flow("POST", "/ours", permission=SIGNED_IN)
async def bursts_with_our_own(scene: Scene) -> None:
    """Raise with the deployment's own secrets."""
    raise OSError(f"cannot connect to {URL} with {SECRET}, {scene.deployment!r}, {scene.deployment.settings!r}")


BURSTS = (
    *(bursts_with_the_body, bursts_with_bare_values, bursts_in_the_database, bursts_on_a_constraint),
    *(bursts_with_the_query, bursts_with_the_path, bursts_with_our_own),
)


@pytest.fixture
def journal() -> Iterator[io.StringIO]:
    """All that is logged, at the least severe level, as the house logs it."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in logs.QUIET}
    stream = io.StringIO()
    logs.set_up("debug", "text", stream)
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    logs.never_show(URL)
    yield stream
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.getLogger("sqlalchemy").setLevel(logging.NOTSET)
    for name, was in quiet.items():
        logging.getLogger(name).setLevel(was)


@pytest_asyncio.fixture
async def bursting(journal: io.StringIO, box: Box, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Box]:
    """The box with routes that fail in every way there is."""
    whole, broken = build.plugin_routes, [route.mounted("bursts", "/api/v1/bursts") for route in BURSTS]
    monkeypatch.setattr(build, "plugin_routes", lambda registry: [*whole(registry), *broken])
    box.app = create_app(box.deployment)
    await box.http.aclose()
    transport = httpx.ASGITransport(app=box.app, raise_app_exceptions=False)
    box.http = httpx.AsyncClient(transport=transport, base_url="http://duka.test")
    yield box


async def everything_goes_wrong(box: Box) -> str:
    """Call every failing route, sign in well and badly, let a job fail; returns all that callers were told."""
    owner = box.client("owner")
    told = [await owner.post(f"/api/v1/bursts{route.path}", SENT) for route in BURSTS[:4]]
    told.append(await owner.get("/api/v1/bursts/query", params={"reset_token": SENT["reset_token"]}))
    told.append(await owner.get(f"/api/v1/bursts/callback/{SENT['reset_token']}"))
    told.append(await owner.post("/api/v1/bursts/ours"))
    assert [one.status_code for one in told] == [500, 500, 500, 409, 500, 500, 503]
    stranger = box.client(None)
    headers = {"Authorization": f"Bearer {SENT['access_token']}", "X-Api-Key": SENT["api_key"]}
    told.append(await stranger.get("/api/v1/auth/me", headers=headers))
    login = {"username": "owner@mama-njeri.example", "business": "mama-njeri"}
    told.append(await stranger.post("/api/v1/auth/login", {**login, "password": SENT["password"]}))
    told.append(await stranger.post("/api/v1/auth/login", {**login, "password": 7, "pin": SENT["pin"]}))
    told.append(await stranger.post("/api/v1/auth/refresh", {"refresh_token": SENT["refresh_token"]}))
    told.append(await owner.post("/api/v1/sales/sales", {**SENT, "lines": []}))
    told.append(await owner.send("POST", "/api/v1/users", content=f'{{"password": "{SENT["password"]}", '))
    assert all(one.status_code >= 400 for one in told)
    await box.act(_leave_a_job)
    await Runner(box.deployment, standing_of_business).run_due()
    return "\n".join(f"{one.headers} {one.text}" for one in told)


async def _leave_a_job(work: Work) -> None:
    work.later("sales.no_such_job", {"address": "x", "password": SENT["password"]})


async def signing_in(box: Box) -> Mapping[str, str]:
    """Sign in, refresh, replay; returns the real tokens and passwords this used."""
    stranger = box.client(None)
    login = {"username": "owner@mama-njeri.example", "password": PASSWORD, "business": "mama-njeri"}
    pair = (await stranger.post("/api/v1/auth/login", login)).json()
    again = (await stranger.post("/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})).json()
    assert (await stranger.post("/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})).status_code == 401
    role = (await box.client("owner").get("/api/v1/roles")).json()["items"][0]["id"]
    new = {"email": "new@mama-njeri.example", "name": "New", "password": SENT["new_password"], "role_id": role}
    assert (await box.client("owner").post("/api/v1/users", new)).status_code == 201
    real = {"password": PASSWORD, "new_password": SENT["new_password"]}
    for n, one in enumerate((pair, again)):
        real |= {f"access_token {n}": one["access_token"], f"refresh_token {n}": one["refresh_token"]}
    return real


def sung(text: str, secrets: Mapping[str, str]) -> list[str]:
    """The secrets that stand in a text, as they are or as JSON, a `repr` or a URL spells them."""
    return [name for name, value in secrets.items() if any(one in text for one in logs.spellings(value))]


async def test_nothing_that_goes_wrong_shows_a_secret(bursting: Box, journal: io.StringIO) -> None:
    told = await everything_goes_wrong(bursting)
    real = await signing_in(bursting)
    logged, secrets = journal.getvalue(), {**SENT, **OURS, **real}
    assert logged.count("Traceback") >= 5, "the faults themselves must be in the log"
    for kind in ("RuntimeError", "OSError", "sqlalchemy.engine", "duka.requests", "duka.jobs"):
        assert kind in logged, kind
    assert not sung(logged, secrets)
    assert not sung(told, {**SENT, **OURS})
    rows = await dump(bursting)
    assert not {name: found for name, text in rows.items() if (found := sung(_no_payload(name, text), secrets))}


def _no_payload(table: str, text: str) -> str:
    """A job's payload is what was asked for; what is kept of its failure is another matter."""
    return "" if table == "kernel_job_payload" else text


async def test_what_a_job_fails_with_is_kept_without_secrets(bursting: Box) -> None:
    async def leave(work: Work) -> uuid.UUID:
        return work.later(f"sales.password='{SENT['password']}'", {"password": SENT["password"]})

    job = await bursting.act(leave)
    await Runner(bursting.deployment, standing_of_business).run_due()

    async def read(work: Work) -> Any:
        return (await work.execute(sa.select(Job.error, Job.attempts).where(Job.id == job))).one()

    row = await bursting.look(read)
    assert row.attempts == 1
    assert "LookupError" in row.error
    assert SENT["password"] not in row.error


async def test_a_line_a_request_says_who_and_what_and_no_search_words(bursting: Box, journal: io.StringIO) -> None:
    owner = bursting.client("owner")
    answer = await owner.get("/api/v1/customers/customers", params={"q": "wambui"})
    await owner.get(f"/api/v1/customers/customers/{uuid.uuid4()}")
    await owner.get("/api/v1/no/such/canary")
    lines = [line for line in journal.getvalue().splitlines() if "duka.requests" in line]
    assert len(lines) == 3
    for said in (
        f"request_id={answer.headers['x-request-id']}",
        "plugin=customers method=GET route=/api/v1/customers/customers status=200 ms=",
        f"business={bursting.shop.id}",
        f"actor={bursting.people['mama-njeri', 'owner'].id}",
    ):
        assert said in lines[0], lines[0]
    assert "plugin=customers method=GET route=/api/v1/customers/customers/{customer_id} status=404" in lines[1]
    assert "status=404" in lines[2]
    assert not [line for line in lines if "wambui" in line or "canary" in line]


@pytest.mark.parametrize("wall", ["redacted", "parameters", "drivers"])
async def test_each_wall_that_falls_is_noticed(
    journal: io.StringIO, box: Box, monkeypatch: pytest.MonkeyPatch, wall: str
) -> None:
    """The broken twins: lines that are not searched, statements that show parameters, drivers that speak."""
    monkeypatch.setattr(logs, "redacted", lambda text: text)
    if wall == "redacted":
        logging.getLogger("duka.web").error("refused %s", SENT["password"])
    elif wall == "parameters":
        monkeypatch.setattr(box.deployment.database.writer.sync_engine, "hide_parameters", False)
        await box.act(lambda work: _select(work, SENT["password"]))
    else:
        logging.getLogger("aiosqlite").setLevel(logging.DEBUG)
        logging.getLogger("aiosqlite").debug("executing %s", (SENT["password"],))
    assert sung(journal.getvalue(), SENT) == ["password"]


async def test_without_the_search_the_other_walls_still_stand(journal: io.StringIO, box: Box) -> None:
    """Parameters of statements are not logged at all, at any level."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "redacted", lambda text: text)
        await box.act(lambda work: _select(work, SENT["password"]))
    assert "sqlalchemy.engine" in journal.getvalue()
    assert not sung(journal.getvalue(), SENT)


async def _select(work: Work, value: str) -> None:
    await work.execute(sa.select(sa.literal(value)))
