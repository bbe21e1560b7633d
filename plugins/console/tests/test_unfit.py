"""A page that is asked for with what fits nothing is shown without it, and says so beside its fields."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.schemas import Refused
from plugins.console.services.unfit import unfit_in
from plugins.console.testing import Browser

ODD = ("<script>alert(1)</script>", "\uff2b\uff21\uff32\uff29\uff22\uff35", "a" * 300, "\u0007", "' OR 1=1 --")
LISTS: tuple[tuple[str, str], ...] = (
    ("/discounts/coupons", "q"),
    ("/catalog/products", "q"),
    ("/catalog/products", "category_id"),
    ("/catalog/products", "cursor"),
    ("/sales/sales", "q"),
    ("/sales/sales", "business_date"),
    ("/sales/sales", "status"),
    ("/customers/customers", "q"),
    ("/payments/payments", "cursor"),
    ("/taxes/classes", "category"),
    ("/audit", "cursor"),
    ("/inventory/moves", "product_id"),
)


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_lists_are_shown_whatever_is_asked_of_them(box: Box, odd: str) -> None:
    owner = Browser(box)
    for path, name in LISTS:
        answer = await owner.http.get(f"/console{path}", params={name: odd})
        assert answer.status_code == 200, f"{path} {name}: {answer.status_code}"
        assert "<script>alert" not in answer.text


async def test_a_code_that_no_coupon_can_have_is_said_beside_the_field(box: Box) -> None:
    owner = Browser(box)
    answer = await owner.http.get("/console/discounts/coupons", params={"q": "<script>"})
    page = answer.text
    field = page[page.index('name="q"', page.index("d-filters")) :]
    assert 'aria-invalid="true"' in field[: field.index(">", field.index("aria-label"))]
    assert 'value="&lt;script&gt;"' in field
    assert "Nothing fits “&lt;script&gt;”" in page
    rows = await owner.http.get("/console/discounts/coupons", params={"q": "<script>"}, headers={"HX-Request": "true"})
    assert "Nothing fits" in rows.text, "as one types too"


async def test_the_rest_of_the_question_stays(box: Box) -> None:
    await a_product(box, "RICE", name="Rice")
    await a_product(box, "SOAP", name="Soap")
    answer = await Browser(box).http.get("/console/catalog/products", params={"q": "rice", "category_id": "nonsense"})
    assert ("Nothing fits “nonsense”" in answer.text, ">Rice<" in answer.text, ">Soap<" in answer.text) == (
        True,
        True,
        False,
    )


def refused(*pointers: str, asked: tuple[tuple[str, str], ...] = (), status: int = 422) -> Refused:
    problem: dict[str, Any] = {"errors": [{"pointer": one} for one in pointers]}
    return Refused(status, problem, asked)


def test_what_is_refused_is_found_in_the_pages_own_query() -> None:
    query = {"q": "odd ", "status": "completed"}
    assert unfit_in(refused("?number", asked=(("number", "odd"),)), query) == {"q": "odd "}
    assert unfit_in(refused("?status", asked=(("status", "completed"),)), query) == {"status": "completed"}
    assert unfit_in(refused("?q"), query) == {"q": "odd "}, "the page wrote it in another way"
    assert unfit_in(refused("?sort", asked=(("sort", "x"),)), query) == {}, "the page's own doing"
    assert unfit_in(refused("/name"), query) == {}
    assert unfit_in(Refused(400, {"code": "invalid-cursor"}), {"cursor": "old"}) == {"cursor": ""}
    assert unfit_in(refused("?q", status=403), query) == {}
    assert unfit_in(refused(), query) == {}
