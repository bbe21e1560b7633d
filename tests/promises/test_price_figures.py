"""P6: of figures, the client states quantities, discounts and money; in one spelling, within bounds, nothing else."""

from __future__ import annotations

import datetime as dt
import importlib
import itertools
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Base
from kernel.web import decode
from plugins.sales.schemas.answers import LineOut, QuoteOut, SaleOut
from plugins.sales.schemas.requests import DiscountIn, LineIn, SaleIn
from tests.promises.till import FEW, Till
from tests.proving import ON_SQLITE

# What the client may not say


PLACES: dict[tuple[str | int, ...], type] = {
    (): SaleIn,
    ("lines", 0): LineIn,
    ("lines", 0, "discount"): DiscountIn,
}


def forbidden_fields() -> dict[str, Any]:
    """Whatever a sale is stored or answered with, and what attackers try: name → a tempting value."""
    shown = {one for kind in (SaleOut, LineOut, QuoteOut) for one in kind.__struct_fields__}
    stored = {one.name for name in ("sales_sale", "sales_line") for one in Base.metadata.tables[name].columns}
    tried = {"price", "role", "cashier", "business_id", "is_paid", "tax_rate", "commission", "Total", "total "}
    return {name: "1.00" if "id" not in name else str(uuid.uuid4()) for name in sorted(shown | stored | tried)}


async def accepted_fields(till: Till) -> list[str]:
    """Every field that the server did not refuse as unknown, tried at every place that does not declare it."""
    taken = []
    for (pointer, kind), (name, value) in itertools.product(PLACES.items(), forbidden_fields().items()):
        if name in kind.__struct_fields__:
            continue
        body = json.loads(json.dumps(till.cart({"discount": {"percent": "1"}})))
        here = body
        for step in pointer:
            here = here[step]
        here[name] = value
        answer = await till.sell(body)
        said = answer.json()
        if answer.status_code != 422 or said["errors"][0]["code"] != "unknown":
            taken.append(f"{'/'.join(map(str, pointer))}/{name}: {answer.status_code}")
    return taken


async def test_no_figure_or_fact_of_a_sale_is_taken_from_the_client(one_till: Till) -> None:
    async with one_till.untouched():
        assert await accepted_fields(one_till) == []
    assert len(forbidden_fields()) > 50


BAD: tuple[Any, ...] = (
    "-1", "-0", "-0.00", "NaN", "nan", "Infinity", "-inf", "1e3", "1e999999", "1_000", " 12", "12 ", "12\n", "+12",
    "1,5", "0x10", "", "01", ".5", "5.", "١٢", "१२", "１２", "½", "1.0000001", "9" * 13, "9" * 5000, "1" + "0" * 40,  # noqa: RUF001
    1, 1.5, 0.1, -1, 10**30, True, [], {}, ["1"], {"amount": "1"},
)  # fmt: skip
"""No amount, price or quantity in any of our spellings."""
FIGURES: tuple[tuple[str | int, ...], ...] = (
    ("lines", 0, "quantity"),
    ("lines", 0, "unit_price"),
    ("lines", 0, "discount", "percent"),
    ("lines", 0, "discount", "amount"),
    ("discount", "percent"),
    ("discount", "amount"),
    ("payments", 0, "amount"),
    ("payments", 0, "tendered"),
)


@FEW
@given(
    pointer=st.sampled_from(FIGURES),
    value=st.one_of(st.sampled_from(BAD), st.text(max_size=12).filter(lambda said: not plain(said))),
)
@ON_SQLITE
async def test_a_figure_that_is_none_is_refused_and_nothing_written(
    one_till: Till, pointer: tuple[str | int, ...], value: Any
) -> None:
    async with one_till.untouched():
        await one_till.refuses(with_figure(one_till, pointer, value), 422, role="manager")


@ON_SQLITE
@pytest.mark.parametrize("pointer", FIGURES, ids=lambda pointer: "-".join(map(str, pointer)))
async def test_every_bad_figure_is_refused_at_every_place(one_till: Till, pointer: tuple[str | int, ...]) -> None:
    async with one_till.untouched():
        for value in BAD:
            answer = await one_till.sell(with_figure(one_till, pointer, value), "manager")
            assert answer.status_code == 422, f"{value!r}: {answer.text}"


async def test_what_is_not_json_is_refused(one_till: Till) -> None:
    async with one_till.untouched():
        good = json.dumps(one_till.cart({"quantity": "QUANTITY"}))
        for bare in ("NaN", "Infinity", "-Infinity", "1e309", "01", "+1", "1" * 5000):
            headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
            answer = await one_till.box.client("cashier").send(
                "POST", "/api/v1/sales/sales", content=good.replace('"QUANTITY"', bare), headers=headers
            )
            assert answer.status_code in (400, 422), f"{bare}: {answer.text}"


