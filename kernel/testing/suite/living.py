"""Rules about a plugin at work: switched on and off, used, asked for what is another's."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.auth.businesses.switching import disable, enable
from kernel.db import Phase
from kernel.db.tables import Job, Schedule
from kernel.hooks import policy_of
from kernel.jobs.handlers import Handler
from kernel.registry import Loaded, functions_of
from kernel.testing.box import Box
from kernel.testing.filling import Stocked, fill_shop, testing_of
from kernel.testing.probing.bodies import EXAMPLES, FILES_OF
from kernel.testing.probing.prober import MINE, THEIRS, Prober
from kernel.testing.probing.rows import read_rows
from kernel.testing.probing.spots import id_spots, lists_of, plain_call
from kernel.testing.suite.schema import Schema, schema_of
from kernel.testing.suite.still import default_of, own_tables, routes_of, stood_on
from kernel.web import PUBLIC, TILL, Route
from kernel.work import Work
from kernel.work.levels import levels_of

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
QUOTES: Final = 20
"""Carts that are priced to measure answers."""
SHARE: Final = 50
"""Of what a hook allows one answer, a fiftieth is what answers may take on average: 10 ms of `price_line`'s 500."""


async def filled(box: Box, plugin: Loaded, shop: str = MINE) -> Stocked:
    """The shop with what the plugin and all it stands on keep."""
    EXAMPLES.update(getattr(testing_of(plugin), "EXAMPLES", {}))
    FILES_OF.update(getattr(testing_of(plugin), "FILES", {}))
    own = await fill_shop(box, shop, box.deployment.registry.needed_by(plugin.name))
    if not hasattr(testing_of(plugin), "fill"):
        await _fill_by_routes(box, plugin, shop, own)
    return own


async def switch(box: Box, plugin: Loaded, *, on: bool, shop: str = MINE) -> None:
    """Switch a plugin and what stands on it off, or on again."""
    registry = box.deployment.registry
    above = registry.in_order([plugin.name, *registry.standing_on(plugin.name, registry.plugins)])
    for one in above if on else reversed(above):
        name = one.name

        async def turn(work: Work, name: str = name) -> None:
            await (enable if on else disable)(work, name)

        await box.act(turn, phase=Phase.SWITCH, shop=shop)


async def life_cycle(box: Box, plugin: Loaded) -> list[str]:
    """Use it, switch it off and on again: schema and rows are as they were, and it goes on."""
    await filled(box, plugin)
    before = await fingerprint(box, plugin)
    await switch(box, plugin, on=False)
    off = await fingerprint(box, plugin)
    await switch(box, plugin, on=True)
    again = await fingerprint(box, plugin)
    found = [*changed(before, off, "switching it off"), *changed(before, again, "switching it on again")]
    for route in lists_of(routes_of(plugin)):
        answer = await box.client("owner").get(route.path)
        if answer.status_code != 200:
            found.append(f"{route.method} {route.path}: switched on again it answers {answer.status_code}")
    return found


async def settings(box: Box, plugin: Loaded) -> list[str]:
    """What is set comes back as it was set, by the API and to the plugin's own code; misspelt names are refused."""
    kind = plugin.settings
    if kind is None:
        return []
    allowed = levels_of(kind)
    defaults = {
        one.encode_name: default_of(one) for one in msgspec.structs.fields(kind) if "business" in allowed[one.name]
    }
    given = msgspec.json.decode(msgspec.json.encode(defaults))
    owner, path = box.client("owner"), f"/api/v1/settings/{plugin.name}"
    changed = await owner.patch(path, {"values": given}, version=0)
    if changed.status_code != 200:
        return [f"settings {kind.__name__}: values that its types allow are refused: {changed.text}"]
    told = (await owner.get(path)).json()
    found = [
        f"settings {kind.__name__}.{name}: {given[name]!r} came back as {told['values'].get(name)!r}"
        for name in sorted(given.keys() - told["secrets"].keys())
        if told["values"].get(name) != given[name]
    ]
    if await box.look(lambda work: work.settings(kind)) != msgspec.convert(given, kind):
        found.append(f"settings {kind.__name__}: work.settings reads something else than what was set")
    if (await owner.patch(path, {"values": {"no_such_setting": 1}}, version=1)).status_code != 422:
        found.append(f"settings {kind.__name__}: a name that it does not have is taken; forbid unknown fields")
    return found


