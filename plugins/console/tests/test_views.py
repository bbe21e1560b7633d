"""Views of lists and columns that people choose: by the API, and on the pages."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import Box, Client
from kernel.testing.filling import Stocked
from plugins.console.services import views
from plugins.console.testing import Browser
from plugins.console.testing.browser import Shown

LIST, VIEWS = "/api/v1/console/lists/catalog.products", "/api/v1/console/views"
OFF_SALE = {"list_name": "catalog.products", "name": "Off sale", "query": {"is_active": "false", "sort": "-name"}}


async def saved(client: Client, **more: Any) -> dict[str, Any]:
    """A view, saved by somebody."""
    answer = await client.post(VIEWS, OFF_SALE | more)
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def names_of(client: Client) -> list[str]:
    """The views that somebody sees."""
    return [one["name"] for one in (await client.get(LIST)).json()["views"]]


async def chosen(client: Client, *columns: dict[str, Any], match: str = "*", **more: Any) -> Any:
    """What comes of choosing columns."""
    return await client.send("PUT", f"{LIST}/columns", json={"columns": columns, **more}, headers={"If-Match": match})


async def shown(client: Client, **query: str) -> list[str]:
    """The columns that somebody sees, in their order."""
    told = (await client.get(LIST, params=query)).json()["columns"]
    return [one["column"] for one in told if one["is_shown"]]


def link(page: Shown, words: str) -> str:
    """Where a link of a page leads, below `/console`."""
    return next(to for said, to in page.links.items() if said.startswith(words)).removeprefix("/console")


def product(stocked: Stocked) -> str:
    """A row of the list of products."""
    return f'href="/console/catalog/products/{stocked["product_id"]}"'


async def test_a_view_is_its_makers_until_it_is_shared(box: Box) -> None:
    owner, cashier = box.client("owner"), box.client("cashier")
    view = await saved(owner)
    assert await names_of(owner) == ["Off sale"]
    assert await names_of(cashier) == []
    path = f"{VIEWS}/{view['id']}"
    assert (await cashier.get(path)).status_code == 404
    assert (await cashier.send("DELETE", path)).status_code == 404
    answer = await owner.send("PATCH", path, json={"is_shared": True}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    [told] = (await cashier.get(LIST)).json()["views"]
    assert (told["name"], told["is_own"], told["may_change"]) == ("Off sale", False, False)
    assert (await cashier.send("DELETE", path)).status_code == 403
    assert (await box.client("manager").send("DELETE", path)).status_code == 204
    assert await names_of(owner) == []


async def test_sharing_asks_for_its_permission(box: Box) -> None:
    cashier = box.client("cashier")
    assert (await cashier.post(VIEWS, OFF_SALE | {"is_shared": True})).status_code == 403
    view = await saved(cashier)
    answer = await cashier.send("PATCH", f"{VIEWS}/{view['id']}", json={"is_shared": True}, headers={"If-Match": "*"})
    assert answer.status_code == 403
    assert (await cashier.get(f"{VIEWS}/{view['id']}")).json()["is_shared"] is False


async def test_views_of_a_list_that_one_may_not_see_are_not_there(box: Box) -> None:
    owner, cashier = box.client("owner"), box.client("cashier")
    view = await saved(owner, list_name="console.audit", query={"q": "Otieno"}, is_shared=True)
    assert (await cashier.get("/api/v1/console/lists/console.audit")).status_code == 404
    assert (await cashier.get(f"{VIEWS}/{view['id']}")).status_code == 404
    answer = await cashier.post(VIEWS, OFF_SALE | {"list_name": "console.audit"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/list_name")


async def test_a_name_that_is_taken_and_what_is_no_filter_are_refused(box: Box) -> None:
    owner = box.client("owner")
    await saved(owner)
    answer = await owner.post(VIEWS, OFF_SALE | {"name": "off SALE"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/name")
    answer = await owner.post(VIEWS, OFF_SALE | {"name": "Page 2", "query": {"cursor": "x"}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/cursor")
    twice = [{"column": "sku"}, {"column": "sku"}]
    answer = await owner.post(VIEWS, OFF_SALE | {"name": "Twice", "columns": twice})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/columns/1/column")
    assert await names_of(owner) == ["Off sale"]


async def test_a_list_has_so_many_views_and_no_more(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 1)
    cashier = box.client("cashier")
    await saved(cashier)
    answer = await cashier.post(VIEWS, OFF_SALE | {"name": "One more"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-views")


async def test_columns_are_chosen_for_oneself_and_stand_in_their_order(box: Box) -> None:
    owner = box.client("owner")
    before = await shown(owner)
    assert before[:3] == ["name", "sku", "price"]
    answer = await chosen(owner, {"column": "state"}, {"column": "sku", "is_shown": False}, match='"0"')
    assert answer.status_code == 200, answer.text
    after = await shown(owner)
    assert after[:3] == ["name", "state", "price"], "the first stays first; what was not spoken of comes after"
    assert "sku" not in after
    assert await shown(box.client("manager")) == before
    assert (await chosen(owner, match='"0"')).status_code == 412
    assert (await chosen(owner)).status_code == 200
    assert await shown(owner) == before


async def test_a_view_keeps_columns_of_its_own(box: Box) -> None:
    owner, cashier = box.client("owner"), box.client("cashier")
    columns = [{"column": "price"}, {"column": "sku", "is_shown": False}, {"column": "state", "is_shown": False}]
    view = await saved(owner, columns=columns, is_shared=True)
    assert (await shown(cashier, view_id=view["id"]))[:2] == ["name", "price"]
    answer = await chosen(cashier, {"column": "sku"}, view_id=view["id"])
    assert answer.json()["is_own"] is True
    assert (await shown(cashier, view_id=view["id"]))[:2] == ["name", "sku"]
    assert (await shown(cashier))[:3] == ["name", "sku", "price"], "the list without the view stays as it was"
    assert "sku" not in await shown(owner, view_id=view["id"])


async def test_a_page_opens_with_the_view_that_its_reader_chose(box: Box, stocked: Stocked) -> None:
    owner = Browser(box)
    view = await saved(box.client("owner"), name="Nothing sold here")
    opens = {"view_id": view["id"]}
    answer = await box.client("owner").send("PUT", f"{LIST}/opening", json=opens, headers={"If-Match": '"0"'})
    assert answer.status_code == 200, answer.text
    opened = await owner.http.get("/console/catalog/products")
    assert opened.status_code == 303
    assert "is_active=false" in opened.headers["location"]
    assert product(stocked) not in (await owner.get(opened.headers["location"].removeprefix("/console"))).text
    assert product(stocked) in (await owner.get("/catalog/products?view=all")).text
    await box.client("owner").send("DELETE", f"{VIEWS}/{view['id']}")
    assert (await owner.http.get("/console/catalog/products")).status_code == 200


async def test_what_is_seen_is_saved_as_a_view_without_any_script(box: Box, stocked: Stocked) -> None:
    owner = Browser(box)
    page = await owner.get("/catalog/products?is_active=true&q=rice")
    sheet = await owner.get(link(page, "Save as view"))
    done = await owner.submit(sheet.form("/console/views"), {"name": "Rice <b>"})
    assert 'aria-current="page">Rice &lt;b&gt;</a>' in done.text
    [view] = (await box.client("owner").get(LIST)).json()["views"]
    assert (view["query"], view["columns"]) == ({"is_active": "true", "q": "rice"}, None)
    changed = await owner.get(f"/catalog/products?q=flour&view={view['id']}")
    sheet = await owner.get(link(changed, "Change view"))
    await owner.submit(sheet.form(f"/console/views/{view['id']}"), {})
    [view] = (await box.client("owner").get(LIST)).json()["views"]
    assert view["query"] == {"q": "flour"}


async def test_columns_are_chosen_on_a_page_without_any_script(box: Box, stocked: Stocked) -> None:
    owner = Browser(box)
    sheet = await owner.get(link(await owner.get("/catalog/products"), "Columns"))
    form = sheet.form("/console/lists/catalog.products/columns")
    at = next(name for name, value in form.fields if value == "sku").rpartition(".")[0]
    done = await owner.submit(form, {f"{at}.is_shown:bool": "false"})
    assert "<th>SKU</th>" not in done.text
    assert product(stocked) in done.text


async def test_a_view_whose_filter_became_invalid_opens_the_list_with_a_note(box: Box, stocked: Stocked) -> None:
    owner = Browser(box)
    view = await saved(box.client("owner"), query={"custom.gone": "x", "is_active": "true"})
    without = await owner.get("/catalog/products?custom.gone=x")
    assert "Nothing fits “x”; the list is shown without it." in without.text
    page = await owner.get(f"/catalog/products?custom.gone=x&is_active=true&view={view['id']}")
    assert page.status == 200
    assert "This view asks for what is no longer there" in page.text
    assert product(stocked) in page.text