def with_figure(till: Till, pointer: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """A good cart with one figure replaced."""
    body: dict[str, Any] = json.loads(json.dumps(till.cart({"quantity": "2"})))
    here: Any = body
    for step in pointer[:-1]:
        here = here.setdefault(step, {}) if isinstance(here, dict) else here[step]
    here[pointer[-1]] = value
    return body


def plain(said: str) -> bool:
    """Whether a text is a plain decimal that may well be taken."""
    return said.isascii() and said.replace(".", "", 1).isdigit()


# What the rules refuse


async def test_quantities_and_discounts_out_of_bounds_are_refused(one_till: Till) -> None:
    async with one_till.untouched():
        too_much = "discount-too-large"
        for line, code in (
            ({"quantity": "0"}, "invalid"),
            ({"quantity": "0.000"}, "invalid"),
            ({"quantity": "1.5"}, "not-sold"),
            ({"quantity": "999999999999"}, "amount-too-large"),
            ({"discount": {"percent": "100.000001"}}, "invalid"),
            ({"discount": {"percent": "999"}}, "invalid"),
            ({"discount": {"amount": "380.01"}}, too_much),
            ({"discount": {"amount": "0.005"}}, "invalid"),
            ({"discount": {"percent": "5", "amount": "1.00"}}, "invalid"),
            ({"discount": {}}, "invalid"),
        ):
            await one_till.refuses(one_till.cart(line), 422, code)
        await one_till.refuses(one_till.cart(discount={"amount": "380.01"}), 422, too_much)
        await one_till.refuses(one_till.cart(discount={"percent": "101"}), 422)
        await one_till.refuses(one_till.cart() | {"lines": []}, 422)


async def test_payments_must_meet_the_total_in_the_shops_own_money(one_till: Till) -> None:
    async with one_till.untouched():
        for payments, code in (
            ([], "payment-short"),
            ([{"method": "cash", "amount": "379.99"}], "payment-short"),
            ([{"method": "card", "amount": "200.00"}, {"method": "cash", "amount": "179.99"}], "payment-short"),
            ([{"method": "card", "amount": "380.01"}], "overpaid"),
            ([{"method": "card", "amount": "380.00"}, {"method": "bank_transfer", "amount": "0.01"}], "overpaid"),
            ([{"method": "cash", "amount": "380.001"}], "invalid"),
            ([{"method": "cash", "amount": "0.00"}], "invalid"),
            ([{"method": "cash", "amount": "380.00", "tendered": "379.00"}], "invalid"),
            ([{"method": "card", "amount": "380.00", "tendered": "400.00"}], "invalid"),
            ([{"method": "gold", "amount": "380.00"}], "unknown-method"),
            ([{"method": "cash", "amount": "380.00", "currency": "UGX"}], "unknown"),
            ([{"method": "cash", "amount": "1.00"}] * 21, "too-many-items"),
        ):
            await one_till.refuses(one_till.cart() | {"payments": payments}, 422, code)


async def test_a_price_a_time_or_a_discount_by_hand_needs_its_permission(one_till: Till) -> None:
    then = (one_till.box.clock() - dt.timedelta(days=3)).isoformat()
    async with one_till.untouched():
        for body in (
            one_till.cart({"unit_price": "1.00"}),
            one_till.cart({}, {"unit_price": "380.00"}),
            one_till.cart(sold_at=then),
        ):
            await one_till.refuses(body, 403, "forbidden")
            await one_till.refuses(body, 403, "forbidden", role="accountant")
        for role in ("stock_keeper", "accountant"):
            await one_till.refuses(one_till.cart({"discount": {"percent": "1"}}), 403, "forbidden", role)
        later = (one_till.box.clock() + dt.timedelta(seconds=1)).isoformat()
        await one_till.refuses(one_till.cart(sold_at=later), 422, role="manager")
    set_by_hand = await one_till.sell(one_till.cart({"unit_price": "1.00"}), "manager")
    assert set_by_hand.json()["total"] == "1.00"
    past = await one_till.sell(one_till.cart(sold_at=then), "manager")
    assert (past.json()["total"], past.json()["business_date"]) == ("380.00", "2026-11-18")


@ON_SQLITE
async def test_a_server_that_overlooks_unknown_fields_is_found(one_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def overlooking(body: bytes, kind: Any) -> Any:
        said = json.loads(body)
        known = {name: value for name, value in said.items() if kind is not SaleIn or name in SaleIn.__struct_fields__}
        return decode.decode_body(json.dumps(known).encode(), kind)

    monkeypatch.setattr(importlib.import_module("kernel.web.perform"), "decode_body", overlooking)
    taken = await accepted_fields(one_till)
    assert {"/total: 201", "/status: 201", "/cashier: 201", "/currency: 201"} <= set(taken)
