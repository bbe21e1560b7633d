"""Categories and brands: the tree, its moves, names."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.invariants import broken
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.models import Category
from plugins.catalog.services import shelves
from plugins.catalog.testing import a_brand, a_category

CATEGORIES = "/api/v1/catalog/categories"
BRANDS = "/api/v1/catalog/brands"


async def paths(box: Box) -> dict[str, list[str]]:
    """Category → the names on its path."""
    items = (await box.client("cashier").get(CATEGORIES, params={"limit": 200})).json()["items"]
    names = {one["id"]: one["name"] for one in items}
    return {one["name"]: [names[id_] for id_ in one["path"]] for one in items}


async def test_a_category_stands_below_another(box: Box) -> None:
    owner = box.client("owner")
    root = await owner.post(CATEGORIES, {"name": "Food"})
    assert root.status_code == 201, root.text
    assert root.headers["location"] == f"{CATEGORIES}/{root.json()['id']}"
    below = await owner.post(CATEGORIES, {"name": "Flour", "parent_id": root.json()["id"]})
    assert below.json()["path"] == [root.json()["id"], below.json()["id"]]
    read = await box.client("cashier").get(f"{CATEGORIES}/{below.json()['id']}")
    assert read.json() == below.json()
    assert read.headers["etag"] == '"1"'


async def test_a_move_takes_all_below_along(box: Box) -> None:
    food, home = await a_category(box, "Food"), await a_category(box, "Home")
    flour = await a_category(box, "Flour", parent_id=food)
    await a_category(box, "Maize", parent_id=flour)
    owner = box.client("owner")
    moved = await owner.patch(f"{CATEGORIES}/{flour}", {"parent_id": str(home)}, version=1)
    assert moved.status_code == 200, moved.text
    assert moved.json()["path"] == [str(home), str(flour)]
    assert await paths(box) == {
        "Food": ["Food"],
        "Home": ["Home"],
        "Flour": ["Home", "Flour"],
        "Maize": ["Home", "Flour", "Maize"],
    }
    up = await owner.patch(f"{CATEGORIES}/{flour}", {"parent_id": None, "name": "Flours"}, version=2)
    assert (up.json()["path"], up.json()["name"]) == ([str(flour)], "Flours")
    assert (await paths(box))["Maize"] == ["Flours", "Maize"]


async def test_a_rename_does_not_move(box: Box) -> None:
    food = await a_category(box, "Food")
    flour = await a_category(box, "Flour", parent_id=food)
    renamed = await box.client("owner").patch(f"{CATEGORIES}/{flour}", {"name": "Flours"}, version=1)
    assert renamed.json()["parent_id"] == str(food)
    assert (await paths(box))["Flours"] == ["Food", "Flours"]


async def test_a_category_never_stands_below_itself(box: Box) -> None:
    food = await a_category(box, "Food")
    flour = await a_category(box, "Flour", parent_id=food)
    for below in (food, flour):
        answer = await box.client("owner").patch(f"{CATEGORIES}/{food}", {"parent_id": str(below)}, version=1)
        assert (answer.status_code, answer.json()["code"]) == (422, "category-circle")
        assert answer.json()["errors"][0]["pointer"] == "/parent_id"


async def test_a_new_category_does_not_take_the_id_of_its_parent(box: Box) -> None:
    food = str(await a_category(box, "Food"))
    answer = await box.client("owner").post(CATEGORIES, {"id": food, "name": "Flour", "parent_id": food})
    assert (answer.status_code, answer.json()["code"]) == (409, "already-exists")


async def test_two_moves_at_once_make_no_circle(box: Box) -> None:
    one, two = await a_category(box, "One"), await a_category(box, "Two")
    leaf_one, leaf_two = await a_category(box, "a", parent_id=one), await a_category(box, "b", parent_id=two)
    owner = box.client("owner")
    answers = await asyncio.gather(
        owner.patch(f"{CATEGORIES}/{one}", {"parent_id": str(leaf_two)}, version=1),
        owner.patch(f"{CATEGORIES}/{two}", {"parent_id": str(leaf_one)}, version=1),
    )
    assert sorted(one.status_code for one in answers) == [200, 422], [one.text for one in answers]


async def put_below_while_its_grandparent_moves(box: Box) -> list[str]:
    """The path of Maize, put below Food / Flour in a deed that ends after Food has begun to move below Home."""
    food, home = await a_category(box, "Food"), await a_category(box, "Home")
    flour = await a_category(box, "Flour", parent_id=food)
    added, waits = asyncio.Event(), sa.text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")

    async def add_slowly(work: Work) -> None:
        await a_category(work, "Maize", parent_id=flour)
        added.set()
        if not box.deployment.database.is_postgres:
            await asyncio.sleep(0.4)
            return
        async with asyncio.timeout(60):
            while not (await work.execute(waits)).scalar_one():  # noqa: ASYNC110 - the move, for this deed
                await asyncio.sleep(0.02)

    async def move() -> None:
        await added.wait()
        answer = await box.client("owner").patch(f"{CATEGORIES}/{food}", {"parent_id": str(home)}, version=1)
        assert answer.status_code == 200, answer.text

    await asyncio.gather(box.act(add_slowly), move())
    return (await paths(box))["Maize"]


async def test_what_is_put_below_a_moving_tree_goes_along(box: Box) -> None:
    assert await put_below_while_its_grandparent_moves(box) == ["Home", "Food", "Flour", "Maize"]


async def test_a_move_that_does_not_hold_the_tree_leaves_some_behind(
    box: Box, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of the test above, on the database where two writers meet."""
    if database == "sqlite":
        return

    async def hold_nothing(_: Work) -> None:
        return None

    async def repair(work: Work) -> None:
        ours = Category.business_id == work.business_id
        await work.execute(sa.update(Category).where(ours).values(parent_id=None))
        for id_ in (await work.execute(sa.select(Category.id).where(ours))).scalars():
            await work.execute(sa.update(Category).where(ours, Category.id == id_).values(path=id_.hex))

    monkeypatch.setattr(shelves, "_hold_tree", hold_nothing)
    assert await put_below_while_its_grandparent_moves(box) == ["Food", "Flour", "Maize"]
    assert len(await broken(box.deployment)) == 1
    await box.act(repair)


