"""What a plugin lets a business set: checked by its Struct, sealed where secret, seen by every process at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
import pytest
import sqlalchemy as sa
from msgspec import Meta

from kernel.auth import look
from kernel.db.tables import Audit, BusinessPlugin
from kernel.testing.box import Box
from kernel.wire import secret
from kernel.work import Work
from kernel.work.recalling import Recalled

HERE = "/api/v1/settings/probe_till"


class Settings(msgspec.Struct, frozen=True):
    """Points."""

    points: Annotated[int, Meta(ge=1, le=100, title="Points for each unit")]
    greeting: Annotated[str, Meta(max_length=20)] = "Karibu"
    key: Annotated[str, Meta(max_length=50), secret()] | None = None

    def __post_init__(self) -> None:
        if self.greeting == "Go away":
            raise ValueError("be polite")


@pytest.fixture
def till(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box whose probe_till has settings."""
    plugins = box.deployment.registry.plugins
    monkeypatch.setitem(plugins, "probe_till", replace(plugins["probe_till"], settings=Settings))
    return box


async def change(box: Box, version: int, **values: Any) -> Any:
    return await box.client("owner").patch(HERE, {"values": values}, version=version)


async def read(box: Box) -> Settings:
    return await box.look(lambda work: work.settings(Settings))


async def test_what_is_set_is_answered_and_read_and_defaults_stand_for_the_rest(till: Box) -> None:
    owner = till.client("owner")
    empty = (await owner.get(HERE)).json()
    assert (empty["values"], empty["missing"]) == ({"greeting": "Karibu"}, ["points"])
    assert empty["secrets"] == {"key": False}
    changed = await change(till, 0, points=3, key="s3cret words")
    assert (changed.status_code, changed.headers["etag"][:3]) == (200, '"1.')
    assert changed.json()["values"] == {"points": 3, "greeting": "Karibu"}
    assert (await owner.get(HERE)).json() == changed.json()
    assert await read(till) == Settings(3, key="s3cret words")
    assert (await change(till, 1, key=None, points=None)).json()["missing"] == ["points"]


async def test_a_secret_is_neither_answered_nor_stored_nor_noted_in_the_clear(till: Box) -> None:
    answer = await change(till, 0, points=3, key="s3cret words")
    listed = await till.client("owner").get("/api/v1/settings")
    assert "s3cret" not in answer.text + listed.text
    assert answer.json()["secrets"] == {"key": True}

    async def stored(work: Work) -> str:
        rows = (await work.execute(sa.select(BusinessPlugin.settings))).scalars().all()
        trail = (await work.execute(sa.select(Audit.facts, Audit.changes))).all()
        return f"{rows} {[tuple(one) for one in trail]}"

    kept = await till.look(stored)
    assert "s3cret" not in kept
    assert "'settings': ['key', 'points']" in kept


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"points": 0}, "/values/points"),
        ({"points": "3"}, "/values/points"),
        ({"points": 10**30}, "/values/points"),
        ({"points": 3, "greeting": "x" * 21}, "/values/greeting"),
        ({"points": 3, "greeting": "a\x00b"}, "/values/greeting"),
        ({"points": 3, "colour": "red"}, "/values/colour"),
        ({"points": 3, "greeting": "Go away"}, "/values"),
        ({"points": 3, "key": {"sealed": "eA=="}}, "/values/key"),
    ],
)
async def test_what_does_not_fit_is_refused_at_its_place_and_nothing_is_kept(
    till: Box, values: dict[str, Any], pointer: str
) -> None:
    refused = await change(till, 0, **values)
    assert refused.status_code == 422, refused.text
    assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]
    assert (await till.client("owner").get(HERE)).json()["missing"] == ["points"]


async def test_of_two_who_change_one_version_one_is_told(till: Box) -> None:
    assert (await change(till, 0, points=3)).status_code == 200
    assert (await change(till, 0, points=4)).status_code == 412
    unsaid = await till.client("owner").send("PATCH", HERE, json={"values": {"points": 4}})
    assert unsaid.status_code == 428


async def test_a_change_is_seen_by_every_process_at_its_next_request(till: Box) -> None:
    await change(till, 0, points=3)
    other = replace(till.deployment, recalled=Recalled())
    for points in (3, 4, 5):
        version = int((await till.client("owner").get(HERE)).headers["etag"].strip('"').partition(".")[0])
        await change(till, version, points=points)
        for process in (till.deployment, other):
            found = await look(process, till.shop.id, lambda work: work.settings(Settings))
            assert found.points == points


async def test_a_plugin_that_lacks_settings_is_not_switched_on(till: Box) -> None:
    owner = till.client("owner")
    assert (await owner.post("/api/v1/plugins/probe_till/disable")).status_code == 200
    plan = (await owner.post("/api/v1/plugins/probe_till/plan", {"action": "enable"})).json()
    assert [one["code"] for one in plan["hindrances"]] == ["settings"]
    assert plan["settings"][0] == {
        "name": "points",
        "title": "Points for each unit",
        "is_required": True,
        "is_secret": False,
    }
    assert (await owner.post("/api/v1/plugins/probe_till/enable")).status_code == 409
    await change(till, 0, points=3)
    assert (await owner.post("/api/v1/plugins/probe_till/enable")).status_code == 200


async def test_settings_of_one_business_are_not_those_of_another_and_take_a_permission(till: Box) -> None:
    await change(till, 0, points=3)
    other = await till.client("owner", "sharma-kirana").get(HERE)
    assert other.json()["missing"] == ["points"]
    assert (await till.client("manager").get(HERE)).status_code == 403
    assert (await till.client("owner").get("/api/v1/settings/probe_stock")).status_code == 404
