"""P35: a plugin that misbehaves in a hook changes a checkout by no more than the hook's policy and time budget."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.businesses.switching import enable
from kernel.db import Base, Phase, engine
from kernel.hooks import HookSet, policy_of
from kernel.invariants import broken
from kernel.registry import Registry, discover
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.testing.served import serving
from kernel.work import Work, tenancy
from plugins.catalog.testing import a_product
from plugins.payments.hooks import payment_methods
from plugins.sales.hooks import price_cart, price_facts, price_line, sale_completed, sale_placed
from tests.promises.crowd import in_stock, token_for
from tests.promises.misbehaving import NAME, REFUSED, SKIPPED, WAYS, install
from tests.promises.rows import read_rows
from tests.proving import ON_POSTGRES

BUDGET_MS = 400
STRIKES = 3
FAILING = tuple(way for way in WAYS if way != "leaks")
TWIN = "test_a_kernel_that_lets_answers_commit_is_caught"
"""Leaves broken rows behind, which is what it is about."""
AGE = {"id", "number", "sold_at", "epoch", "payments", "request_id"}
OWN = {"id", "sale_id", "number", "sold_at", "recorded_at", "epoch", "plugins", "subject_id", "document_id", "at"}
"""Columns that differ between any two sales."""


@pytest.fixture(scope="module")
def stranger(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the plugin is installed."""
    folder = tmp_path_factory.mktemp("site")
    install(folder)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def with_stranger(registry: Registry, stranger: Path) -> Registry:
    """Every plugin and the stranger, who is found only after `registry`, and so is in no other test's database."""
    found = discover()
    assert not found.set_aside, found.set_aside
    assert NAME in found.plugins
    return found