async def off(box: Box, plugin: Loaded) -> list[str]:
    """Switched off it answers nothing: no route, no hook, no job."""
    waiting = await _job_that_waits(box, plugin)
    await switch(box, plugin, on=False)
    registry = box.deployment.registry
    on = await box.look(_enabled)
    hooks = registry.hooks_for(on)
    found = [
        f"hook {name}: {plugin.name} answers though it is off"
        for name in hooks.specs()
        if plugin.name in hooks.listeners(name)
    ]
    told = await box.client("owner").get("/api/v1/openapi.json")
    if told.status_code != 200:
        return [f"the OpenAPI document cannot be made any more ({told.status_code}); a route's types are at fault"]
    documented = told.json()["paths"]
    routes = routes_of(plugin)
    open_ = {route.path for route in routes if route.permission == PUBLIC}  # providers leave word there all the same
    routes = [route for route in routes if route.path not in open_]
    for route in routes:
        answer = await plain_call(route, {name: str(uuid.uuid4()) for name in route.parameters}).send(
            box.client("owner")
        )
        if answer.status_code != 404:
            found.append(_not_gone(route.method, route.path, answer.status_code))
    for path in sorted({route.path for route in routes}):
        found += await _answers(box, path, {route.method for route in routes if route.path == path})
        if path in documented:
            found.append(f"{path}: stands in the OpenAPI document of a business that has {plugin.name} off")
    await box.run_jobs()
    found += await _jobs_off(box, plugin, waiting)
    return found


async def tenants(box: Box, plugin: Loaded) -> list[str]:
    """Another business's ids are answered like ids of nothing, wherever they stand; nothing of theirs changes."""
    own = await filled(box, plugin)
    await filled(box, plugin, THEIRS)
    prober = Prober(box, own, await read_rows(box, MINE), await read_rows(box, THEIRS))
    routes = routes_of(plugin)
    found = await _shown(box, routes, prober)
    spots = [spot for spot in id_spots(routes) if spot.route.permission not in (PUBLIC, TILL)]
    await prober.probe(spots, ("owner", "cashier"))
    found += [f"{one}; ask by work.get(…) or name business_id in the statement" for one in prober.findings]
    return found


async def lists(box: Box, plugin: Loaded, left_out: Collection[str]) -> list[str]:
    """A list of many rows asks the database as often as a list of one. left_out: paths of lists."""
    await filled(box, plugin)
    found = []
    for route in (one for one in lists_of(routes_of(plugin)) if one.path not in left_out):
        first = await _statements(box, route, 1)
        every = await _statements(box, route, 200)
        if every[1] < 2:
            found.append(f"{route.method} {route.path}: nothing to see; make two of each thing in fill of testing.py")
        elif every[0] > first[0]:
            found.append(
                f"{route.method} {route.path}: {first[0]} statements for one row, {every[0]} for {every[1]}; read what"
                " rows need once for all of them"
            )
    return found


async def hook_budgets(box: Box, plugin: Loaded) -> list[str]:
    """The plugin's answers keep to their hooks' own policies, over a filled shop and some carts."""
    meter = box.deployment.registry.meter
    before = {key: (one.calls, one.seconds, one.failures) for key, one in meter.items()}
    own = await filled(box, plugin)
    if "product_id" in own and "sales" in box.deployment.registry.plugins:
        cart = {"location_id": own["location_id"], "lines": [{"product_id": own["product_id"], "quantity": "12"}]}
        for _ in range(QUOTES):
            answer = await box.client("owner").post("/api/v1/sales/quote", cart)
            if answer.status_code != 200:
                return [f"a cart of a filled shop cannot be priced: {answer.text}"]
    specs = box.deployment.registry.hooks_for(box.deployment.registry.plugins).specs()
    found = []
    for (name, hook), spent in meter.items():
        calls, seconds, failures = before.get((name, hook), (0, 0.0, 0))
        if name != plugin.name or hook not in specs:
            continue
        policy = policy_of(specs[hook])
        if failed := spent.failures - failures:
            allowed = f"{policy.failing}, at most {policy.budget_ms:,} ms"
            said = f"failed {failed} times by the hook's own policy ({allowed}); `duka dev` shows each answer"
            found.append(f"answer to {hook}: {said}")
        mean = (spent.seconds - seconds) / max(1, spent.calls - calls) * 1000
        if mean > policy.budget_ms / SHARE:
            allowed = f"{policy.budget_ms / SHARE:.0f} ms are allowed, a fiftieth of the hook's budget"
            found.append(
                f"answer to {hook}: {mean:.1f} ms on average, {allowed}; read once for the cart in price_facts,"
                " and leave slow work to a job"
            )
    return found


async def trials_of_others(box: Box, plugin: Loaded) -> list[str]:
    """What those find who try what it gave them: `trial_of(box, plugin)` of the `testing.py` of whom it stands on."""
    await filled(box, plugin)
    trials = [getattr(testing_of(other), "trial_of", None) for other in stood_on(plugin, box.deployment.registry)]
    return [said for trial in trials if trial is not None for said in await trial(box, plugin)]


