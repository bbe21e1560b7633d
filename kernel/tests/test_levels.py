"""Settings of the deployment, the business and its locations: the nearest counts, what is locked counts before all."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from kernel.app.routes import settings as routes
from kernel.auth import look
from kernel.db.tables import Audit, BusinessPlugin, DeploymentSetting, LocationSetting
from kernel.sealing import SealBroken
from kernel.settings import Settings as Deployed
from kernel.testing.box import Box, Client
from kernel.tests.command_line import duka
from kernel.wire import Level, secret, set_at
from kernel.work import Work
from kernel.work.configuring import Sealing, SettingsMissing, as_struct, secret_names
from kernel.work.levels import LEVELS, Levels, Stored, levels_of, whole
from kernel.work.recalling import Recalled

BUSINESS, ABOVE = "/api/v1/settings/probe_till", "/api/v1/operating/settings/probe_till"
HERE, THERE = uuid.UUID(int=1), uuid.UUID(int=2)
WHOSE = Sealing(("a secret that is long enough to seal with",), uuid.UUID(int=9), "probe_till")
EVERYWHERE = set_at("deployment", "business", "location")


class Settings(msgspec.Struct, frozen=True):
    """Levels."""

    least: Annotated[int, Meta(ge=0), EVERYWHERE] = 0
    most: Annotated[int, Meta(ge=0), EVERYWHERE] = 100
    word: str = "Karibu"
    limit: Annotated[int | None, EVERYWHERE] = 5
    region: Annotated[str, set_at("deployment")] = "none"
    key: Annotated[str, Meta(max_length=150), secret(), EVERYWHERE] | None = None

    def __post_init__(self) -> None:
        if self.least > self.most:
            raise ValueError("least is above most")


def levels(
    deployment: dict[str, Any] | None = None,
    business: dict[str, Any] | None = None,
    here: dict[str, Any] | None = None,
    *locked: str,
) -> Levels:
    places = {} if here is None else {HERE: Stored(here, 1)}
    return Levels(Stored(deployment or {}), Stored(business or {}), places, frozenset(locked))


@pytest.mark.parametrize(
    ("stored", "place", "least", "most", "aside"),
    [
        (levels(), None, 0, 100, set()),
        (levels({"least": 1}), None, 1, 100, set()),
        (levels({"least": 1}, {"least": 2}), HERE, 2, 100, set()),
        (levels({"least": 1}, {"least": 2}, {"least": 3}), HERE, 3, 100, set()),
        (levels({"least": 1}, {"least": 2}, {"least": 3}), THERE, 2, 100, set()),
        (levels({"least": 1}, {"least": 2}, {"least": 3}), None, 2, 100, set()),
        (levels({"least": 1}, {"least": 2}, {"least": 3}, "least"), HERE, 1, 100, set()),
        (levels({}, {"least": 2}, {"least": 3}, "least"), HERE, 0, 100, set()),
        (levels({"least": 50}, {"most": 20}), None, 0, 20, {"deployment"}),
        (levels({"least": 50, "most": 60}, {"most": 20}, None, "least"), None, 50, 60, {"business", "location"}),
        (levels({"least": 50}, {"most": 80}, {"most": 20}), HERE, 0, 20, {"deployment"}),
    ],
)  # fmt: skip
def test_the_nearest_level_counts_and_what_is_locked_before_all(
    stored: Levels, place: uuid.UUID | None, least: int, most: int, aside: set[str]
) -> None:
    found = as_struct(WHOSE, Settings, stored, place)
    assert (found.struct.least, found.struct.most, set(found.aside)) == (least, most, aside)
    assert bool(found.misfit) == bool(aside)


@given(
    *[st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3) for _ in LEVELS],
    st.frozensets(st.sampled_from("abc")),
    st.fixed_dictionaries({name: st.frozensets(st.sampled_from(LEVELS), min_size=1) for name in "abc"}),
)
def test_a_value_is_that_of_the_nearest_level_that_has_one_and_may(
    deployment: dict[str, int],
    business: dict[str, int],
    here: dict[str, int],
    locked: frozenset[str],
    allowed: dict[str, frozenset[Level]],
) -> None:
    stored = levels(deployment, business, here, *locked)
    found = whole(stored, allowed, HERE)
    by_level = dict(zip(LEVELS, (deployment, business, here), strict=True))
    for name in "abc":
        fixed = name in locked and "deployment" in allowed[name]
        able = [one for one in (LEVELS[:1] if fixed else LEVELS) if one in allowed[name] and name in by_level[one]]
        assert found.sources.get(name) == (able[-1] if able else None)
        assert found.values.get(name) == (by_level[able[-1]][name] if able else None)


def test_a_business_that_contradicts_itself_is_not_read_past() -> None:
    with pytest.raises(SettingsMissing, match="least is above most"):
        as_struct(WHOSE, Settings, levels({}, {"least": 50, "most": 20}))


def test_a_secret_sealed_at_one_level_opens_at_no_other() -> None:
    sealed = WHOSE.seal("business", None, "key", "s3cret words")
    assert as_struct(WHOSE, Settings, levels({}, {"key": sealed})).struct.key == "s3cret words"
    for moved in (levels({"key": sealed}), levels({}, {}, {"key": sealed})):
        with pytest.raises(SealBroken):
            as_struct(WHOSE, Settings, moved, HERE)


@pytest.fixture
async def till(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box whose probe_till has settings at three levels."""
    plugins = box.deployment.registry.plugins
    monkeypatch.setitem(plugins, "probe_till", replace(plugins["probe_till"], settings=Settings))
    return box


