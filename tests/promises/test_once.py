"""What is done to fresh boxes once leaves each as it would have: or the promises would be kept by another's rows."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from kernel.testing.recycling import is_as_new
from plugins.catalog.testing import a_brand
from tests.promises.copies import every_row
from tests.promises.once import once


class Shelf:
    """Brands that are put into a box, and how often."""

    def __init__(self, box: Box) -> None:
        self.box, self.times = box, 0

    async def fill(self, *names: str) -> dict[str, str]:
        self.times += 1
        return {name: str(await a_brand(self.box, name)) for name in names}


async def brands(box: Box) -> list[str]:
    return [one["name"] for one in (await box.client("owner").get("/api/v1/catalog/brands")).json()["items"]]


async def test_a_box_that_is_as_new_is_given_what_was_made_for_another(box: Box, twin_box: Box) -> None:
    first, second = Shelf(box), Shelf(twin_box)
    assert is_as_new(box.deployment.settings.url)
    assert is_as_new(twin_box.deployment.settings.url)
    made = [await once(box, "two", lambda: first.fill("Ajab", "Soko"))]
    made.append(await once(box, "one", lambda: first.fill("Kabras")))
    assert not is_as_new(box.deployment.settings.url)
    given = [await once(twin_box, name, second.fill) for name in ("two", "one")]
    assert given == made
    assert (first.times, second.times) == (2, 0)
    assert await brands(box) == await brands(twin_box) == ["Ajab", "Kabras", "Soko"]
    assert await every_row(box.deployment.settings.url) == await every_row(twin_box.deployment.settings.url)


@pytest.mark.parametrize("when", ["before", "between"])
async def test_a_box_to_which_anything_else_was_done_is_filled_itself(box: Box, twin_box: Box, when: str) -> None:
    first, second = Shelf(box), Shelf(twin_box)
    await once(box, "some", lambda: first.fill("Ajab"))
    await once(box, "more", lambda: first.fill("Soko"))
    if when == "before":
        await a_brand(twin_box, "Kabras")
    await once(twin_box, "some", lambda: second.fill("Ajab"))
    if when == "between":
        await a_brand(twin_box, "Kabras")
    await once(twin_box, "more", lambda: second.fill("Soko"))
    assert await brands(twin_box) == ["Ajab", "Kabras", "Soko"]