async def fingerprint(box: Box, plugin: Loaded) -> tuple[Schema, dict[str, str]]:
    """The schema of a plugin's tables, and a digest of the rows of each."""
    url = box.deployment.settings.url
    engine = create_async_engine(url)
    digests = {}
    try:
        async with engine.connect() as connection:
            for table in own_tables(plugin):
                found = (await connection.execute(sa.select(table))).all()
                rows = sorted(msgspec.json.encode(tuple(row), order="deterministic") for row in found)
                digests[table.name] = hashlib.sha256(b"\n".join(rows)).hexdigest()
    finally:
        await engine.dispose()
    return await schema_of(url, plugin.name), digests


def changed(before: tuple[Schema, dict[str, str]], after: tuple[Schema, dict[str, str]], what: str) -> Iterator[str]:
    """What became of schema and rows. what: "switching it off"."""
    if before[0] != after[0]:
        yield f"{what} changed its schema; tables are changed by migrations alone"
    for table, digest in before[1].items():
        if after[1][table] != digest:
            yield f"{what} changed rows of {table}; keep them, and in switched_on add only what is missing"


async def _fill_by_routes(box: Box, plugin: Loaded, shop: str, own: Stocked) -> None:
    """Two of each thing that the plugin's own routes make."""
    routes = routes_of(plugin)
    for route in routes:
        if (route.method, route.kind, route.status) != ("POST", "command", 201) or "{" in route.path:
            continue
        for _ in "12":
            answer = await plain_call(route, own).send(box.client("owner", shop))
            made = answer.json() if answer.status_code == 201 else {}
            below = [one.path.removeprefix(f"{route.path}/{{") for one in routes if one.path != route.path]
            for rest in below:
                name = rest.partition("}")[0]
                if "/" not in name and isinstance(made, dict) and "id" in made:
                    own[name] = made["id"]


async def _shown(box: Box, routes: list[Route], prober: Prober) -> list[str]:
    """Ids of another business that lists show."""
    theirs = prober.theirs.every_id - prober.mine.every_id
    found = []
    for route in lists_of(routes):
        text = (await box.client("owner").get(route.path, params={"limit": 200})).text
        if leaked := [one for one in theirs if one in text]:
            found.append(f"{route.method} {route.path} shows {leaked[0]} of another business; name business_id in it")
    return found


async def _enabled(work: Work) -> frozenset[str]:
    return work.standing.enabled


def _not_gone(method: str, path: str, status: int) -> str:
    return f"{method} {path}: answers {status} though the plugin is off; 404 is due"


async def _answers(box: Box, path: str, known: Collection[str]) -> list[str]:
    """Answers but 404 to the methods that no route of a path has."""
    real = "/".join(str(uuid.uuid4()) if step.startswith("{") else step for step in path.split("/"))
    found = []
    for method in (one for one in METHODS if one not in known):
        answer = await box.client("owner").send(method, real)
        if answer.status_code != 404:
            found.append(_not_gone(method, path, answer.status_code))
    return found


async def _job_that_waits(box: Box, plugin: Loaded) -> uuid.UUID | None:
    handlers: list[Handler] = functions_of(plugin.jobs, Handler)
    if not handlers:
        return None

    async def later(work: Work) -> uuid.UUID:
        return work.later(handlers[0].name, {})

    return await box.act(later)


async def _jobs_off(box: Box, plugin: Loaded, waiting: uuid.UUID | None) -> list[str]:
    async def read(work: Work) -> tuple[Any, int]:
        here = sa.and_(Job.business_id == work.business_id, Job.id == waiting)
        state = (await work.execute(sa.select(Job.state).where(here))).scalar()
        mine = sa.and_(Schedule.business_id == work.business_id, Schedule.job.startswith(f"{plugin.name}."))
        return state, (await work.execute(sa.select(sa.func.count()).select_from(Schedule).where(mine))).scalar_one()

    state, schedules = await box.look(read)
    found = []
    if waiting is not None and state != "parked":
        found.append(f"a job that waited is {state} though the plugin is off; it should be parked")
    if schedules:
        found.append(f"{schedules} schedules stand though the plugin is off")
    return found


async def _statements(box: Box, route: Route, limit: int) -> tuple[int, int]:
    """How many statements a list asks, and how many rows it shows."""
    with _counted(box) as seen:
        answer = await box.client("owner").get(route.path, params={"limit": limit})
    return len(seen), len(answer.json().get("items", ())) if answer.status_code == 200 else 0


@contextmanager
def _counted(box: Box) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = box.deployment.database.reader.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