async def at(box: Box, code: str = "kilimani", shop: str = "mama-njeri") -> str:
    return f"/api/v1/locations/{await box.location(code, shop)}/settings/probe_till"


async def change(box: Box, path: str, version: int = 0, role: str = "owner", **said: Any) -> dict[str, Any]:
    answer = await box.client(role).patch(path, said, version=version)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_each_level_is_set_and_read_and_given_back(till: Box) -> None:
    here, place = await at(till), await till.location()
    await change(till, ABOVE, role="operator", values={"least": 1, "most": 90, "region": "coast"})
    await change(till, BUSINESS, values={"least": 2, "word": "Jambo"})
    told = await change(till, here, values={"least": 3, "limit": None})
    assert told["values"] == {"least": 3, "most": 90, "word": "Jambo", "limit": None, "region": "coast"}
    assert (told["level"], told["location_id"]) == ("location", str(place))
    assert {name: one["source"] for name, one in told["fields"].items()} == {
        **{"least": "location", "most": "deployment", "word": "business", "limit": "location"},
        **{"region": "deployment", "key": "default"},
    }
    assert told["fields"]["least"] == {
        **{"source": "location", "is_own": True, "may_change": True, "is_locked": False},
        **{"above": 2, "above_source": "business", "levels": ["deployment", "business", "location"]},
    }
    assert [name for name, one in told["fields"].items() if not one["may_change"]] == ["word", "region"]
    read = [
        await till.look(lambda work: work.settings(Settings, place)),
        await till.look(lambda work: work.settings(Settings)),
    ]
    assert read == [Settings(3, 90, "Jambo", None, "coast"), Settings(2, 90, "Jambo", 5, "coast")]
    told = await change(till, here, 1, reset=["least", "limit"], values={"least": 7})
    assert (told["values"]["least"], told["values"]["limit"], told["fields"]["least"]["is_own"]) == (2, 5, False)
    other = (await till.client("owner", "sharma-kirana").get(BUSINESS)).json()
    assert (other["values"]["least"], other["values"]["word"]) == (1, "Karibu")
    listed = (await till.client("operator").get("/api/v1/operating/settings")).json()["items"]
    assert {"probe_till"} <= {one["plugin"] for one in listed}


async def test_what_is_locked_is_refused_at_its_place_and_comes_back_when_it_is_let_go(till: Box) -> None:
    await change(till, BUSINESS, values={"least": 9})
    await change(till, ABOVE, role="operator", values={"least": 4}, locked={"least": True})
    told = (await till.client("owner").get(BUSINESS)).json()
    assert (told["values"]["least"], told["fields"]["least"]["is_locked"]) == (4, True)
    for path in (BUSINESS, await at(till)):
        for said in ({"values": {"least": 5}}, {"reset": ["least"]}):
            refused = await till.client("owner").patch(path, said, version=1 if path == BUSINESS else 0)
            assert (refused.status_code, refused.json()["code"]) == (409, "setting-locked"), refused.text
            assert refused.json()["errors"][0]["pointer"] in ("/values/least", "/reset/0")
    await change(till, ABOVE, 1, role="operator", locked={"least": False})
    assert (await till.client("owner").get(BUSINESS)).json()["values"]["least"] == 9


