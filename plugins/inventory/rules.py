"""What inventory decides by itself: what a document comes to for each product, and what may be taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from kernel.errors import Fault
from plugins.catalog.api import StockFacts, fits_decimals
from plugins.inventory.schemas import Goods, Want


def wants(goods: Iterable[Goods]) -> list[Want]:
    """Add up the lines of a document by product, in the order in which products first stand there.

    `quantity` is what is taken in all; below zero more comes in than goes out. A product that only one line may
    force is not forced.
    """
    by_product: dict[UUID, list[Goods]] = {}
    for one in goods:
        by_product.setdefault(one.product_id, []).append(one)
    return [
        Want(
            lines[0].product_id,
            lines[0].name,
            -sum(one.quantity for one in lines),
            tuple(one.line for one in lines),
            all(one.is_forced for one in lines),
        )
        for lines in by_product.values()
    ]


def faults_in(lines: Sequence[tuple[UUID, int]], products: Mapping[UUID, StockFacts]) -> list[Fault]:
    """Find the lines (product, quantity) that cannot move stock: each product exists, is active and counted; each
    quantity is not zero and no finer than the product's unit. Pointers count from 0, as the lines were sent.
    """
    return [fault for place, line in enumerate(lines) for fault in _faults_at(place, line[1], products.get(line[0]))]


def _faults_at(place: int, quantity: int, product: StockFacts | None) -> Iterator[Fault]:
    at_product, at_quantity = f"/lines/{place}/product_id", f"/lines/{place}/quantity"
    if product is None:
        yield Fault(at_product, "not-found", "There is no such product")
        return
    if not product.is_active:
        yield Fault(at_product, "inactive", f"{product.name} is switched off")
    elif not product.track_stock:
        yield Fault(at_product, "not-counted", f"The stock of {product.name} is not counted")
    if not quantity:
        yield Fault(at_quantity, "zero", "A quantity of nothing moves nothing")
    elif not fits_decimals(quantity, product.decimals):
        allowed = f"at most {product.decimals} decimals" if product.decimals else "no decimals"
        yield Fault(at_quantity, "too-fine", f"{product.name} is counted in {product.unit}, with {allowed}")
