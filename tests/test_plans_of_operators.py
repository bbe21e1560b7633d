"""Install, upgrade and uninstall at the API: planned first, applied by hash, by operators of the deployment alone."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from msgspec import structs

from kernel.app import opened
from kernel.app.plans import PlanStale, carry_out_alone, carry_out_plan, carrying, once, plan_deployment, servers_run
from kernel.app.plans.deploying import whole
from kernel.app.plans.hindering import hindrances_behind, hindrances_to
from kernel.app.plans.values import Revision, Statement
from kernel.app.uninstalling import Busy
from kernel.auth import look
from kernel.auth.businesses.switching import Hindrance
from kernel.db.tables import Audit
from kernel.errors import IdempotencyInProgress
from kernel.registry import Registry, SetAside
from kernel.testing.box import Box, Client
from kernel.web import Scene
from kernel.work import NO_BUSINESS, Key, Work
from kernel.work.heeding import without
from plugins.discounts.testing import a_promotion
from tests.promises.copies import every_row
from tests.proving import ON_POSTGRES

PLUGINS = "/api/v1/plugins"
OWN = ("discounts_claim", "discounts_coupon", "discounts_left", "discounts_promotion", "discounts_use")
SHOPS = ("mama-njeri", "sharma-kirana")


async def plan(client: Client, action: str, name: str = "discounts", **said: Any) -> Any:
    answer = await client.post(f"{PLUGINS}/{name}/plan", {"action": action, **said})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def apply(client: Client, seen: dict[str, Any], key: str | None = None) -> httpx.Response:
    said = {"action": seen["action"], "hash": seen["hash"], "archive": seen["archive"]}
    return await client.post(f"{PLUGINS}/{seen['plugin']}/apply", said, key=key)


async def switch_everywhere(box: Box, how: str) -> None:
    for shop in SHOPS:
        client = box.client("owner", shop)
        seen = await plan(client, how)
        assert (await apply(client, seen)).status_code == 200


async def state_of(client: Client, name: str = "discounts") -> tuple[str, str]:
    """As one plugin, and in the list of all."""
    one = (await client.get(f"{PLUGINS}/{name}")).json()["state"]
    listed = (await client.get(PLUGINS)).json()["items"]
    return one, next(each["state"] for each in listed if each["name"] == name)


@ON_POSTGRES
async def test_a_plugin_is_uninstalled_and_comes_back_by_plans_with_every_row(box: Box) -> None:
    await a_promotion(box)
    operator = box.client("operator")
    await switch_everywhere(box, "disable")
    before = await every_row(box.deployment.settings.url)
    seen = await plan(operator, "uninstall")
    assert (seen["hindrances"], seen["businesses"], seen["migrations"], seen["restart"]) == ([], [], [], None)
    assert {one["table"]: one["rows"] for one in seen["tables"]} == dict.fromkeys(OWN, 0) | {"discounts_promotion": 1}
    line = next(one for one in seen["hooks"] if one["hook"] == "price_cart")
    assert ("discounts" in line["before"], "discounts" in line["after"]) == (True, False)
    done = await apply(operator, seen)
    assert (done.status_code, done.json()["state"]) == (200, "uninstalled"), done.text
    file = Path(done.json()["archive"]["path"])
    assert file.parent == box.deployment.settings.home_path / "archives"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == done.json()["archive"]["sha256"]
    assert done.json()["archive"]["tables"]["discounts_promotion"] == 1
    assert not set(OWN) & (await every_row(box.deployment.settings.url)).keys()
    assert await state_of(box.client("cashier")) == ("uninstalled", "uninstalled")
    assert (await plan(operator, "uninstall"))["is_done"] is True
    back = await plan(operator, "install")
    assert (back["hindrances"], [one["name"] for one in back["archives"]]) == ([], [file.name])
    made = [one["sql"] for revision in back["migrations"] for one in revision["statements"]]
    assert any("CREATE TABLE discounts_promotion" in one for one in made)
    from_archive = await plan(operator, "install", archive=file.name)
    assert from_archive["hash"] != back["hash"]
    done = await apply(operator, from_archive)
    assert (done.status_code, done.json()["state"], done.json()["restart"]) == (200, "available", None), done.text
    after = await every_row(box.deployment.settings.url)
    assert {name: after[name] for name in OWN} == {name: before[name] for name in OWN}
    await switch_everywhere(box, "enable")
    assert len((await box.client("owner").get("/api/v1/discounts/promotions")).json()["items"]) == 1


async def test_nobody_but_an_operator_plans_for_the_deployment(box: Box) -> None:
    for role, status in (("owner", 403), ("manager", 403), ("cashier", 403), (None, 401)):
        for action in ("install", "upgrade", "uninstall"):
            client = box.client(role)
            told = await client.post(f"{PLUGINS}/discounts/plan", {"action": action})
            assert told.status_code == status, (role, action)
            told = await client.post(f"{PLUGINS}/discounts/apply", {"action": action, "hash": "0" * 64})
            assert told.status_code == status, (role, action)
    said = {"name": "deploy", "scopes": ["operator"], "password": "no"}
    assert (await box.client("operator").post("/api/v1/keys", said)).status_code == 422
    assert (await box.client("operator").post(f"{PLUGINS}/no_such/plan", {"action": "install"})).status_code == 404
    told = await box.client("owner").post(f"{PLUGINS}/discounts/plan", {"action": "enable", "archive": "a.zip"})
    assert (told.status_code, told.json()["errors"][0]["pointer"]) == (422, "/archive")


async def test_the_plan_to_uninstall_names_the_tables_that_the_law_wants_kept(box: Box) -> None:
    seen = await plan(box.client("operator"), "uninstall", "agent_float")
    assert sorted(seen["kept"]) == [
        *("agent_float_closing", "agent_float_entry", "agent_float_line", "agent_float_transaction")
    ]


async def test_what_hinders_an_uninstall_is_named_with_its_path_and_changes_nothing(box: Box) -> None:
    operator = box.client("operator")
    before = await every_row(box.deployment.settings.url)
    seen = await plan(operator, "uninstall", "taxes")
    told = {one["code"]: one for one in seen["hindrances"]}
    assert set(told) == {"enabled", "needed"}
    assert seen["businesses"] == list(SHOPS)
    ways = [one["path"] for one in seen["hindrances"] if one["code"] == "needed"]
    assert ["discounts", "sales", "taxes"] in ways
    refused = await apply(operator, seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "plugin-fault")
    assert "(discounts → sales → taxes)" in refused.json()["detail"]
    for name in ("sales", "payments"):
        below = await plan(operator, "uninstall", name)
        assert {one["code"] for one in below["hindrances"]} == {"enabled", "needed"}, "others answer its hooks"
    gone = await plan(operator, "install", archive="discounts-0.1.0-x.zip")
    assert gone["is_done"] is True
    assert {k: v for k, v in (await every_row(box.deployment.settings.url)).items() if "sign_in" not in k} == {
        k: v for k, v in before.items() if "sign_in" not in k
    }


async def test_a_plan_that_the_deployment_has_left_behind_is_refused(box: Box) -> None:
    operator = box.client("operator")
    await switch_everywhere(box, "disable")
    seen = await plan(operator, "uninstall")
    assert (await apply(operator, seen)).status_code == 200
    assert (await apply(operator, await plan(operator, "install"))).status_code == 200
    told = await apply(operator, seen)
    assert (told.status_code, told.json()["code"]) == (409, "plan-stale")
    assert (await state_of(operator))[0] == "available"


async def test_of_two_who_apply_at_once_one_wins_and_the_other_is_told(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    real = plan_deployment

    async def hold(*given: Any, **said: Any) -> Any:
        first.set()
        await second.wait()
        return await real(*given, **said)

    operator = box.client("operator")
    await switch_everywhere(box, "disable")
    seen = await plan_deployment(box.deployment, "discounts", "uninstall", serving=True)
    monkeypatch.setattr(carrying, "plan_deployment", hold)
    winner = asyncio.create_task(
        carry_out_plan(box.deployment, "discounts", "uninstall", hash_=seen.hash, serving=True)
    )
    await first.wait()
    with pytest.raises(Busy):
        await carry_out_plan(box.deployment, "discounts", "uninstall", hash_=seen.hash, serving=True)
    second.set()
    assert (await winner).uninstalled is not None
    with pytest.raises(PlanStale):
        await carry_out_plan(box.deployment, "discounts", "uninstall", hash_=seen.hash, serving=True)
    assert (await state_of(operator))[0] == "uninstalled"


async def test_without_the_lock_both_are_told_that_they_have_won_and_it_is_caught(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, meeting, real = box.client("operator"), asyncio.Barrier(2), plan_deployment
    await switch_everywhere(box, "disable")
    assert (await apply(operator, await plan(operator, "uninstall"))).status_code == 200
    seen = await plan_deployment(box.deployment, "discounts", "install", serving=True)

    async def read_together(*given: Any, **said: Any) -> Any:
        found = await real(*given, **said)
        await meeting.wait()
        return found

    monkeypatch.setattr(carrying, "plan_deployment", read_together)
    monkeypatch.setattr(carrying, "only_one", lambda _deployment: contextlib.nullcontext())
    async with asyncio.timeout(20):
        told = await asyncio.gather(
            *(carry_out_plan(box.deployment, "discounts", "install", hash_=seen.hash, serving=True) for _ in range(2))
        )
    assert len(told) == 2


async def test_an_upgrade_shows_its_sql_and_runs_it_and_no_other(box: Box) -> None:
    """The revision that waits is one that was taken back by hand."""
    operator = box.client("operator")
    seen = await plan(operator, "upgrade")
    assert (seen["is_done"], seen["migrations"]) == (True, [])
    found = box.deployment.registry.plugins["discounts"]
    newer = dataclasses.replace(found, manifest=dataclasses.replace(found.manifest, version="9.9"))
    box.deployment.registry.plugins["discounts"] = newer
    try:
        seen = await plan(operator, "upgrade")
        assert (seen["version_before"], seen["version"], seen["is_done"]) == (found.manifest.version, "9.9", False)
        assert "Start the servers anew" in seen["restart"]
        done = await apply(operator, seen)
        assert (done.status_code, done.json()["migrated"], done.json()["state"]) == (200, [], "enabled"), done.text
        assert (await plan(operator, "upgrade"))["is_done"] is True
    finally:
        box.deployment.registry.plugins["discounts"] = found


def _revision(sql: str, effect: Any, *, is_whole: bool = True) -> Revision:
    return Revision("discounts_0002", "", [Statement(sql, effect, "discounts_use")], is_whole)


def test_what_servers_that_run_still_use_is_not_taken_away_under_them(registry: Registry) -> None:
    one = registry.plugins["discounts"]
    taking = [_revision("ALTER TABLE discounts_use DROP COLUMN x", "loses-data")]
    adding = [_revision("ALTER TABLE discounts_use ADD COLUMN x INT", "short")]
    unread = [_revision("", "none", is_whole=False)]
    for revisions, serving, codes in (
        (taking, True, ["servers"]),
        (unread, True, ["servers"]),
        (adding, True, []),
        (taking, False, []),
    ):
        found = hindrances_behind(one, "upgrade", revisions, serving=serving)
        assert [hindrance.code for hindrance in found] == codes
    older = dataclasses.replace(one, released="0.0.1")
    (told,) = hindrances_behind(older, "upgrade", adding, serving=True)
    assert (told.code, "start the servers anew first" in told.words) == ("restart", True)


async def test_whether_servers_run_is_asked_of_the_database(box: Box, database: str) -> None:
    assert (await box.client("owner").get(PLUGINS)).status_code == 200
    if database == "sqlite":
        assert await servers_run(box.deployment) is None, "it cannot tell"
        return
    assert await servers_run(box.deployment) is True
    await box.deployment.database.dispose()
    assert await servers_run(box.deployment) is False
    async with opened(box.deployment.settings, settle=True) as command:
        await plan_deployment(command, "discounts", "upgrade", serving=False)
        assert await servers_run(command) is False, "commands are not servers"


def test_an_upgrade_that_would_leave_another_behind_is_refused_with_the_path(registry: Registry) -> None:
    aside = SetAside("loyalty", "needs sales<0.1, found 0.1.0", path=("loyalty", "sales"))
    found, states = Registry(registry.in_order(), [aside]), {"sales": "installed", "loyalty": "installed"}
    told = hindrances_to(found, found.plugins["sales"], "upgrade", states)
    assert told == [Hindrance("range", "loyalty needs sales<0.1, found 0.1.0", ("loyalty", "sales"))]
    assert hindrances_to(registry, registry.plugins["sales"], "upgrade", states) == []
    told = hindrances_to(found, found.plugins["sales"], "install", {"taxes": "installed", "payments": "installed"})
    assert ("sales", "catalog") in [one.path for one in told]


async def test_what_is_set_aside_or_came_later_has_a_plan_that_says_why(box: Box) -> None:
    found = box.deployment.registry
    box.deployment.registry = Registry(
        found.in_order(), [SetAside("loyalty", "needs sales>=9, found 0.1.0", path=("loyalty", "sales"))]
    )
    (told,) = (await plan(box.client("operator"), "install", "loyalty"))["hindrances"]
    assert (told["code"], told["path"]) == ("set-aside", ["loyalty", "sales"])
    box.deployment.registry = found


async def test_what_waits_for_its_migrations_is_installed_and_says_that_servers_must_start_anew(box: Box) -> None:
    found = box.deployment.registry
    box.deployment.registry = without(found, "discounts", "its migrations have not run")
    assert "discounts" not in box.deployment.registry.plugins
    assert list(whole(box.deployment).registry.plugins) == list(found.plugins)
    seen = await plan(box.client("operator"), "upgrade")
    assert (seen["hindrances"], seen["is_done"]) == ([], True)
    box.deployment.registry = found


async def again(box: Box) -> list[tuple[httpx.Response, httpx.Response]]:
    """Uninstalled and installed, each asked for twice under the same key, as by somebody who got no answer."""
    operator = box.client("operator")
    await switch_everywhere(box, "disable")
    told = []
    for action in ("uninstall", "install"):
        seen = await plan(operator, action)
        told.append((await apply(operator, seen, f"{action}-1"), await apply(operator, seen, f"{action}-1")))
    return told


async def test_what_is_applied_again_under_its_key_is_answered_the_same_and_not_done_again(box: Box) -> None:
    for first, second in await again(box):
        assert (first.status_code, second.status_code) == (200, 200), second.text
        assert (first.content, second.headers.get("Idempotency-Replayed")) == (second.content, "true")
        assert "Idempotency-Replayed" not in first.headers
    deeds = [row["deed"] for row in await trail_of(box) if row["deed"].startswith("plugin ")]
    assert deeds == ["plugin uninstall", "plugin install"]
    operator = box.client("operator")
    other = await plan(operator, "upgrade")
    reused = await apply(operator, other, "install-1")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    bad = await apply(operator, other, "with space")
    assert (bad.status_code, bad.json()["code"]) == (400, "idempotency-key-invalid")


async def test_without_keys_who_asks_again_is_told_that_the_plan_is_out_of_date(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: no key is read."""
    monkeypatch.setattr(Scene, "key", None)
    assert [second.status_code for _, second in await again(box)] == [409, 409]