@pytest.mark.parametrize(
    ("path", "role", "said", "pointer"),
    [
        (BUSINESS, "owner", {"values": {"region": "x"}}, "/values/region"),
        (BUSINESS, "owner", {"reset": ["colour"]}, "/reset/0"),
        (BUSINESS, "owner", {"locked": {"least": True}}, "/locked"),
        (BUSINESS, "owner", {"values": {"least": 101}}, "/values"),
        (ABOVE, "operator", {"values": {"word": "x"}}, "/values/word"),
        (ABOVE, "operator", {"locked": {"word": True}}, "/locked/word"),
        (ABOVE, "operator", {"values": {"least": None, "most": -1}}, "/values/most"),
        (ABOVE, "operator", {"values": {"least": 101}}, "/values"),
        ("location", "owner", {"values": {"word": "x"}}, "/values/word"),
        ("location", "owner", {"values": {"least": 101}}, "/values"),
    ],
)
async def test_what_does_not_belong_or_fit_there_is_refused(
    till: Box, path: str, role: str, said: dict[str, Any], pointer: str
) -> None:
    refused = await till.client(role).patch(await at(till) if path == "location" else path, said, version=0)
    assert refused.status_code == 422, refused.text
    assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]


async def test_a_change_lays_nothing_aside_below_within_a_business_and_a_deployment_yields(till: Box) -> None:
    here = await at(till)
    await change(till, here, values={"least": 60})
    refused = await till.client("owner").patch(BUSINESS, {"values": {"most": 50}}, version=0)
    assert refused.status_code == 422
    assert "Kilimani: least is above most" in refused.text
    await change(till, ABOVE, role="operator", values={"most": 50})
    told = (await till.client("owner").get(here)).json()
    assert (told["values"]["most"], told["laid_aside"], told["misfit"]) == (100, ["deployment"], "least is above most")
    assert (await till.client("owner").get(BUSINESS)).json()["values"]["most"] == 50
    told = await change(till, here, 1, values={"limit": 1})
    assert told["laid_aside"] == ["deployment"], "what was laid aside before keeps nobody from changing something else"


async def test_of_two_editors_at_one_level_one_is_told_and_another_level_is_nobodys_business(till: Box) -> None:
    for path, role in ((ABOVE, "operator"), (BUSINESS, "owner"), (await at(till), "owner")):
        first = await till.client(role).get(path)
        tag = first.headers["etag"]
        both = [
            await till.client(role).send("PATCH", path, json={"values": {"least": n}}, headers={"If-Match": tag})
            for n in (1, 2)
        ]
        assert [one.status_code for one in both] == [200, 412]
        assert (await till.client(role).send("PATCH", path, json={"values": {"least": 3}})).status_code == 428
        assert (await till.client(role).get(path)).json()["values"]["least"] == 1
    tag = (await till.client("owner").get(BUSINESS)).headers["etag"]
    await change(till, ABOVE, 1, role="operator", values={"most": 70})
    again = await till.client("owner").send("GET", BUSINESS, headers={"If-None-Match": tag})
    assert (again.status_code, again.json()["values"]["most"]) == (200, 70), "what is inherited is part of the answer"


async def test_who_may_not_is_refused_and_another_places_settings_are_not_there(till: Box) -> None:
    here, there, theirs = await at(till), await at(till, "store"), await at(till, "kilimani", "sharma-kirana")
    manager, owner = till.client("manager"), till.client("owner")
    for path in (BUSINESS, here, ABOVE):
        assert (await manager.get(path)).status_code == 403
        assert (await manager.patch(path, {"values": {"least": 1}}, version=0)).status_code == 403
    assert (await owner.get(ABOVE)).status_code == 403
    assert (await owner.patch(ABOVE, {"values": {"least": 1}}, version=0)).status_code == 403
    nowhere = f"/api/v1/locations/{uuid.uuid4()}/settings/probe_till"
    said = [(await owner.get(path)).json() for path in (theirs, nowhere)]
    assert [{**one, "request_id": ""} for one in said] == [{**said[0], "request_id": ""}] * 2
    assert (await owner.patch(theirs, {"values": {"least": 1}}, version=0)).status_code == 404
    tied = await tie(till, here)
    assert (await tied.patch(here, {"values": {"least": 1}}, version=0)).status_code == 200
    assert (await tied.get(BUSINESS)).status_code == 200
    assert (await tied.patch(BUSINESS, {"values": {"least": 1}}, version=0)).status_code == 403
    assert (await tied.get(there)).status_code == 404


