"""The write batch: what deeds declare is written together, in one order, or not at all. On both databases."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.db import new_id
from kernel.db.tables import Job, JobPayload, Series
from kernel.errors import Conflict, DukaError, Invalid
from kernel.testing.box import Box
from kernel.tests.probes.stock.errors import OutOfStock
from kernel.tests.probes.stock.models import LEVELS, LIMITS, Level, Limit, Move, Paper, PaperLine
from kernel.work import Work
from kernel.work.effects import Effects, in_order

Deed = Callable[[Work], object]


async def do(box: Box, deed: Deed) -> None:
    async def run(work: Work) -> None:
        deed(work)

    await box.act(run)


async def rows(box: Box, *columns: Any, order: Any = None, shop: str = "mama-njeri") -> list[tuple[Any, ...]]:
    async def read(work: Work) -> list[tuple[Any, ...]]:
        table = columns[0].class_
        statement = sa.select(*columns).where(table.business_id == work.business_id)
        found = await work.execute(statement.order_by(*(order or columns)))
        return [tuple(row) for row in found.all()]

    return await box.look(read, shop=shop)


def stocked(product: str, on_hand: int, *, place: str = "shop", reserved: int = 0) -> Deed:
    values = {"product": product, "place": place, "on_hand": on_hand, "reserved": reserved}
    return lambda work: work.insert(Level, values)


def refusing(error: type[DukaError] = OutOfStock) -> Callable[[int], DukaError]:
    return lambda left: error(f"{left} left")


async def test_rows_of_parents_and_children_are_written_with_every_kind_of_value(box: Box) -> None:
    paper, line = new_id(), new_id()
    at = dt.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=dt.UTC)

    def deed(work: Work) -> None:
        work.insert(PaperLine, {"id": line, "paper_id": paper, "words": "👨‍👩‍👧 'quoted' \"twice\" \\ {brace} $1"})
        work.insert(
            Paper, {"id": paper, "number": "x", "words": "", "end": -(2**63), "told": {"a": [1, None, "é"]}, "at": at}
        )

    await do(box, deed)
    assert await rows(box, Paper.id, Paper.end, Paper.told, Paper.at) == [(paper, -(2**63), {"a": [1, None, "é"]}, at)]
    assert await rows(box, PaperLine.id, PaperLine.words) == [(line, "👨‍👩‍👧 'quoted' \"twice\" \\ {brace} $1")]


async def test_a_missing_document_is_null_and_not_the_word_null(box: Box) -> None:
    def deed(work: Work) -> None:
        for number, told in (("1", None), ("2", {"x": 1})):
            work.insert(Paper, {"id": new_id(), "number": number, "told": told, "at": None})

    await do(box, deed)

    async def missing(work: Work) -> int:
        found = await work.execute(sa.text("SELECT count(*) FROM probe_stock_paper WHERE told IS NULL AND at IS NULL"))
        return int(found.scalar_one())

    assert await box.look(missing) == 1


async def test_a_row_cannot_name_another_business(box: Box) -> None:
    await do(
        box,
        lambda work: work.insert(
            Move, {"id": new_id(), "business_id": box.other.id, "product": "smuggled", "amount": 1}
        ),
    )
    assert await rows(box, Move.product) == [("smuggled",)]
    assert await rows(box, Move.product, shop="sharma-kirana") == []


async def test_rows_of_one_table_that_differ_in_columns_are_refused_at_once(box: Box) -> None:
    def deed(work: Work) -> None:
        work.insert(Move, {"id": new_id(), "product": "a", "amount": 1})
        work.insert(Paper, {"id": new_id(), "number": "1"})
        work.insert(Paper, {"id": new_id(), "number": "2", "words": "would be lost"})

    with pytest.raises(ValueError, match=r"probe_stock_paper.*words"):
        await do(box, deed)
    assert await rows(box, Move.product) == []


async def test_a_child_without_its_parent_undoes_everything(box: Box) -> None:
    def deed(work: Work) -> None:
        work.insert(Move, {"id": new_id(), "product": "a", "amount": 1})
        work.insert(PaperLine, {"id": new_id(), "paper_id": new_id(), "words": "orphan"})

    with pytest.raises(DukaError) as told:
        await do(box, deed)
    assert (told.value.status, told.value.code) == (404, "not-found")
    assert await rows(box, Move.product) == []
    await do(box, lambda work: work.insert(Move, {"id": new_id(), "product": "b", "amount": 1}))
    assert await rows(box, Move.product) == [("b",)]


async def test_a_guarded_tally_goes_down_to_its_last_unit_and_no_further(box: Box) -> None:
    await do(box, stocked("rice", 5, reserved=2))
    await do(box, lambda work: work.decrement(LEVELS, ("rice", "shop"), 3, refusing()))
    with pytest.raises(OutOfStock, match="0 left"):
        await do(box, lambda work: work.decrement(LEVELS, ("rice", "shop"), 1, refusing()))
    assert await rows(box, Level.product, Level.on_hand) == [("rice", 2)]


async def test_a_refusal_is_given_what_is_left_and_undoes_the_rest(box: Box) -> None:
    await do(box, stocked("rice", 5))
    await do(box, stocked("beans", 5))

    def deed(work: Work) -> None:
        work.insert(Move, {"id": new_id(), "product": "rice", "amount": 1})
        work.number("papers", "P-")
        work.decrement(LEVELS, ("beans", "shop"), 5, refusing())
        work.decrement(LEVELS, ("rice", "shop"), 6, refusing())

    with pytest.raises(OutOfStock, match="5 left"):
        await do(box, deed)
    assert await rows(box, Level.product, Level.on_hand) == [("beans", 5), ("rice", 5)]
    assert await rows(box, Move.product) == []
    assert await rows(box, Series.series) == []


async def test_a_guarded_tally_without_a_row_has_nothing_left(box: Box) -> None:
    with pytest.raises(OutOfStock, match="0 left"):
        await do(box, lambda work: work.decrement(LEVELS, ("rice", "shop"), 1, refusing()))
    assert await rows(box, Level.product) == []


async def test_free_tallies_make_their_row_and_may_go_below_nothing(box: Box) -> None:
    await do(box, lambda work: work.increment(LEVELS, ("free", "shop"), 4))
    await do(box, lambda work: work.decrement(LEVELS, ("free", "shop"), 9, None))
    assert await rows(box, Level.on_hand, Level.reserved) == [(-5, 0)]


async def test_changes_of_one_key_are_added_up_before_they_are_judged(box: Box) -> None:
    await do(box, stocked("rice", 5))

    def deed(work: Work) -> None:
        work.decrement(LEVELS, ("rice", "shop"), 4, refusing())
        work.decrement(LEVELS, ("rice", "shop"), 4, refusing())
        work.increment(LEVELS, ("rice", "shop"), 3)

    await do(box, deed)
    assert await rows(box, Level.on_hand) == [(0,)]

    def too_much(work: Work) -> None:
        work.increment(LEVELS, ("rice", "shop"), 3)
        work.decrement(LEVELS, ("rice", "shop"), 2, refusing())
        work.decrement(LEVELS, ("rice", "shop"), 2, refusing())

    with pytest.raises(OutOfStock, match="0 left"):
        await do(box, too_much)


async def test_changes_that_cancel_out_write_nothing(box: Box) -> None:
    def deed(work: Work) -> None:
        work.increment(LEVELS, ("rice", "shop"), 3)
        work.decrement(LEVELS, ("rice", "shop"), 3, refusing())

    await do(box, deed)
    assert await rows(box, Level.product) == []


async def test_many_keys_and_tallies_are_changed_in_one_deed(box: Box) -> None:
    products = [f"p{n:03d}" for n in range(60)]

    def fill(work: Work) -> None:
        for place in ("shop", "store"):
            for product in products:
                stocked(product, 10, place=place)(work)

    await do(box, fill)
    await do(box, lambda work: work.insert(Limit, {"order": "KARIBU", "left": 3, "most": 3}))

    def deed(work: Work) -> None:
        for number, product in enumerate(reversed(products)):
            work.decrement(LEVELS, (product, "shop"), number % 11, refusing())
            work.increment(LEVELS, (product, "store"), 1)
        work.increment(LEVELS, ("new", "store"), 7)
        work.decrement(LIMITS, ("KARIBU",), 1, refusing())

    await do(box, deed)
    found = {(p, place): n for p, place, n in await rows(box, Level.product, Level.place, Level.on_hand)}
    assert found.pop(("new", "store")) == 7
    assert found == {(p, "store"): 11 for p in products} | {
        (p, "shop"): 10 - n % 11 for n, p in enumerate(reversed(products))
    }
    assert await rows(box, Limit.left) == [(2,)]


async def test_a_limit_whose_column_needs_quoting_is_taken_up_to_its_most(box: Box) -> None:
    await do(box, lambda work: work.insert(Limit, {"order": "KARIBU", "left": 2, "most": 2}))
    for _ in range(2):
        await do(box, lambda work: work.decrement(LIMITS, ("KARIBU",), 1, refusing()))
    with pytest.raises(OutOfStock, match="0 left"):
        await do(box, lambda work: work.decrement(LIMITS, ("KARIBU",), 1, refusing()))
    await do(box, lambda work: work.increment(LIMITS, ("KARIBU",), 1))
    assert await rows(box, Limit.left) == [(1,)]


async def test_a_free_change_of_a_row_that_cannot_be_made_from_nothing_needs_the_row(box: Box) -> None:
    with pytest.raises(Invalid):
        await do(box, lambda work: work.increment(LIMITS, ("KARIBU",), 1))


async def test_another_business_has_its_own_tallies(box: Box) -> None:
    await do(box, stocked("rice", 5))

    async def take(work: Work) -> None:
        work.decrement(LEVELS, ("rice", "shop"), 1, refusing())

    with pytest.raises(OutOfStock, match="0 left"):
        await box.act(take, shop="sharma-kirana")
    assert await rows(box, Level.on_hand) == [(5,)]


@pytest.mark.parametrize("amount", [2**63, 2**70])
async def test_a_value_too_large_for_the_database_is_refused_as_invalid(box: Box, amount: int) -> None:
    with pytest.raises(Invalid):
        await do(box, lambda work: work.insert(Move, {"id": new_id(), "product": "x", "amount": amount}))


async def test_a_tally_that_would_overflow_is_refused_and_stays_whole(box: Box) -> None:
    await do(box, lambda work: work.increment(LEVELS, ("rice", "shop"), 2**63 - 1))
    with pytest.raises(Invalid):
        await do(box, lambda work: work.increment(LEVELS, ("rice", "shop"), 1))
    assert await rows(box, Level.on_hand) == [(2**63 - 1,)]


async def test_a_broken_check_is_refused_as_invalid(box: Box) -> None:
    with pytest.raises(Invalid):
        await do(box, lambda work: work.decrement(LEVELS, ("rice", "shop"), 1, None))
    assert await rows(box, Level.product) == []


async def numbered(box: Box, *wanted: tuple[str, str, int]) -> list[str]:
    ids = [new_id() for _ in wanted]

    def deed(work: Work) -> None:
        for id_, (series, prefix, width) in zip(ids, wanted, strict=True):
            work.insert(
                Paper, {"id": id_, "number": work.number(series, prefix, width), "words": "", "end": 0, "told": None}
            )

    await do(box, deed)
    found = dict(await rows(box, Paper.id, Paper.number))
    return [found[id_] for id_ in ids]


async def test_numbers_run_on_without_gaps_in_each_series(box: Box) -> None:
    assert await numbered(box, ("a", "A-", 6)) == ["A-000001"]
    assert await numbered(box, ("b", "B-", 3), ("a", "A-", 6), ("a", "A-", 6)) == ["B-001", "A-000002", "A-000003"]
    assert await numbered(box, ("a", "A2-", 6), ("b", "B-", 3)) == ["A2-000004", "B-002"]
    assert await rows(box, Series.series, Series.last) == [("a", 4), ("b", 2)]


async def test_a_number_wider_than_its_width_is_written_whole(box: Box) -> None:
    await do(box, lambda work: work.insert(Series, {"series": "a", "last": 998}))
    assert await numbered(box, ("a", "", 3), ("a", "", 3), ("a", "", 3)) == ["999", "1000", "1001"]


async def test_a_deed_that_fails_gives_its_number_back(box: Box) -> None:
    def fails(work: Work) -> None:
        work.number("a", "A-")
        work.decrement(LEVELS, ("rice", "shop"), 1, refusing())

    for _ in range(3):
        with pytest.raises(OutOfStock):
            await do(box, fails)
    assert await numbered(box, ("a", "A-", 6)) == ["A-000001"]


@pytest.mark.parametrize("prefix", ["P-", 'q"uo\\te/é-'])
async def test_a_number_is_written_wherever_its_text_stands(box: Box, prefix: str) -> None:
    id_ = new_id()

    def deed(work: Work) -> None:
        one, two = work.number("papers", prefix), work.number("others", "O-", 2)
        work.insert(
            Paper,
            {"id": id_, "number": one, "words": f"{one}, after {two}; {one}", "end": 1, "told": {"n": [one, {two: 1}]}},
        )
        work.later("probe_till.ring", {"number": one})

    await do(box, deed)
    one = f"{prefix}000001"
    assert await rows(box, Paper.number, Paper.words, Paper.told) == [
        (one, f"{one}, after O-01; {one}", {"n": [one, {"O-01": 1}]})
    ]
    assert await rows(box, JobPayload.payload, order=[JobPayload.job_id]) == [({"number": one},)]


async def test_a_number_in_one_row_leaves_the_other_rows_alone(box: Box) -> None:
    def deed(work: Work) -> None:
        number = work.number("papers", "P-")
        for place, words in enumerate((number, "plain", "~not a token~")):
            work.insert(Paper, {"id": new_id(), "number": str(place), "words": words, "told": {"w": words}})

    await do(box, deed)
    assert [(words, told["w"]) for _, words, told in await rows(box, Paper.number, Paper.words, Paper.told)] == [
        ("P-000001", "P-000001"),
        ("plain", "plain"),
        ("~not a token~", "~not a token~"),
    ]


async def test_a_flush_within_a_deed_writes_once_and_tells_the_numbers(box: Box) -> None:
    async def run(work: Work) -> str:
        token = work.number("papers", "P-")
        work.insert(Paper, {"id": new_id(), "number": token})
        told = await work.flush()
        return told[token]

    assert await box.act(run) == "P-000001"
    assert await rows(box, Paper.number) == [("P-000001",)]


async def test_a_job_is_left_only_by_a_deed_that_commits(box: Box) -> None:
    async def fails(work: Work) -> None:
        work.later("probe_till.ring", {})
        raise Conflict

    box.deployment.jobs_due.clear()
    with pytest.raises(Conflict):
        await box.act(fails)
    assert await rows(box, Job.id) == []
    assert not box.deployment.jobs_due.is_set()
    await do(box, lambda work: work.later("probe_till.ring", {}))
    assert await rows(box, Job.name, Job.plugin, Job.state) == [("probe_till.ring", "probe_till", "pending")]
    assert box.deployment.jobs_due.is_set()


def test_effects_are_put_in_one_order_however_they_were_declared() -> None:
    def declare(effects: Effects, keys: list[tuple[str, ...]]) -> None:
        for key in keys:
            effects.change(LEVELS, key, -1, None)
            effects.change(LIMITS, key[:1], 1, None)
            effects.number(f"series {key[0]}", "", 1)
            effects.insert(LEVELS.table, {"product": key[0]})
            effects.insert(LIMITS.table, {"order": key[0]})

    keys: list[tuple[str, ...]] = [("b", "x"), ("a", "y"), ("c", "a"), ("a", "x")]
    shapes = []
    for order in (keys, keys[::-1], sorted(keys)):
        effects = Effects()
        declare(effects, order)
        batch = in_order(effects, uuid.UUID(int=1), None, dt.datetime.now(dt.UTC))
        shapes.append(
            (
                [table.name for table, _ in batch.rows],
                [(tally.rank, [key for key, _ in changes]) for tally, changes in batch.changes],
                [want.series for want in batch.numbers],
            )
        )
    assert shapes[0] == shapes[1] == shapes[2]
    assert shapes[0][1] == [(10, [("a",), ("b",), ("c",)]), (20, sorted(keys))]


async def test_what_the_orm_writes_is_undone_with_the_rest(box: Box) -> None:
    async def fails(work: Work) -> None:
        work.session.add(Paper(id=new_id(), number="1"))
        await work.session.flush()
        work.decrement(LEVELS, ("rice", "shop"), 1, refusing())

    with pytest.raises(OutOfStock):
        await box.act(fails)
    assert await rows(box, Paper.number) == []