async def trail_of(box: Box) -> list[Any]:
    async def read(work: Work) -> list[Any]:
        mine = sa.select(Audit.__table__).where(Audit.business_id == NO_BUSINESS).order_by(Audit.id)
        return list((await work.execute(mine)).mappings())

    return await look(box.deployment, None, read)


async def test_a_refusal_keeps_no_key_and_one_that_was_broken_off_is_made_good(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = box.client("operator")
    seen = await plan(operator, "uninstall")
    refused = await apply(operator, seen, "key-1")
    assert refused.json()["code"] == "plugin-fault", "it is on for two businesses"
    await switch_everywhere(box, "disable")
    seen = await plan(operator, "uninstall")

    async def breaks_off(*_given: Any) -> None:
        raise RuntimeError("the machine is gone")

    with monkeypatch.context() as patch:
        patch.setattr(once, "_keep", breaks_off)
        assert (await apply(operator, seen, "key-1")).status_code == 500
    assert (await state_of(operator))[0] == "uninstalled"
    made_good = await apply(operator, seen, "key-1")
    assert (made_good.status_code, made_good.json()["state"]) == (200, "uninstalled"), made_good.text
    assert (await apply(operator, seen, "key-1")).content == made_good.content


async def test_while_the_first_is_under_way_the_second_is_told_to_come_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = box.client("operator")
    await switch_everywhere(box, "disable")
    seen = await plan(operator, "uninstall")
    key = Key(NO_BUSINESS, "apply", "key-1", b"asked")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def alone(_was_begun: bool) -> Any:
        begun.set()
        await go_on.wait()
        return await carry_out_alone(box.deployment, "discounts", "uninstall", hash_=seen["hash"], serving=True)

    first = asyncio.create_task(once.carry_out_once(box.deployment, key, alone, lambda done: b"done"))
    await begun.wait()
    with pytest.raises(IdempotencyInProgress):
        await once.carry_out_once(box.deployment, key, alone, lambda done: b"done")
    with pytest.raises(Busy):
        await once.carry_out_once(box.deployment, structs.replace(key, key="key-2"), alone, lambda done: b"done")
    go_on.set()
    assert [await first, await once.carry_out_once(box.deployment, key, alone, lambda done: b"no")] == [
        (b"done", False),
        (b"done", True),
    ]
