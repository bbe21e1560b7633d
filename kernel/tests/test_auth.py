"""Signing in, staying in, and who may hand out what (promises P23, P24, P25); switching plugins."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.limits import address_key, count_try
from kernel.auth.models import Limit, RefreshToken, Role, User
from kernel.auth.secrets.tokens import hash_refresh_token
from kernel.db import new_id
from kernel.errors import RateLimited
from kernel.plugin import ROLES
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box, open_box
from kernel.work import Work

LOGIN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
CASHIER = "cashier@mama-njeri.example"


@pytest_asyncio.fixture
async def other_process(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    second = await open_box(box_settings, registry, clock=box.clock)
    yield second
    await second.close()


async def login(box: Box, username: str = CASHIER, password: str = PASSWORD, **more: Any) -> httpx.Response:
    return await box.client(None).post(LOGIN, {"username": username, "password": password, **more})


async def refresh(box: Box, token: str) -> httpx.Response:
    return await box.client(None).post(REFRESH, {"refresh_token": token})


async def me(box: Box, access: str) -> httpx.Response:
    return await box.client(None).get("/api/v1/auth/me", headers={"Authorization": f"Bearer {access}"})


async def test_no_more_than_ten_wrong_tries_are_looked_at_in_a_quarter_of_an_hour(box: Box) -> None:
    statuses = [(await login(box, password="wrong" + str(n))).status_code for n in range(13)]
    assert statuses == [401] * 10 + [429] * 3
    right = await login(box)
    assert right.status_code == 429
    assert 1 <= int(right.headers["Retry-After"]) <= 900
    assert (await login(box, "manager@mama-njeri.example")).status_code == 200
    box.clock.pass_by(minutes=15, seconds=1)
    assert (await login(box)).status_code == 200


async def test_no_quarter_of_an_hour_wherever_it_begins_holds_more_than_ten_wrong_tries(box: Box) -> None:
    """A count that starts afresh a fixed time after its first try lets twice as many through around that moment."""
    allowed: list[dt.datetime] = []
    for _ in range(200):
        if (await login(box, password="wrong")).status_code == 401:
            allowed.append(box.clock())
        box.clock.pass_by(seconds=17)
    spans = [[at for at in allowed if begun <= at < begun + dt.timedelta(minutes=15)] for begun in allowed]
    assert max(map(len, spans)) == 10
    assert len(allowed) >= 20


async def test_the_broken_twin_with_a_fixed_window_lets_more_through(box: Box) -> None:
    allowed: list[dt.datetime] = []
    for wait_s in (0, 890, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0):
        box.clock.pass_by(seconds=wait_s)
        with contextlib.suppress(RateLimited):
            await box.act(lambda work: count_try(work, "twin", 10))
            allowed.append(box.clock())
    spans = [[at for at in allowed if begun <= at < begun + dt.timedelta(minutes=15)] for begun in allowed]
    assert max(map(len, spans)) > 10


async def test_one_ipv6_customer_is_one_address() -> None:
    keys = [
        address_key("x", one) for one in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "::ffff:192.0.2.1", "192.0.2.1")
    ]
    assert keys[0] == keys[1] == "x:2001:db8:1:2::/64"
    assert keys[2] == keys[3] == "x:192.0.2.1"
    assert address_key("x", "2001:db8:1:3::1") != keys[0]


async def test_the_limit_holds_for_tries_at_once_in_two_processes(box: Box, other_process: Box) -> None:
    barrier = asyncio.Barrier(30)

    async def one(server: Box, number: int) -> int:
        await barrier.wait()
        return (await login(server, password=f"wrong {number}")).status_code

    statuses = await asyncio.gather(*(one((box, other_process)[n % 2], n) for n in range(30)))
    assert sorted(statuses) == [401] * 10 + [429] * 20


async def test_the_broken_twin_that_reads_before_it_counts_is_found_out(box: Box, other_process: Box) -> None:
    allowed = []

    async def count(work: Work) -> int:
        found = await work.execute(sa.select(Limit.count).where(Limit.key == "twin"))
        return found.scalar() or 0

    async def naive(server: Box) -> None:
        known = await server.look(count)
        if known >= 10:
            return
        allowed.append(1)

        async def write(work: Work) -> None:
            await work.execute(sa.delete(Limit).where(Limit.key == "twin"))
            await work.execute(sa.insert(Limit).values(key="twin", count=known + 1, window_ends=work.now))

        await server.act(write)

    await asyncio.gather(*(naive((box, other_process)[n % 2]) for n in range(30)), return_exceptions=True)
    assert len(allowed) > 10


async def test_a_success_takes_back_its_own_try_and_no_wrong_one(box: Box) -> None:
    assert [(await login(box, password="wrong")).status_code for _ in range(9)] == [401] * 9
    assert [(await login(box)).status_code for _ in range(5)] == [200] * 5
    assert [(await login(box, password="wrong")).status_code for _ in range(2)] == [401, 429]
    assert (await login(box)).status_code == 429


async def test_the_spelling_of_a_name_does_not_win_more_tries(box: Box) -> None:
    spellings = [CASHIER.upper(), CASHIER.title(), CASHIER]
    statuses = [(await login(box, spellings[n % 3], "wrong")).status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


async def test_one_address_has_a_hundred_tries_over_all_accounts(box: Box) -> None:
    async def used_up(work: Work) -> None:
        row = {"key": "address:127.0.0.1", "count": 100, "window_ends": work.now.replace(year=work.now.year + 1)}
        await work.execute(sa.insert(Limit).values(**row))

    await box.act(used_up)
    assert (await login(box)).status_code == 429


async def test_strangers_and_friends_are_refused_alike(box: Box) -> None:
    answers = [
        await login(box, password="wrong"),
        await login(box, "nobody@mama-njeri.example"),
        await login(box, business="no-such-shop"),
        await login(box, business="sharma-kirana"),
    ]
    said = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
    assert said == [said[0]] * 4
    assert {answer.status_code for answer in answers} == {401}


async def test_an_account_that_is_off_cannot_sign_in(box: Box) -> None:
    async def off(work: Work) -> None:
        await work.execute(sa.update(User).where(User.email == CASHIER).values(is_active=False))

    await box.act(off)
    assert (await login(box)).status_code == 401


async def test_passwords_and_tokens_are_stored_as_hashes(box: Box) -> None:
    pair = (await login(box)).json()

    async def stored(work: Work) -> tuple[list[bytes], str]:
        hashes = list((await work.execute(sa.select(RefreshToken.hash))).scalars())
        password = (await work.execute(sa.select(User.password_hash).where(User.email == CASHIER))).scalar_one()
        return hashes, password

    hashes, password = await box.look(stored)
    assert hashes == [hash_refresh_token(pair["refresh_token"])]
    assert password.startswith("$argon2id$")


async def test_a_refresh_token_works_once_and_its_second_use_ends_the_family(box: Box) -> None:
    first = (await login(box)).json()
    second = (await refresh(box, first["refresh_token"])).json()
    third = (await refresh(box, second["refresh_token"])).json()
    assert (await me(box, third["access_token"])).status_code == 200
    assert (await refresh(box, first["refresh_token"])).status_code == 401
    for pair in (first, second, third):
        assert (await me(box, pair["access_token"])).status_code == 401
        assert (await refresh(box, pair["refresh_token"])).status_code == 401
    assert (await login(box)).status_code == 200


async def test_of_two_refreshes_at_once_one_at_most_succeeds_and_the_family_ends(box: Box, other_process: Box) -> None:
    pair = (await login(box)).json()
    answers = await asyncio.gather(*(refresh(server, pair["refresh_token"]) for server in (box, other_process) * 3))
    good = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(good) <= 1
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert (await me(box, pair["access_token"])).status_code == 401


async def test_a_refresh_token_grows_old(box: Box) -> None:
    pair = (await login(box)).json()
    box.clock.pass_by(days=30)
    assert (await refresh(box, pair["refresh_token"])).status_code == 401


async def test_signing_out_ends_this_sign_in_only(box: Box) -> None:
    here, there = (await login(box)).json(), (await login(box)).json()
    headers = {"Authorization": f"Bearer {here['access_token']}"}
    assert (await box.client(None).post("/api/v1/auth/logout", headers=headers)).status_code == 204
    assert (await me(box, here["access_token"])).status_code == 401
    assert (await refresh(box, here["refresh_token"])).status_code == 401
    assert (await me(box, there["access_token"])).status_code == 200


async def test_switching_gives_a_pair_for_a_business_of_ones_own_only(box: Box) -> None:
    owner = box.client("owner")
    refused = await owner.post("/api/v1/auth/switch", {"business": "sharma-kirana"})
    assert refused.status_code == 404
    assert (await owner.post("/api/v1/auth/switch", {"business": "mama-njeri"})).status_code == 200


async def role_ids(box: Box, shop: str = "mama-njeri") -> dict[str, str]:
    roles = (await box.client("owner", shop).get("/api/v1/roles")).json()["items"]
    return {role["code"]: role["id"] for role in roles}


async def let(box: Box, role: str, *permissions: str) -> None:
    """Give a role permissions that it does not have as shipped."""

    async def run(work: Work) -> None:
        here = sa.and_(Role.business_id == work.business_id, Role.code == role)
        await work.execute(sa.update(Role).where(here).values(added=list(permissions)))

    await box.act(run)


def person(email: str, role_id: str) -> dict[str, str]:
    return {"email": email, "name": "New Person", "password": "a long first password", "role_id": role_id}


async def test_nobody_hands_out_a_role_above_their_own(box: Box) -> None:
    await let(box, "manager", "users.manage")
    manager, roles = box.client("manager"), await role_ids(box)
    assert (await manager.post("/api/v1/users", person("a@x.example", roles["owner"]))).status_code == 403
    made = await manager.post("/api/v1/users", person("b@x.example", roles["stock_keeper"]))
    assert made.status_code == 201, made.text
    keeper = box.people["mama-njeri", "stock_keeper"].id
    raised = await manager.patch(f"/api/v1/users/{keeper}", {"role_id": roles["owner"]}, version=1)
    assert raised.status_code == 403


async def test_nobody_touches_a_person_above_them_or_their_own_role(box: Box) -> None:
    await let(box, "manager", "users.manage")
    manager, roles = box.client("manager"), await role_ids(box)
    owner_id, own_id = box.people["mama-njeri", "owner"].id, box.people["mama-njeri", "manager"].id
    for patch in ({"is_active": False}, {"role_id": roles["cashier"]}, {"name": "Nobody"}):
        assert (await manager.patch(f"/api/v1/users/{owner_id}", patch, version=1)).status_code == 403, patch
    for patch in ({"is_active": False}, {"role_id": roles["cashier"]}):
        assert (await manager.patch(f"/api/v1/users/{own_id}", patch, version=1)).status_code == 403, patch
    assert (await box.client("owner").get(f"/api/v1/users/{owner_id}")).json()["is_active"] is True


async def test_a_role_of_another_business_is_no_role(box: Box) -> None:
    theirs = await role_ids(box, "sharma-kirana")
    answer = await box.client("owner").post("/api/v1/users", person("a@x.example", theirs["cashier"]))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/role_id")
    answer = await box.client("owner").post("/api/v1/users", person("a@x.example", str(uuid.uuid4())))
    assert answer.status_code == 404


async def test_a_person_who_is_switched_off_is_out_at_the_next_request(box: Box) -> None:
    pair = (await login(box)).json()
    id_ = box.people["mama-njeri", "cashier"].id
    assert (await box.client("owner").patch(f"/api/v1/users/{id_}", {"is_active": False}, version=1)).status_code == 200
    assert (await me(box, pair["access_token"])).status_code == 401
    assert (await refresh(box, pair["refresh_token"])).status_code == 401


async def test_a_role_changed_acts_at_the_next_request(box: Box) -> None:
    id_, roles = box.people["mama-njeri", "cashier"].id, await role_ids(box)
    cashier = box.client("cashier")
    assert (await cashier.get("/api/v1/users")).status_code == 403
    await box.client("owner").patch(f"/api/v1/users/{id_}", {"role_id": roles["manager"]}, version=1)
    assert (await cashier.get("/api/v1/users")).status_code == 200


ALLOWED = {
    ("GET", "/api/v1/users"): {"owner", "manager"},
    ("GET", "/api/v1/roles"): {"owner", "manager"},
    ("GET", "/api/v1/jobs"): {"owner", "manager"},
    ("GET", "/api/v1/locations"): set(ROLES),
    ("GET", "/api/v1/plugins"): set(ROLES),
    ("GET", "/api/v1/businesses"): set(ROLES),
    ("POST", "/api/v1/users"): {"owner"},
    ("POST", "/api/v1/locations"): {"owner"},
    ("POST", "/api/v1/businesses"): set(),
    ("POST", "/api/v1/plugins/probe_till/disable"): {"owner"},
    ("POST", "/api/v1/plugins/probe_till/enable"): {"owner"},
    ("GET", "/api/v1/probe_stock/papers"): {"owner", "manager", "cashier"},
    ("POST", "/api/v1/probe_stock/measure"): {"owner", "manager"},
}


async def test_each_role_may_do_what_the_table_says(box: Box) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for method, path in ALLOWED:
        found[method, path] = set()
        for role in ROLES:
            answer = await box.client(role).send(method, path, headers={"Idempotency-Key": new_id().hex})
            if answer.status_code != 403:
                found[method, path].add(role)
    assert found == ALLOWED


async def test_a_plugin_is_switched_on_after_what_it_stands_on_and_off_before(box: Box) -> None:
    owner = box.client("owner")
    stuck = await owner.post("/api/v1/plugins/probe_stock/disable")
    assert (stuck.status_code, stuck.json()["detail"]) == (
        409,
        "probe_till stands on probe_stock (probe_till → probe_stock)",
    )
    for name in ("probe_till", "probe_stock"):
        assert (await owner.post(f"/api/v1/plugins/{name}/disable")).json()["state"] == "available"
    missing = await owner.post("/api/v1/plugins/probe_till/enable")
    assert (missing.status_code, missing.json()["code"]) == (409, "plugin-fault")
    assert missing.json()["detail"] == "probe_till stands on probe_stock, which is off (probe_till → probe_stock)"
    for name in ("probe_stock", "probe_till"):
        assert (await owner.post(f"/api/v1/plugins/{name}/enable")).json()["state"] == "enabled"
    assert (await owner.post("/api/v1/plugins/no_such/enable")).status_code == 404


async def test_the_command_line_and_the_api_see_one_state(box: Box) -> None:
    owner = box.client("owner")
    before = (await owner.get("/api/v1/plugins")).json()["items"]
    assert [(one["name"], one["state"], one["needed_by"]) for one in before] == [
        ("probe_stock", "enabled", ["probe_till"]),
        ("probe_till", "enabled", []),
    ]
    whole = (await owner.get("/api/v1/plugins/probe_till")).json()
    assert {name: whole[name] for name in before[1]} == before[1], "one by itself tells more, and nothing else"
    assert (await owner.get("/api/v1/plugins/no_such")).status_code == 404


@pytest.mark.parametrize("slug", ["Mama", "-x", "x-", "a" * 41, "a b", "é"])
async def test_a_business_needs_a_plain_name_in_paths(box: Box, slug: str) -> None:
    body = {"slug": slug, "name": "X", "region": "KE", "currency": "KES"}
    assert (await box.client("operator").post("/api/v1/businesses", body)).status_code == 422


@pytest.mark.parametrize(
    "wrong", [{"currency": "XXX"}, {"currency": "kes"}, {"region": "XX"}, {"zone": "EAT"}, {"plugins": ["no_such"]}]
)
async def test_a_business_needs_a_region_currency_and_plugins_that_exist(box: Box, wrong: dict[str, Any]) -> None:
    body = {"slug": "new", "name": "X", "region": "KE", "currency": "KES", **wrong}
    assert (await box.client("operator").post("/api/v1/businesses", body)).status_code in (409, 422)
    listed = (await box.client("operator").get("/api/v1/businesses")).json()["items"]
    assert [one["slug"] for one in listed] == ["mama-njeri"]
