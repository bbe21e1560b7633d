"""The prober of P20 finds what it is there to find: each broken twin, and nothing where nothing is broken."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from kernel.work import Work
from tests.promises import leaks
from tests.promises.prober import Prober
from tests.promises.spots import id_spots
from tests.proving import ON_SQLITE


@ON_SQLITE
async def test_each_leaking_route_is_found_and_no_other(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = await leaks.mount(box, monkeypatch)
    prober = await Prober.ready(box)
    sound = [one for one in box.app.routes if one.plugin == "catalog" and one.method == "GET"]
    await prober.probe(id_spots([*sound, *broken]), ("owner", "cashier"))
    found = sorted({finding.partition(" as ")[0] for finding in prober.findings})
    silent = found.pop()
    assert "twin.changes_in_silence" in silent
    assert silent.endswith(" changed catalog_product of the other business")
    assert found == [
        "GET /api/v1/twin/oracle/{product_id} path product_id alone",
        "GET /api/v1/twin/products query product_id alone",
        "GET /api/v1/twin/products/{product_id} path product_id alone",
    ]


async def test_a_unit_of_work_that_forgets_the_business_is_found_or_stopped_by_the_database(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    prober = await Prober.ready(box)
    monkeypatch.setattr(Work, "get", leaks.get_of_anyone)
    spots = [one for one in id_spots(box.app.routes) if one.place == "path" and one.route.method == "GET"]
    await prober.probe(spots, ("owner",))
    leaking = {finding.partition(" path ")[0] for finding in prober.findings}
    if box.deployment.database.is_postgres:
        assert not leaking, "row-level security is the second wall, and it has a hole"
    else:
        assert {"GET /api/v1/customers/customers/{customer_id}", "GET /api/v1/locations/{location_id}"} <= leaking
        assert len(leaking) >= 5
