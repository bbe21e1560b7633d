"""What operators and owners are told when something ails the deployment: in words, with the way to where one acts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from kernel.app.nodes import Beating
from kernel.db.tables import Schedule
from kernel.errors import Unavailable
from kernel.testing.box import Box
from kernel.work import Work
from plugins.console.testing import Browser

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


@pytest.fixture
def home(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    settle(box, monkeypatch, home=str(tmp_path), database_url=box.deployment.settings.url)
    return tmp_path


def settle(box: Box, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setattr(box.deployment, "settings", structs.replace(box.deployment.settings, **changes))


async def without_schedules(box: Box) -> None:
    """Time may pass, and no schedule is late for it."""

    async def forget(work: Work) -> None:
        await work.execute(sa.delete(Schedule))

    await box.act(forget)


@pytest.mark.usefixtures("home")
async def test_a_process_that_was_killed_is_named_on_the_page_and_by_the_bell(box: Box) -> None:
    killed = Beating(box.deployment, "server")
    await killed.beat()
    operator = Browser(box, "operator")
    assert "silent" not in (await operator.get("/notices")).text
    box.clock.pass_by(minutes=1)
    page = await operator.get("/operating")
    assert page.status == 200
    assert "Silent: it was killed, hangs, or cannot write below home." in page.text
    told = await operator.get("/notices")
    assert f"{killed.host} · {killed.pid} · silent" in told.text
    await Beating(box.deployment, "server").beat()
    told = await operator.get("/notices")
    assert f"{killed.pid} · silent" not in told.text, "another of its kind has taken its place on that machine"


@pytest.mark.usefixtures("home")
async def test_jobs_that_only_a_worker_would_do_are_told_where_none_is(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leave(work: Work) -> None:
        work.later("kernel.forget_old_keys", {})

    await without_schedules(box)
    await box.act(leave)
    operator = Browser(box, "operator")
    box.clock.pass_by(minutes=1)
    assert "No worker" not in (await operator.get("/operating")).text, "servers do jobs themselves here"
    settle(box, monkeypatch, jobs="off")
    page = await operator.get("/operating")
    assert "Start one with duka worker" in page.text
    await Beating(box.deployment, "worker").beat()
    assert "No worker" not in (await operator.get("/operating")).text


@pytest.mark.usefixtures("home")
async def test_a_redis_that_is_away_is_told_and_makes_nobody_unready(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(box, monkeypatch, redis_url="unix:///nowhere/redis.sock")
    page = await Browser(box, "operator").get("/operating")
    assert "Redis does not answer. Workers go on without it" in page.text
    box.app.health._found_at = -10.0
    ready = await box.http.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["redis"]) == (200, "broken")


async def test_a_backup_that_failed_says_on_its_page_and_by_the_bell_what_stands_in_its_way(
    box: Box, home: Path
) -> None:
    (home / "backups").touch()
    assert (await box.client("operator").post("/api/v1/operating/backups")).status_code == 409
    operator, said = Browser(box, "operator"), f"Nothing can be written to {home / 'backups'}: File exists"
    for path in ("/operating/backups", "/notices"):
        assert said in (await operator.get(path)).text, path
    overview = await operator.get("/operating")
    assert overview.links["Backups"] == "/console/operating/backups"
    in_hindi = await operator.get("/operating/backups", accept_language="hi")
    assert f"{home / 'backups'} में कुछ नहीं लिखा जा सकता" in in_hindi.text


async def test_people_of_a_suspended_business_are_told_so_and_why(box: Box) -> None:
    owner, operator = Browser(box), Browser(box, "operator")
    closing = (await operator.get("/operating/businesses/mama-njeri")).form("/operating/businesses/mama-njeri/suspend")
    await operator.submit(closing, {"reason": "unpaid since March"})
    for path in ("/", "/catalog/products", "/sales/sell"):
        page = await owner.get(path)
        assert page.status == 403, path
        assert "This business is suspended" in page.text
        assert "unpaid since March" in page.text
    assert (await owner.get("/account")).status == 200, "one's own account is there all the same"
    assert (await operator.get("/operating/businesses/mama-njeri")).status == 200
    assert (await Browser(box, "owner", "sharma-kirana").get("/")).status == 200
    suspended = await operator.get("/operating/businesses/mama-njeri")
    assert "duka export mama-njeri FILE" in suspended.text
    await operator.submit(suspended.form("/operating/businesses/mama-njeri/resume"), {"reason": "paid"})
    assert (await owner.get("/")).status == 200
    me = (await box.client("owner").get("/api/v1/auth/me")).json()
    assert me["suspended"] is None


async def test_a_page_whose_database_is_away_says_so_once_and_is_asked_for_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Any:
        raise Unavailable

    owner = Browser(box)
    monkeypatch.setattr(box.deployment.database, "open", away)
    page = await owner.get("/catalog/products?q=rice")
    assert (page.status, page.links["Try again"]) == (503, "")
    assert page.text.count("<p>Try again in a moment</p>") == 0
    assert "What was confirmed is kept" in page.text