async def tie(box: Box, here: str) -> Client:
    """A second owner, who works at one location alone."""
    path, owner = f"/api/v1/users/{box.people['mama-njeri', 'operator'].id}/locations", box.client("owner")
    tag = {"If-Match": (await owner.get(path)).headers["etag"]}
    answer = await owner.send("PATCH", path, json={"location_ids": [here.split("/")[4]]}, headers=tag)
    assert answer.status_code == 200, answer.text
    return box.client("operator")


async def test_a_deployments_change_is_seen_by_every_business_and_process_at_its_next_request(till: Box) -> None:
    other = replace(till.deployment, recalled=Recalled())
    for version, least in enumerate((3, 4)):
        await change(till, ABOVE, version, role="operator", values={"least": least})
        for process in (till.deployment, other):
            for shop in till.shops.values():
                found = await look(process, shop.id, lambda work: work.settings(Settings))
                assert found.least == least
    trail = await till.trail("plugin:probe_till")
    assert trail == [], "what operators set is in the deployment's own trail"


async def leaks(box: Box) -> list[str]:
    """Where a secret shows that was set at each level: answers of all kinds, and what is stored."""
    here, said = await at(box), []
    for path, role in ((ABOVE, "operator"), (BUSINESS, "owner"), (here, "owner")):
        answer = await box.client(role).patch(path, {"values": {"key": f"s3cret {path}"}}, version=0)
        assert answer.json()["secrets"] == {"key": True}
        listed = path.removesuffix("/probe_till")
        texts = [answer.text, *[(await box.client(role).get(one)).text for one in (path, listed)]]
        said += [path for text in texts if "s3cret" in text or "sealed" in text]

    async def stored(work: Work) -> str:
        tables: Any = (BusinessPlugin, DeploymentSetting, LocationSetting)
        rows = [(await work.execute(sa.select(one.settings))).scalars().all() for one in tables]
        trail = (await work.execute(sa.select(Audit.facts, Audit.changes))).all()
        return f"{rows} {[tuple(one) for one in trail]}"

    kept = await box.look(stored)
    assert kept.count("sealed") == 3
    return [*said, *(["stored"] if "s3cret" in kept else [])]


async def test_a_secret_is_echoed_at_no_level(till: Box) -> None:
    assert await leaks(till) == []
    read = await till.look(lambda work: work.settings(Settings))
    assert read.key == f"s3cret {BUSINESS}"
    cleared = await change(till, BUSINESS, 1, reset=["key"])
    assert (cleared["secrets"], cleared["fields"]["key"]["source"]) == ({"key": True}, "deployment")


async def test_a_broken_twin_that_shows_what_would_count_above_is_found_out(
    till: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = secret_names
    calls: list[Any] = []

    def forgetting(kind: Any) -> frozenset[str]:
        """The broken twin: the answer's `fields` forgets which settings are secret."""
        calls.append(kind)
        return honest(kind) if len(calls) % 2 else frozenset()

    monkeypatch.setattr(routes, "secret_names", forgetting)
    assert any("settings/probe_till" in one for one in await leaks(till))


async def test_secrets_of_every_level_are_sealed_anew(till: Box, box_settings: Deployed, tmp_path: Path) -> None:
    await leaks(till)
    new = msgspec.structs.replace(box_settings, secret_key="another secret key that is long enough")
    code, told = await duka(new, "reseal", "--json", DUKA_FORMER_SECRET_KEYS=box_settings.secret_key)
    assert (code, msgspec.json.decode(told)["settings"]) == (0, 3), told


def test_settings_without_a_word_of_levels_are_the_business_s_alone() -> None:
    assert levels_of(Settings)["word"] == {"business"}
    assert levels_of(Settings)["key"] == set(LEVELS)
    for said in ((), ("register",)):
        with pytest.raises(ValueError, match="a setting is set at deployment, business, location"):
            set_at(*said)
