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
    """The tree is a tree, codes name what exists, stock is counted of goods only, prices never contradict."""
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
            "a product says whether it has a barcode",
            "SELECT p.sku FROM catalog_product p WHERE (CASE WHEN p.has_barcode THEN 1 ELSE 0 END) <>"
            " (CASE WHEN EXISTS (SELECT 1 FROM catalog_barcode b WHERE b.business_id = p.business_id"
            " AND b.product_id = p.id) THEN 1 ELSE 0 END)",
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
            "no two prices of one list for the same product, pack and quantity are in force at once",
            "SELECT a.id FROM catalog_price a JOIN catalog_price b ON b.business_id = a.business_id"
            " AND b.list_id = a.list_id AND b.product_id = a.product_id AND b.min_quantity = a.min_quantity"
            " AND (b.pack_id = a.pack_id OR (b.pack_id IS NULL AND a.pack_id IS NULL)) AND b.id <> a.id"
            " WHERE a.starts_at <= b.starts_at AND (a.ends_at IS NULL OR a.ends_at > b.starts_at)",
        ),
        Rule(
            "a product's own prices follow each other without a gap or an overlap, the last without an end",
            "SELECT a.id FROM catalog_base_price a WHERE (SELECT count(*) FROM catalog_base_price b"
            " WHERE b.business_id = a.business_id AND b.product_id = a.product_id AND b.channel = a.channel"
            " AND ((a.ends_at IS NULL AND b.starts_at > a.starts_at) OR b.starts_at = a.ends_at))"
            " <> CASE WHEN a.ends_at IS NULL THEN 0 ELSE 1 END",
        ),
        Rule(
            "a price list that takes its prices from others says from where, and by how much",
            "SELECT l.id FROM catalog_price_list l LEFT JOIN catalog_price_list b"
            " ON b.business_id = l.business_id AND b.id = l.based_on_id"
            " WHERE (l.percent IS NULL) <> (l.based_on IS NULL AND l.based_on_id IS NULL)"
            " OR (l.based_on_id IS NOT NULL"
            " AND (b.id IS NULL OR l.based_on IS NOT NULL OR b.created_at > l.created_at))",
        ),
        Rule(
            "a price list is in the currency of its business, and a price of a pack is of that pack's product",
            "SELECT l.id FROM catalog_price_list l JOIN kernel_business k ON k.id = l.business_id"
            " WHERE k.currency <> l.currency UNION ALL SELECT p.id FROM catalog_price p JOIN catalog_pack k"
            " ON k.business_id = p.business_id AND k.id = p.pack_id WHERE k.product_id <> p.product_id",
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
