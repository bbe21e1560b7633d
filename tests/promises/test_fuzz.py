"""No input whatsoever yields a 5xx; what is refused is refused by a problem document, and writes nothing (P30)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kernel.testing.box import Box
from kernel.work import Work
from tests.promises.filling import Filling
from tests.promises.fuzz import Judge, Maker

SEED = 30


async def fuzz(box: Box, patch: pytest.MonkeyPatch, cases: int, seconds: float, seed: int = SEED) -> Judge:
    """Judge so many cases, or as many as there is time for."""
    own = await Filling(box, "mama-njeri").fill()
    judge, maker = Judge(box, patch), Maker(box.app.routes, own, seed)
    end = time.monotonic() + seconds
    for case in maker.cases():
        await judge.judge(case)
        if judge.found.cases >= cases or time.monotonic() > end:
            return judge
    raise AssertionError("the cases have no end")


async def test_no_input_yields_a_server_error(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = await fuzz(box, monkeypatch, cases=4_000, seconds=30)
    print(f"seed {SEED}: {judge.found.statuses}")
    assert not judge.found.wrong, "\n".join(judge.found.wrong[:20])
    assert judge.found.cases >= 500
    assert {200, 201, 400, 401, 403, 404, 405, 409, 412, 415, 422} <= judge.found.statuses.keys()


@pytest.mark.prove
async def test_no_input_of_very_many_yields_a_server_error(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = await fuzz(box, monkeypatch, cases=50_000, seconds=3600, seed=SEED + 1)
    print(f"seed {SEED + 1}: {judge.found.statuses}")
    assert not judge.found.wrong, "\n".join(judge.found.wrong[:20])
    assert judge.found.cases == 50_000


async def test_a_route_that_fails_for_some_input_is_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: it divides by what the length of a search may make nought."""
    route = next(one for one in box.app.routes if one.operation == "catalog.list_products")
    honest = route.function

    async def broken(work: Work, query: Any) -> Any:
        _ = 1 / (len(query.q or "") - 4)
        return await honest(work, query=query)

    own = await Filling(box, "mama-njeri").fill()
    object.__setattr__(route, "function", broken)
    judge, maker = Judge(box, monkeypatch), Maker([route], own, SEED)
    for case in maker.cases():
        await judge.judge(case)
        if judge.found.cases == 1_500:
            break
    object.__setattr__(route, "function", honest)
    assert any(one.startswith("500") for one in judge.found.wrong)
    assert {one.partition(" ")[0] for one in judge.found.wrong} == {"500"}
