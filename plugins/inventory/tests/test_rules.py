"""The pure rules of stock: adding up a document, and which of its lines cannot be."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import MICRO
from plugins.catalog.api import StockFacts
from plugins.inventory.errors import OutOfStock
from plugins.inventory.rules import faults_in, wants
from plugins.inventory.schemas import Goods

RICE, TEA = uuid.UUID(int=1), uuid.UUID(int=2)


def _goods(*said: tuple[uuid.UUID, int]) -> list[Goods]:
    return [Goods(product, "Rice 2kg", line, units * MICRO) for line, (product, units) in enumerate(said, 1)]


def _product(*, decimals: int = 0, counted: bool = True, active: bool = True) -> StockFacts:
    return StockFacts(RICE, "RICE", "Rice", "piece", decimals, counted, False, active, None, None)


def test_lines_of_one_product_are_wanted_together() -> None:
    found = wants(_goods((RICE, -2), (TEA, -1), (RICE, -3)))
    assert [(one.product_id, one.quantity, one.lines) for one in found] == [
        (RICE, 5 * MICRO, (1, 3)),
        (TEA, MICRO, (2,)),
    ]


@given(st.lists(st.tuples(st.sampled_from([RICE, TEA]), st.integers(-1000, 1000)), max_size=30))
def test_what_is_wanted_adds_up_to_what_moves(said: list[tuple[uuid.UUID, int]]) -> None:
    goods = _goods(*said)
    found = wants(goods)
    assert sum(one.quantity for one in found) == -sum(one.quantity for one in goods)
    assert sorted(line for one in found for line in one.lines) == [one.line for one in goods]


@pytest.mark.parametrize(("forced", "expected"), [((True, True), True), ((True, False), False)])
def test_a_product_is_forced_only_if_every_line_may_force_it(forced: Sequence[bool], expected: bool) -> None:
    goods = [Goods(RICE, "Rice", line, -MICRO, one) for line, one in enumerate(forced, 1)]
    assert wants(goods)[0].is_forced is expected


def test_too_little_is_said_in_words_and_at_every_line_of_the_product() -> None:
    refusal = OutOfStock.at(wants(_goods((TEA, -9), (RICE, -2), (RICE, -1)))[1], 2_500_000, "Kilimani")
    assert refusal.detail == "Rice 2kg: 3 wanted, 2.5 left at Kilimani."
    assert [fault.as_dict() for fault in refusal.faults] == [
        {"pointer": "/lines/1/quantity", "code": "out-of-stock", "available": "2.5"},
        {"pointer": "/lines/2/quantity", "code": "out-of-stock", "available": "2.5"},
    ]


def test_less_than_nothing_left_is_told_as_nothing() -> None:
    refusal = OutOfStock.at(wants(_goods((RICE, -1)))[0], -4 * MICRO, "Kilimani")
    assert refusal.faults[0].facts == {"available": "0"}


@pytest.mark.parametrize(
    ("product", "quantity", "pointer", "code"),
    [
        (None, MICRO, "/lines/0/product_id", "not-found"),
        (_product(active=False), MICRO, "/lines/0/product_id", "inactive"),
        (_product(counted=False), MICRO, "/lines/0/product_id", "not-counted"),
        (_product(), 0, "/lines/0/quantity", "zero"),
        (_product(), MICRO // 2, "/lines/0/quantity", "too-fine"),
        (_product(decimals=3), MICRO // 10_000, "/lines/0/quantity", "too-fine"),
    ],
)
def test_a_line_that_cannot_move_stock_is_found_at_its_place(
    product: StockFacts | None, quantity: int, pointer: str, code: str
) -> None:
    faults = faults_in([(RICE, quantity)], {RICE: product} if product else {})
    assert [(fault.pointer, fault.code) for fault in faults] == [(pointer, code)]


def test_every_fault_of_every_line_is_found() -> None:
    faults = faults_in([(RICE, 0), (TEA, MICRO), (RICE, MICRO)], {RICE: _product()})
    assert [fault.pointer for fault in faults] == ["/lines/0/quantity", "/lines/1/product_id"]
