"""Tags on products: kept in one form, found by, carried by tables and told to whoever prices carts."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, convert

from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.rules.goods import plain_tag, plain_tags
from plugins.catalog.schemas.goods import Tag
from plugins.catalog.services.lookup import sellables
from plugins.catalog.testing import a_product
from plugins.catalog.tests.test_import import EXPORT, applied, products
from plugins.catalog.tests.test_search import PRODUCTS, skus


async def test_products_are_found_by_their_tags_however_these_are_written(box: Box) -> None:
    await a_product(box, "OATS", tags=["Gluten  Free", "local", "LOCAL"])
    await a_product(box, "RICE", tags=["local"], is_active=False)
    await a_product(box, "SUGAR")
    await a_product(box, "DAL", tags=["local"], shop="sharma-kirana")
    assert await skus(box, tag="Local") == ["OATS", "RICE"]
    assert await skus(box, tag="gluten free", is_active="true") == ["OATS"]
    assert (await skus(box, tag="local", q="ri"), await skus(box, tag="free")) == (["RICE"], [])
    assert await skus(box, tag="local", q="oats", sort="-name") == ["OATS"]
    assert await skus(box, q="local") == [], "a tag is no word of a name"
    owner = box.client("owner")
    oats = (await owner.get(PRODUCTS, params={"tag": "local", "q": "oats"})).json()["items"][0]
    assert oats["tags"] == ["gluten free", "local"]
    changed = await owner.patch(f"{PRODUCTS}/{oats['id']}", {"tags": ["New"]}, version=1)
    assert (changed.status_code, changed.json()["tags"]) == (200, ["new"]), changed.text
    assert (await skus(box, tag="local"), await skus(box, tag="new")) == (["RICE"], ["OATS"])

    async def told(work: Work) -> tuple[str, ...]:
        id_ = uuid.UUID(oats["id"])
        return (await sellables(work, [id_], [])).by_id[id_].tags

    assert await box.look(told) == ("new",)
    refused = await owner.patch(f"{PRODUCTS}/{oats['id']}", {"tags": ["a;b"]}, version=2)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/tags/0")


async def test_a_table_carries_tags_in_and_out(box: Box) -> None:
    done = await applied(box, "sku,name,price,tags\nA,Apple,1.50,Local; new ;;local\nB,Bread,2.00,\n")
    assert done["result"]["created"] == 2
    assert {sku: one["tags"] for sku, one in (await products(box)).items()} == {"A": ["local", "new"], "B": []}
    assert await skus(box, tag="new") == ["A"]
    exported = (await box.client("owner").get(EXPORT)).content
    assert b"local; new" in exported
    assert (await applied(box, exported))["result"]["unchanged"] == 2
    assert (await applied(box, "sku,tags\nA,\nB,fresh\n"))["result"]["changed"] == 2
    assert (await skus(box, tag="local"), await skus(box, tag="fresh")) == ([], ["B"])
    wrong = await applied(box, f"sku,tags\nA,{'x' * 41}\n")
    assert (wrong["result"]["refused"], wrong["errors"][0]["column"]) == (0, "tags")


@given(st.lists(st.text(max_size=6)))
def test_tags_in_their_form_stay_as_they_are(said: list[str]) -> None:
    kept = plain_tags(said)
    assert plain_tags(kept) == kept == sorted(set(kept))


@pytest.mark.parametrize("said", ["", " a", "a ", "a;b", "a,b", "a|b", "#a", "a\nb", "x" * 41, "\x00"])
def test_what_is_no_tag_is_refused(said: str) -> None:
    with pytest.raises(ValidationError):
        convert(said, Tag)


@pytest.mark.parametrize(("said", "kept"), [("Bio", "bio"), ("ßA", "ßa"), ("दाल  नई", "दाल नई"), ("a", "a")])
def test_a_tag_may_be_of_any_script(said: str, kept: str) -> None:
    assert plain_tag(convert(said, Tag)) == kept