@pytest.fixture
def budgets(request: pytest.FixtureRequest, with_stranger: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short budgets for what is told often, so that waiting for them costs little; as declared under `prove`."""
    if request.node.get_closest_marker("prove") is None:
        hooks: list[Any] = [payment_methods, price_facts, price_line, price_cart, sale_placed, sale_completed]
        for hook in hooks:
            shorter = dataclasses.replace(policy_of(hook), budget_ms=BUDGET_MS)
            monkeypatch.setattr(hook, "duka_policy", shorter)
    with_stranger._sets.clear()


@pytest_asyncio.fixture
async def shop(
    box_settings: Settings, with_stranger: Registry, budgets: None, request: pytest.FixtureRequest
) -> AsyncIterator[Shop]:
    box = await open_box(box_settings, with_stranger)
    yield await open_shop(box)
    faults = await broken(box.deployment)
    await box.close()
    with_stranger._sets.clear()
    assert not faults or request.node.originalname == TWIN, faults


class Shop:
    """A shop with a promotion and counted stock, and the plugin switched on but well-behaved."""

    def __init__(self, box: Box, body: dict[str, Any], golden: Sold) -> None:
        self.box, self.body, self.golden = box, body, golden
        self.plugin = sys.modules[f"{NAME}.listeners"]
        self.behave("", ())

    def behave(self, how: str, where: Any) -> None:
        """From now on it misbehaves like this, there."""
        self.plugin.HOW, self.plugin.WHERE = how, frozenset(where)  # type: ignore[attr-defined]
        self.plugin.NAP_S = max(0.5, BUDGET_MS / 1000 * 1.2)  # type: ignore[attr-defined]
        for kept in ("CALLS", "TRIED", "STOLEN"):
            getattr(self.plugin, kept).clear()

    @property
    def calls(self) -> dict[str, int]:
        return dict(self.plugin.CALLS)

    async def sell(self, key: str | None = None) -> httpx.Response:
        return await self.box.client("cashier").post("/api/v1/sales/sales", self.body, key=key)

    async def health(self) -> dict[str, Any]:
        answer = await self.box.client("owner").get("/api/v1/plugins/health")
        assert answer.status_code == 200, answer.text
        return next(one for one in answer.json()["items"] if one["name"] == NAME)

    async def reset(self) -> dict[str, Any]:
        answer = await self.box.client("owner").post(f"/api/v1/plugins/{NAME}/reset")
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said


class Sold:
    """What a sale came to: what the till was told, and what was stored of it."""

    def __init__(self, said: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
        self.said = {name: value for name, value in said.items() if name not in AGE}
        self.rows = rows


async def open_shop(box: Box) -> Shop:
    product, place = await a_product(box, price="100.00"), await box.location()
    await in_stock(box, product, place, "1000")
    owner = box.client("owner")
    promotion = {"name": "Ten off", "kind": "percent", "value": "10", "starts_at": "2026-01-01T00:00:00Z"}
    made = (await owner.post("/api/v1/discounts/promotions", {**promotion, "product_id": str(product)})).json()
    assert (await owner.post(f"/api/v1/discounts/promotions/{made['id']}/activate")).status_code == 200
    lines = [{"product_id": str(product), "quantity": "2"}, {"product_id": str(product), "quantity": "1"}]
    paid = [{"method": "cash", "amount": "270.00"}]
    body = {"location_id": str(place), "lines": lines, "payments": paid}
    answer = await box.client("cashier").post("/api/v1/sales/sales", body)
    assert answer.status_code == 201, answer.text
    golden = Sold(answer.json(), await stored(box, answer.json()["id"]))
    assert golden.said["total"] == "270.00"
    assert all(golden.rows.values()), "every other plugin has its part in a sale"
    await box.act(lambda work: enable(work, NAME), phase=Phase.SWITCH)
    return Shop(box, body, golden)


async def stored(box: Box, sale_id: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a sale in the books of every plugin, but for ids and times."""
    keys = {
        "sales_sale": "id",
        "sales_line": "sale_id",
        "payments_attempt": "subject_id",
        "inventory_move": "document_id",
        "discounts_use": "sale_id",
        "daybook_entry": "document_id",
    }

    async def read(work: Work) -> dict[str, list[dict[str, Any]]]:
        found = {}
        for name, key in keys.items():
            table = Base.metadata.tables[name]
            mine = sa.and_(table.c.business_id == work.business_id, table.c[key] == uuid.UUID(sale_id))
            rows = (await work.execute(sa.select(table).where(mine))).mappings()
            found[name] = sorted((_comparable(row) for row in rows), key=repr)
        return found

    return await box.look(read)


def _comparable(row: Any) -> dict[str, Any]:
    own = {name for name in row if name in OWN or name.endswith(("_id", "_at", "_number"))} - {"product_id"}
    return {name: value for name, value in row.items() if name not in own}


async def assert_sells_as_if_it_were_not_there(shop: Shop) -> None:
    answer = await shop.sell()
    assert answer.status_code == 201, answer.text
    now = Sold(answer.json(), await stored(shop.box, answer.json()["id"]))
    assert now.said == shop.golden.said
    assert now.rows == shop.golden.rows


async def assert_refuses_cleanly(shop: Shop, hook: str) -> None:
    before = await read_rows(shop.box, "mama-njeri")
    key = uuid.uuid4().hex
    answer = await shop.sell(key)
    assert answer.status_code == 503, answer.text
    said = answer.json()
    assert (said["code"], said["plugin"], said["hook"]) == ("plugin-failed", NAME, hook)
    assert said["detail"].startswith("Bad apple failed, so nothing was sold")
    assert set(before.changed(await read_rows(shop.box, "mama-njeri"))) <= {"kernel_trip"}, "something was written"
    assert "done" not in shop.plugin.STOLEN, f"it could {shop.plugin.STOLEN['done']}"
    how, where = shop.plugin.HOW, shop.plugin.WHERE
    assert how != "commits" or len(shop.plugin.TRIED) == 18, "not every way was tried"
    shop.behave("", ())
    assert (await shop.sell(key)).status_code == 201, "the key is good for another try"
    shop.behave(how, where)


async def assert_skipped_until_it_trips(shop: Shop, how: str, hooks: tuple[str, ...]) -> None:
    shop.behave(how, hooks)
    for strike in range(1, STRIKES + 1):
        assert (await shop.health())["trips"] == []
        await assert_sells_as_if_it_were_not_there(shop)
        assert {one: shop.calls.get(one, 0) >= strike for one in hooks} == dict.fromkeys(hooks, True)
    health = await shop.health()
    assert (health["state"], [one["hook"] for one in health["trips"]]) == ("tripped", sorted(hooks))
    assert {one["strikes"] for one in health["trips"]} == {STRIKES}
    before = shop.calls
    await assert_sells_as_if_it_were_not_there(shop)
    assert all(shop.calls.get(one) == before[one] for one in hooks), "it was asked again"
    assert "done" not in shop.plugin.STOLEN, f"it could {shop.plugin.STOLEN['done']}"
    shop.behave("", ())
    assert (await shop.reset())["state"] == "well"
    await assert_sells_as_if_it_were_not_there(shop)
    assert all(shop.calls.get(one) for one in hooks), "after a reset it is asked again"


@pytest.mark.parametrize("how", FAILING)
async def test_where_it_may_be_left_out_the_sale_is_what_it_were_without_it_and_three_strikes_trip_it(
    shop: Shop, how: str
) -> None:
    few = {"sleeps": ("price_facts", "price_line"), "burns": ("price_cart",)}  # each costs half a second a strike
    await assert_skipped_until_it_trips(shop, how, few.get(how, SKIPPED))


@pytest.mark.parametrize("how", ["fails in SQL", "hides a fault in SQL", "refuses after a fault in SQL"])
async def test_a_fault_in_sql_spoils_no_other_plugins_transaction(shop: Shop, how: str) -> None:
    await assert_skipped_until_it_trips(shop, how, ("price_facts",))
    others = (await shop.box.client("owner").get("/api/v1/plugins/health")).json()["items"]
    assert {one["state"] for one in others} == {"well"}, "another plugin was blamed"


@pytest.mark.parametrize("how", ["fails in SQL", "hides a fault in SQL"])
async def test_a_fault_in_sql_where_it_is_needed_refuses_the_sale(shop: Shop, how: str) -> None:
    shop.behave(how, ("sale_completed",))
    await assert_refuses_cleanly(shop, "sale_completed")


@pytest.mark.prove
@pytest.mark.parametrize("hook", SKIPPED)
@pytest.mark.parametrize("how", [*FAILING, "exits"])
async def test_in_each_hook_that_may_do_without_it(shop: Shop, how: str, hook: str) -> None:
    shop.plugin.STOLEN["work"] = None
    shop.plugin.NAP_S = 1.0  # type: ignore[attr-defined]
    await assert_skipped_until_it_trips(shop, how, (hook,))


@pytest.mark.parametrize("how", FAILING)
async def test_where_it_is_needed_the_sale_is_refused_in_words_and_nothing_is_written(shop: Shop, how: str) -> None:
    hook = {"raises": "payment_captured", "burns": "sale_completed"}.get(how, "sale_placed")
    shop.behave(how, (hook,))
    await assert_refuses_cleanly(shop, hook)
    health = await shop.health()
    assert (health["state"], health["trips"]) == ("flagged", [])
    assert [(one["hook"], one["strikes"]) for one in health["flags"]] == [(hook, 1)]


@pytest.mark.prove
@pytest.mark.parametrize("hook", REFUSED)
@pytest.mark.parametrize("how", [*FAILING, "exits", "cancels"])
async def test_in_each_hook_where_it_is_needed(shop: Shop, how: str, hook: str) -> None:
    shop.behave(how, (hook,))
    shop.plugin.NAP_S = 3.5  # type: ignore[attr-defined]
    for _ in range(STRIKES + 1):
        await assert_refuses_cleanly(shop, hook)
        shop.plugin.NAP_S = 3.5  # type: ignore[attr-defined]
    health = await shop.health()
    assert (health["state"], health["flags"][0]["strikes"]) == ("flagged", STRIKES + 1), "what is needed never trips"


async def test_memory_that_leaks_changes_no_sale_and_is_not_seen(shop: Shop) -> None:
    shop.behave("leaks", (*SKIPPED, *REFUSED))
    for _ in range(STRIKES + 1):
        await assert_sells_as_if_it_were_not_there(shop)
    assert (await shop.health())["state"] == "well"
    assert len(shop.plugin.LEAKED) > STRIKES
    shop.plugin.LEAKED.clear()


async def test_a_refusal_on_purpose_passes_unchanged_and_is_no_strike(shop: Shop) -> None:
    for hook in ("price_facts", "price_line", "sale_placed"):
        shop.behave("veto", (hook,))
        answer = await shop.sell()
        assert (answer.status_code, answer.json()["detail"]) == (409, "not today")
    assert (await shop.health())["state"] == "well"


async def test_one_that_exits_or_cancels_itself_takes_no_server_along(shop: Shop) -> None:
    for how in ("exits", "cancels"):
        shop.behave(how, ("sale_placed",))
        await assert_refuses_cleanly(shop, "sale_placed")
    shop.behave("exits", ("price_line",))
    await assert_sells_as_if_it_were_not_there(shop)


async def test_a_quote_is_what_it_were_without_it(shop: Shop) -> None:
    asked = {name: value for name, value in shop.body.items() if name != "payments"}
    for how in ("raises", "garbage"):
        shop.behave(how, SKIPPED)
        answer = await shop.box.client("cashier").post("/api/v1/sales/quote", asked)
        assert (answer.status_code, answer.json()["total"]) == (200, "270.00"), answer.text


async def test_a_reset_is_for_those_who_manage_plugins_and_leaves_an_audit_row(shop: Shop) -> None:
    shop.behave("raises", ("price_line",))
    for _ in range(STRIKES):
        assert (await shop.sell()).status_code == 201
    epoch = (await shop.box.client("owner").get("/api/v1/businesses")).json()["items"][0]["epoch"]
    assert (await shop.box.client("cashier").post(f"/api/v1/plugins/{NAME}/reset")).status_code == 403
    assert (await shop.box.client("cashier").get("/api/v1/plugins/health")).status_code == 403
    assert (await shop.box.client("owner").post("/api/v1/plugins/no_such/reset")).status_code == 404
    other = (await shop.box.client("owner", "sharma-kirana").get("/api/v1/plugins/health")).json()["items"]
    assert {one["state"] for one in other} == {"well"}, "it is one business's own"
    assert {one["this_process"] is None for one in other} == {True}
    await shop.reset()
    after = (await shop.box.client("owner").get("/api/v1/businesses")).json()["items"][0]["epoch"]
    assert after == epoch + 1
    trail = (await shop.box.client("owner").get("/api/v1/audit", params={"limit": "200"})).json()["items"]
    assert {"plugins.reset_plugin", "trip a plugin"} <= {one["deed"] for one in trail}


@ON_POSTGRES
async def test_what_fails_here_and_there_is_counted_together_and_left_out_everywhere(
    box_settings: Settings, with_stranger: Registry, stranger: Path, budgets: None
) -> None:
    box = await open_box(box_settings, with_stranger)
    shop = await open_shop(box)
    path = f"{stranger}:{':'.join(filter(None, sys.path))}"
    said = {"MISBEHAVES_HOW": "raises", "MISBEHAVES_WHERE": "price_line", "PYTHONPATH": path, "DUKA_JOBS": "off"}
    headers = {"Authorization": f"Bearer {token_for(box, 'operator')}"}
    with serving(box_settings, 2, said) as servers:
        async with (
            httpx.AsyncClient(base_url=servers[0].url, headers=headers, timeout=60) as one,
            httpx.AsyncClient(base_url=servers[1].url, headers=headers, timeout=60) as other,
        ):
            for till in (one, other, one):
                sold = await till.post("/api/v1/sales/sales", json=shop.body, headers={"Idempotency-Key": _key()})
                assert (sold.status_code, sold.json()["total"]) == (201, "270.00")
            await _until_tripped(other)
            for till, failures, sales in ((one, 2, 3), (other, 1, 2)):
                sold = await till.post("/api/v1/sales/sales", json=shop.body, headers={"Idempotency-Key": _key()})
                assert (sold.status_code, sold.json()["total"]) == (201, "270.00")
                figures = {figure["hook"]: figure for figure in (await _seen(till))["this_process"]}
                assert figures["price_line"]["failures"] == failures, "it was asked again"
                assert figures["sale_placed"]["calls"] == sales, "what is needed is told all the same"
    await box.close()


async def _until_tripped(client: httpx.AsyncClient) -> None:
    for _ in range(1200):
        if (await _seen(client))["state"] == "tripped":
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it was not tripped")


async def _seen(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/v1/plugins/health")
    assert answer.status_code == 200, answer.text
    return next(one for one in answer.json()["items"] if one["name"] == NAME)


def _key() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize("how", ["raises", "garbage"])
async def test_a_bus_that_ignores_policies_is_caught(shop: Shop, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(_set: HookSet, _hook: str, _plugin: str, error: BaseException) -> None:
        raise error

    monkeypatch.setattr(HookSet, "_judge", judge)
    monkeypatch.setattr(HookSet, "_check", lambda *_: None)
    with pytest.raises(AssertionError):
        await assert_skipped_until_it_trips(shop, how, ("price_line",))
    shop.behave(how, ("sale_placed",))
    with pytest.raises(AssertionError):
        await assert_refuses_cleanly(shop, "sale_placed")


async def test_a_kernel_that_lets_answers_commit_is_caught(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "refuse_to_answers", lambda _: None)
    monkeypatch.setattr(tenancy, "refuse_to_answers", lambda _: None)
    shop.behave("commits plainly", ("sale_placed",))
    with pytest.raises(AssertionError):
        await assert_refuses_cleanly(shop, "sale_placed")
