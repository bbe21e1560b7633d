"""Words that no product has any more are forgotten, and none that a product is being given at that moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth.identity import standing_of_business
from kernel.db import upsert
from kernel.db.tables import Schedule
from kernel.jobs import Runner, complete_schedules
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog import jobs
from plugins.catalog.models import Product, SearchKey, SearchWord
from plugins.catalog.rules.goods import search_terms
from plugins.catalog.services import keys
from plugins.catalog.testing import a_product

PRODUCTS = "/api/v1/catalog/products"


async def words(box: Box, shop: str = "mama-njeri") -> set[str]:
    async def read(work: Work) -> set[str]:
        here = sa.select(SearchWord.word).where(SearchWord.business_id == work.business_id)
        return set((await work.execute(here)).scalars())

    return await box.look(read, shop=shop)


async def lost(box: Box) -> set[str]:
    """Words of names that are not among the words: nobody finds their products by a shortened one."""

    async def read(work: Work) -> list[str]:
        return list((await work.execute(sa.select(Product.name))).scalars())

    names = await box.look(read)
    return {term for name in names for term in search_terms(name)} - await words(box)


async def forget(box: Box) -> None:
    await box.act(keys.forget_words)


async def rename(box: Box, id_: Any, name: str) -> None:
    owner = box.client("owner")
    version = int((await owner.get(f"{PRODUCTS}/{id_}")).headers["etag"].strip('"'))
    assert (await owner.patch(f"{PRODUCTS}/{id_}", {"name": name}, version=version)).status_code == 200


async def test_words_of_a_former_name_are_forgotten_and_all_others_stay(box: Box) -> None:
    rice = await a_product(box, "R-1", name="Basmati rice")
    await a_product(box, "R-2", name="Brown rice")
    await a_product(box, "R-1", name="Basmati rice", shop="sharma-kirana")
    await rename(box, rice, "Jasmine rice")
    assert await words(box) == {"basmati", "rice", "brown", "jasmine"}
    await forget(box)
    assert await words(box) == {"rice", "brown", "jasmine"}
    assert await words(box, "sharma-kirana") == {"basmati", "rice"}
    found = await box.client("cashier").get(PRODUCTS, params={"q": "jsm rice"})
    assert [one["sku"] for one in found.json()["items"]] == ["R-1"]


async def test_the_job_comes_again_until_nothing_is_left(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = await a_product(box, "A", name=" ".join(f"word{n:02}" for n in range(25)))
    await rename(box, id_, "Rice")
    monkeypatch.setattr(keys.forget_words, "__defaults__", (7,))

    async def begin(work: Work) -> None:
        work.later(jobs.FORGET_WORDS, {})

    await box.act(begin)
    runner = Runner(box.deployment, standing_of_business)
    for _ in range(8):
        await runner.run_due()
        box.clock.pass_by(seconds=1)
    assert await words(box) == {"rice"}


class Halfway:
    """Two deeds, of which the first waits halfway until the other has ended, or cannot end before it."""

    def __init__(self) -> None:
        self.reached, self.done = asyncio.Event(), asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.done.wait(), 0.5)

    async def other(self, run: Callable[[], Any]) -> None:
        await self.reached.wait()
        await run()
        self.done.set()


async def forgotten_while_given(box: Box) -> set[str]:
    """A word that nobody has is given to a product, and forgotten before the deed commits. Returns the words lost."""
    old = await a_product(box, "OLD", name="Zebra")
    await rename(box, old, "Plain")
    halfway = Halfway()

    async def give(work: Work) -> None:
        await a_product(work, "NEW", name="Zebra stripes")
        await work.write()
        await halfway.wait()

    await asyncio.gather(box.act(give), halfway.other(lambda: forget(box)))
    return await lost(box)


async def given_while_forgotten(box: Box, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The other way round: the word is locked to be deleted when the product that is given it comes."""
    old = await a_product(box, "OLD", name="Zebra")
    await rename(box, old, "Plain")
    halfway = Halfway()

    async def forget_slowly(work: Work) -> None:
        await keys.forget_words(work)
        await halfway.wait()

    async def give() -> None:
        await a_product(box, "NEW", name="Zebra stripes")

    await asyncio.gather(box.act(forget_slowly), halfway.other(give))
    return await lost(box)


async def _note_and_hold_nothing(work: Work, said: set[str]) -> None:
    """The broken twin of noting: a word that is there is believed to stay."""
    rows = [{"business_id": work.business_id, "word": word} for word in sorted(said)]
    await work.execute(upsert(work.deployment.database, SearchWord).on_conflict_do_nothing(), rows)


async def test_a_word_is_not_forgotten_while_a_product_is_given_it(box: Box) -> None:
    assert await forgotten_while_given(box) == set()


async def test_a_word_that_is_being_forgotten_is_noted_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await given_while_forgotten(box, monkeypatch) == set()


@pytest.mark.parametrize("database", ["postgresql"])
async def test_noting_words_without_holding_them_loses_one(
    box: Box, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time: there both deeds follow each other whatever they do."""
    monkeypatch.setattr(keys, "_note_words", _note_and_hold_nothing)
    assert await forgotten_while_given(box) == {"zebra"}


@pytest.mark.parametrize("database", ["postgresql"])
async def test_deleting_by_what_was_seen_before_the_lock_loses_a_word(
    box: Box, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of forgetting looks once, waits for who holds the words, and deletes what it saw."""

    async def at_once(work: Work, most: int = 0) -> bool:
        here = sa.delete(SearchWord).where(
            SearchWord.business_id == work.business_id,
            ~sa.exists().where(SearchKey.business_id == SearchWord.business_id, SearchKey.key == SearchWord.word),
        )
        await work.execute(here)
        return False

    monkeypatch.setattr(keys, "forget_words", at_once)
    assert await forgotten_while_given(box) == {"zebra"}


async def test_many_renames_beside_many_nights_lose_nothing(box: Box) -> None:
    ids = [await a_product(box, f"P-{n}", name=f"alpha beta{n}") for n in range(4)]
    names = ("alpha gamma", "beta delta", "gamma delta", "alpha beta")

    async def renaming(place: int) -> None:
        for round_ in range(6):
            await rename(box, ids[place], names[(place + round_) % len(names)])

    async def nights() -> None:
        for _ in range(12):
            await forget(box)

    await asyncio.gather(nights(), *(renaming(place) for place in range(len(ids))))
    assert await lost(box) == set()
    await forget(box)
    assert await lost(box) == set()


async def test_a_business_that_has_the_catalog_already_gets_the_new_schedule(box: Box) -> None:
    async def schedules(work: Work) -> set[tuple[Any, ...]]:
        rows = await work.execute(sa.select(Schedule.business_id, Schedule.job).where(Schedule.job.like("catalog.%")))
        return {tuple(row) for row in rows.all()}

    async def as_before(work: Work) -> None:
        await work.execute(sa.delete(Schedule).where(Schedule.job == jobs.FORGET_WORDS))
        await work.execute(sa.delete(Schedule).where(Schedule.business_id == box.other.id))

    wanted = {(box.shop.id, job) for job in (jobs.FORGET_WORDS, "catalog.forget_imports", "catalog.forget_edits")}
    await box.act(as_before)
    await box.act(complete_schedules)
    assert await box.look(schedules) == wanted, "and nothing where the plugin is off"
