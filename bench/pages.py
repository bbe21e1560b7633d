"""Pages of the console in a large shop: 100,000 products in stock, 20,000 sales, and as many customers.

One server process, one reader, PostgreSQL. Beside each page stands the one request of the API that its list comes by.
What is left is the page's own: who is calling, what it lets one choose from, the columns of others, writing HTML.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import asyncpg

from bench import sizes
from bench.load import get, load
from bench.past import load_past
from bench.rounds import Measure, Rounds, interleaved
from bench.shape import Shape, shape_of
from bench.shelves import fill
from bench.shop import Shop, one_sale, plain, prepared, served, stocked
from bench.table import Table
from kernel.testing.servers import Postgres

PRODUCTS, SALES = 100_000, 20_000
_SHELVES = """
INSERT INTO catalog_category (business_id, id, name, path, version)
SELECT $1, id, 'Shelf ' || n, replace(id::text, '-', ''), 1
FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 120) AS n) AS made;
INSERT INTO catalog_brand (business_id, id, name, version)
SELECT $1, gen_random_uuid(), 'Maker ' || n, 1 FROM generate_series(1, 400) AS n;
UPDATE catalog_product p SET category_id = c.id, brand_id = b.id FROM
(SELECT id, row_number() OVER (ORDER BY id) AS n FROM catalog_product WHERE business_id = $1) AS o,
(SELECT id, row_number() OVER (ORDER BY id) AS n FROM catalog_category WHERE business_id = $1) AS c,
(SELECT id, row_number() OVER (ORDER BY id) AS n FROM catalog_brand WHERE business_id = $1) AS b
WHERE p.business_id = $1 AND p.id = o.id AND c.n = 1 + o.n % 120 AND b.n = 1 + o.n % 400;
INSERT INTO inventory_level (business_id, product_id, location_id, on_hand, reserved)
SELECT $1, id, $2, 12000000, 0 FROM catalog_product WHERE business_id = $1 ON CONFLICT DO NOTHING;
INSERT INTO customers_customer
(business_id, id, kind, name, address, note, is_active, ext, custom, search, created_at, version)
SELECT $1, gen_random_uuid(), 'person', 'Customer ' || n, '', '', true, '{}', '{}', 'customer ' || n, now(), 1
FROM generate_series(1, $3) AS n
"""
PAGES = {
    "products": ("/catalog/products", "/catalog/products?limit=50"),
    "products, found by words": ("/catalog/products?q={typed}", "/catalog/products?limit=50&q={typed}"),
    "products of a category": ("/catalog/products?category_id={id}", "/catalog/products?limit=50&category_id={id}"),
    "products without a barcode": (
        "/catalog/products?has_barcode=false",
        "/catalog/products?limit=50&has_barcode=false",
    ),
    "products out of stock": (
        "/catalog/products?ext.inventory.stock=out",
        "/catalog/products?limit=50&ext.inventory.stock=out",
    ),
    "products running low": (
        "/catalog/products?ext.inventory.stock=low",
        "/catalog/products?limit=50&ext.inventory.stock=low",
    ),
    "products in stock": (
        "/catalog/products?ext.inventory.stock=in",
        "/catalog/products?limit=50&ext.inventory.stock=in",
    ),
    "products above a price": ("/catalog/products?price_from=999999", "/catalog/products?limit=50&price_from=999999"),
    "categories": ("/catalog/categories", "/catalog/categories?limit=200"),
    "stock": ("/inventory/levels", "/inventory/levels?limit=50"),
    "sales": ("/sales/sales", "/sales/sales?limit=50"),
    "customers": ("/customers/customers", "/customers/customers?limit=50"),
}
"""What is measured: a page of the console, and the request of the API that its list comes by.

Hardly a product is without a barcode, and none above that price, out of stock or low: few are found among many.
BENCH_PAGES names those that are wanted, with commas between; all without it.
"""


def main() -> None:
    """Run and print."""
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home)))


async def _run(server: Postgres, home: Path) -> None:
    settings = await prepared(await server.create_database("bench"), home)
    with served(settings) as one:
        shop = await stocked(one.port)
        shape = Shape(await shape_of(plain(settings.url), await one_sale(one.port, shop)))
    await load_past(plain(settings.url), shape, sizes.sales(SALES), shop.products)
    await fill(settings.url, shop.business, sizes.products(PRODUCTS))
    category = await _sorted(plain(settings.url), shop)
    with served(settings) as one:
        watched = {"python": one.process.pid, "postgres": server.pid}
        token = shop.headers["Authorization"].partition(" ")[2]
        measures: dict[tuple[str, str], Measure] = {}
        for what, (page, listed) in _wanted().items():
            for side, path, headers in (
                ("page", f"/console{page}", {"Cookie": f"duka_access={token}"}),
                ("API", f"/api/v1{listed}", shop.headers),
            ):
                ask = _asked(path.replace("{id}", category), headers)
                measures[what, side] = functools.partial(load, one.port, 1, sizes.seconds(2.0), ask, watched)
        await interleaved(measures, 1)  # templates compiled, statements prepared
        found = await interleaved(measures, sizes.rounds())
    _show(found)


def _wanted() -> dict[str, tuple[str, str]]:
    names = os.environ.get("BENCH_PAGES")
    return {name: PAGES[name] for name in names.split(",")} if names else PAGES


def _asked(path: str, headers: dict[str, str]) -> Callable[[], bytes]:
    typed = itertools.cycle([quote(word[:n]) for word in ("milk chocolate", "basmati ri") for n in range(2, 10, 2)])
    return lambda: get(path.replace("{typed}", next(typed)), headers)


async def _sorted(url: str, shop: Shop) -> str:
    """Categories, brands, stock and customers; the id of a category."""
    connection = await asyncpg.connect(url, command_timeout=600)
    here = {"$1": shop.business, "$2": uuid.UUID(shop.location), "$3": sizes.sales(SALES)}
    for statement in _SHELVES.split(";"):
        said = statement
        for name, value in here.items():
            said = said.replace(name, f"{value}" if isinstance(value, int) else f"'{value}'::uuid")
        await connection.execute(said)
    found = await connection.fetchval("SELECT id FROM catalog_category WHERE business_id = $1 LIMIT 1", shop.business)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return str(found)


def _show(found: dict[tuple[str, str], Rounds]) -> None:
    table = Table(
        f"{sizes.products(PRODUCTS):,} products, {sizes.sales(SALES):,} sales and customers, PostgreSQL, one reader",
        {
            **{"": "", "page p50 ms": ".1f", "page CPU ms Python": ".1f", "page CPU ms PostgreSQL": ".1f"},
            **{"API p50 ms": ".1f", "API CPU ms Python": ".1f", "the page's own, CPU ms Python": ".1f"},
        },
    )
    for what in _wanted():
        page, listed = found[what, "page"], found[what, "API"]
        own = (page.cpu_ms("python") or 0) - (listed.cpu_ms("python") or 0)
        figures = (page.p50_ms, page.cpu_ms("python"), page.cpu_ms("postgres"), listed.p50_ms)
        table.add(what, *figures, listed.cpu_ms("python"), own)
    table.show()


if __name__ == "__main__":
    main()
