"""Many products changed as one deed: looked at first, then changed at the versions that were seen, all or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import UNSET, UnsetType, structs

from kernel.errors import Fault, Invalid, NotFound
from kernel.work import Work
from plugins.catalog.errors import ProductsMoved
from plugins.catalog.models import Product
from plugins.catalog.schemas.edits import (
    MOST,
    PickedProduct,
    ProductChange,
    ProductsEdit,
    ProductsEdited,
    ProductsFilter,
    ProductsLook,
    ProductsPreview,
    SeenProduct,
)
from plugins.catalog.schemas.goods import ProductQuery
from plugins.catalog.services.common import check_references, missing_references
from plugins.catalog.services.edit_plans import REFERENCES, Asked, plan_changes, rows_of, shown_change, write_changes
from plugins.catalog.services.kept_edits import keep_edit
from plugins.catalog.services.reading import matching_products

FIRST: Final = 100


async def preview_edit(work: Work, data: ProductsLook) -> ProductsPreview:
    """What a change would do. Raises as `apply_edit`."""
    ids, more = list(dict.fromkeys(data.product_ids)), False
    if data.matching is not None:
        if ids:
            raise Invalid.at("/matching", "Name products by their ids or by filters, not both")
        await check_references(work, _references(data.matching), "/matching")
        ids, more = await matching_products(work, ProductQuery(limit=MOST, **structs.asdict(data.matching)))
    await check_references(work, _references(data.change), "/change")
    rows = await rows_of(work, ids, held=False)
    _refuse_missing(ids, rows, "/product_ids/{place}")
    base = "/change" if data.matching else "/product_ids/{place}"
    asked = [Asked(rows[id_], data.change, base.format(place=place)) for place, id_ in enumerate(ids)]
    planned = await plan_changes(work, asked)
    return ProductsPreview(
        products=[SeenProduct(id_, rows[id_].version) for id_ in ids],
        more=more,
        changed=len(planned),
        first=[shown_change(work, one) for one in planned[:FIRST]],
    )


async def apply_edit(work: Work, data: ProductsEdit) -> ProductsEdited:
    """Change products, each as its version says it was seen.

    Raises NotFound and Invalid for what the request names, ProductsMoved where any has changed since.
    """
    ids = [one.product_id for one in data.products]
    if twice := [Fault(f"/products/{n}/product_id", "duplicate", "It stands here twice") for n, id_ in _again(ids)]:
        raise Invalid(twice[0].detail, faults=twice)
    rows = await rows_of(work, ids, held=True)
    _refuse_missing(ids, rows, "/products/{place}/product_id")
    await _check_references(work, data)
    if not data.regardless:
        _refuse_moved(data.products, rows)
    asked = [
        Asked(rows[one.product_id], _over(data.change, one.change), f"/products/{place}")
        for place, one in enumerate(data.products)
    ]
    planned = await plan_changes(work, asked)
    await write_changes(work, planned)
    id_ = await keep_edit(work, planned)
    return ProductsEdited(id=id_, changed=len(planned), unchanged=len(ids) - len(planned))


def _again(ids: Sequence[UUID]) -> Iterable[tuple[int, UUID]]:
    """Where something stands that stood before."""
    first = {id_: place for place, id_ in reversed(list(enumerate(ids)))}
    return ((place, id_) for place, id_ in enumerate(ids) if first[id_] != place)


def _refuse_missing(ids: Sequence[UUID], rows: Mapping[UUID, Product], pointer: str) -> None:
    missing = [place for place, id_ in enumerate(ids) if id_ not in rows]
    if missing:
        faults = [Fault(pointer.format(place=place), "not-found", "There is no such product") for place in missing]
        raise NotFound(faults[0].detail, faults=faults)


def _refuse_moved(products: Sequence[PickedProduct], rows: Mapping[UUID, Product]) -> None:
    moved = [
        (place, rows[one.product_id])
        for place, one in enumerate(products)
        if rows[one.product_id].version != one.version
    ]
    if moved:
        raise ProductsMoved([(f"/products/{place}/version", f"{row.name} ({row.sku})") for place, row in moved])


def _over(common: ProductChange, own: ProductChange | UnsetType) -> ProductChange:
    """The change of one product: its own fields go before those of all."""
    if isinstance(own, UnsetType):
        return common
    given = {name: value for name in own.__struct_fields__ if (value := getattr(own, name)) not in (UNSET, [], {})}
    return structs.replace(common, **given | {"custom": {**common.custom, **own.custom}})


def _references(said: ProductChange | ProductsFilter) -> dict[str, set[UUID]]:
    return {name: {id_} for name in REFERENCES if isinstance(id_ := getattr(said, name), UUID)}


async def _check_references(work: Work, data: ProductsEdit) -> None:
    """Raise NotFound at what names nothing of this business; one question a kind, however many products name it."""
    await check_references(work, _references(data.change), "/change")
    own = {n: _references(one.change) for n, one in enumerate(data.products) if isinstance(one.change, ProductChange)}
    wanted: dict[str, set[UUID]] = {}
    for said in own.values():
        for name, ids in said.items():
            wanted.setdefault(name, set()).update(ids)
    missing = await missing_references(work, wanted)
    for place, said in own.items():
        for name, ids in said.items():
            if ids & missing[name]:
                raise NotFound.at(f"/products/{place}/change/{name}", "There is no such thing")