async def test_a_parent_that_does_not_exist_is_refused(box: Box) -> None:
    foreign = await a_category(box, shop="sharma-kirana")
    food = await a_category(box)
    owner = box.client("owner")
    for parent in (foreign, uuid.uuid4()):
        new = await owner.post(CATEGORIES, {"name": "Lost", "parent_id": str(parent)})
        moved = await owner.patch(f"{CATEGORIES}/{food}", {"parent_id": str(parent)}, version=1)
        for answer in (new, moved):
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/parent_id")


async def test_categories_are_paged_and_filtered(box: Box) -> None:
    food = await a_category(box, "Food")
    for name in ("Flour", "Sugar", "Tea"):
        await a_category(box, name, parent_id=food)
    await a_category(box, "Foreign", shop="sharma-kirana")
    client = box.client("cashier")
    first = (await client.get(CATEGORIES, params={"limit": 3})).json()
    rest = (await client.get(CATEGORIES, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["Flour", "Food", "Sugar", "Tea"]
    below = (await client.get(CATEGORIES, params={"parent_id": str(food)})).json()["items"]
    assert [one["name"] for one in below] == ["Flour", "Sugar", "Tea"]


async def test_a_brand_has_a_name_of_its_own(box: Box) -> None:
    owner = box.client("owner")
    made = await owner.post(BRANDS, {"name": "Kilele"})
    assert made.status_code == 201, made.text
    path = made.headers["location"]
    assert (await owner.get(path)).json() == made.json()
    twice = await owner.post(BRANDS, {"name": "Kilele"})
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (409, "/name")
    await a_brand(box, "Kilele", shop="sharma-kirana")
    renamed = await owner.patch(path, {"name": "Shamba"}, version=1)
    assert (renamed.json()["name"], renamed.headers["etag"]) == ("Shamba", '"2"')
    listed = (await owner.get(BRANDS, params={"include_total": "true"})).json()
    assert ([one["name"] for one in listed["items"]], listed["total"]) == (["Shamba"], 1)


async def test_changing_needs_the_version_that_was_read(box: Box) -> None:
    owner = box.client("owner")
    for path in (f"{CATEGORIES}/{await a_category(box)}", f"{BRANDS}/{await a_brand(box)}"):
        assert (await owner.patch(path, {"name": "New"})).status_code == 428
        assert (await owner.patch(path, {"name": "New"}, version=5)).status_code == 412


async def test_a_client_may_choose_the_ids(box: Box) -> None:
    chosen = str(uuid.uuid4())
    for path in (CATEGORIES, BRANDS):
        made = await box.client("owner").post(path, {"id": chosen, "name": "Chosen"})
        assert made.json()["id"] == chosen
        again = await box.client("owner").post(path, {"id": chosen, "name": "Again"})
        assert (again.status_code, again.json()["errors"][0]["pointer"]) == (409, "/id")


async def test_who_may_not_edit_shelves_may_still_see_them(box: Box) -> None:
    category, brand = await a_category(box), await a_brand(box)
    cashier = box.client("cashier")
    seen: list[Any] = [f"{CATEGORIES}/{category}", f"{BRANDS}/{brand}", CATEGORIES, BRANDS]
    assert {(await cashier.get(path)).status_code for path in seen} == {200}
    for path, one in ((CATEGORIES, category), (BRANDS, brand)):
        assert (await cashier.post(path, {"name": "Mine"})).status_code == 403
        assert (await cashier.patch(f"{path}/{one}", {"name": "Mine"}, version=1)).status_code == 403
        foreign = box.client("owner", "sharma-kirana")
        assert (await foreign.get(f"{path}/{one}")).status_code == 404
        assert (await foreign.patch(f"{path}/{one}", {"name": "Mine"}, version=1)).status_code == 404
