"""What catalog answers to the kernel's hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.app.recording import Recording
from kernel.hooks import answers
from kernel.invariants import Rule
from kernel.work import Work
from plugins.catalog.services.demo import seed
from plugins.catalog.services.recording import record_products


@answers
def invariants() -> Sequence[Rule]:
    """The tree is a tree, codes name what exists, stock is counted of goods only."""
    return (
        Rule(
            "the path of a category ends in itself, after its parent's",
            "SELECT c.id FROM catalog_category c LEFT JOIN catalog_category p"
            " ON p.business_id = c.business_id AND p.id = c.parent_id"
            " WHERE c.path <> CASE WHEN c.parent_id IS NULL THEN '' ELSE p.path || '/' END"
            " || replace(CAST(c.id AS VARCHAR(36)), '-', '')",
        ),
        Rule(
            "every barcode names a product, and a pack of that product where it names one",
            "SELECT b.code FROM catalog_barcode b"
            " LEFT JOIN catalog_product p ON p.business_id = b.business_id AND p.id = b.product_id"
            " LEFT JOIN catalog_pack k ON k.business_id = b.business_id AND k.id = b.pack_id"
            " WHERE p.id IS NULL OR (b.pack_id IS NOT NULL AND (k.id IS NULL OR k.product_id <> b.product_id))",
        ),
        Rule(
            "no price, cost or pack is negative or empty",
            "SELECT p.sku FROM catalog_product p LEFT JOIN catalog_pack k"
            " ON k.business_id = p.business_id AND k.product_id = p.id"
            " WHERE p.price < 0 OR p.wholesale_price < 0 OR p.cost_price < 0 OR p.mrp < 0 OR p.min_stock < 0"
            " OR k.factor <= 0 OR k.price < 0",
        ),
        Rule(
            "a service has no stock",
            "SELECT sku FROM catalog_product WHERE kind = 'service' AND track_stock",
        ),
        Rule(
            "every product stands in the tax class of its own business",
            "SELECT p.sku FROM catalog_product p LEFT JOIN taxes_class t"
            " ON t.business_id = p.business_id AND t.id = p.tax_class_id"
            " WHERE p.tax_class_id IS NOT NULL AND t.id IS NULL",
        ),
    )


@answers
async def recorded(work: Work, recording: Recording) -> None:
    """The products of what was sold, with their categories and brands."""
    await record_products(work, recording)


@answers
async def seed_demo(demo: Any) -> None:
    """Fill the shelves of a demo business."""
    await seed(demo)
