"""The REST API of prices: lists and what is on them, planned prices, why a price is so, many changed at once."""

from __future__ import annotations

from uuid import UUID

from kernel.errors import AlreadyExists, InUse
from kernel.web import Scene, command, flow, query
from kernel.wire import Download, ListQuery, Page, Reply, Upload
from kernel.work import Work
from plugins.catalog.errors import EditChanged, PriceOver, TableRefused, TooManyLists
from plugins.catalog.models import PriceList
from plugins.catalog.routes.goods import TABLES
from plugins.catalog.schemas.goods import ImportOut, TableQuery
from plugins.catalog.schemas.prices import (
    BasePriceIn,
    BasePriceOut,
    EditDone,
    EditPreview,
    PriceAsk,
    PriceEdit,
    PriceEditApply,
    PriceListIn,
    PriceListOut,
    PriceListPatch,
    PriceListQuery,
    PriceOut,
    PriceQuery,
    PricesIn,
    PricesSet,
    PriceWhy,
)
from plugins.catalog.services import (
    base_prices,
    explaining,
    importing,
    price_edits,
    price_lists,
    price_rows,
    price_tables,
)

_SEE, _PRICES = "catalog.see", "catalog.prices"


@query("/price-lists", permission=_SEE)
async def list_price_lists(work: Work, query: PriceListQuery) -> Page[PriceListOut]:
    """Price lists by name."""
    return await price_lists.list_lists(work, query)


@query("/price-lists/{price_list_id}", permission=_SEE)
async def get_price_list(work: Work, price_list_id: UUID) -> Reply[PriceListOut]:
    """One price list. Its version changes with its prices, too."""
    row = await work.get(PriceList, price_list_id)
    return Reply(price_lists.list_out(work, row), version=row.version)


@command("POST", "/price-lists", permission=_PRICES, errors=(AlreadyExists, TooManyLists))
async def add_price_list(work: Work, data: PriceListIn) -> Reply[PriceListOut]:
    """Add a price list: for everybody, a location, a group of customers or one customer.

    Where several have a price of a product, one customer's goes before a group's, a group's before a location's, and
    that before everybody's; then the higher minimum quantity that is reached, what came into force later, the newer.
    """
    row = await price_lists.add_list(work, data)
    where = f"/api/v1/catalog/price-lists/{row.id}"
    return Reply(price_lists.list_out(work, row), version=row.version, location=where)


@command("PATCH", "/price-lists/{price_list_id}", permission=_PRICES, errors=(AlreadyExists,))
async def change_price_list(work: Work, price_list_id: UUID, data: PriceListPatch) -> Reply[PriceListOut]:
    """Change a price list. Carts that are priced from then on go by it; what was sold keeps its price."""
    row = await price_lists.change_list(work, price_list_id, data)
    return Reply(price_lists.list_out(work, row), version=row.version)


@command("DELETE", "/price-lists/{price_list_id}", permission=_PRICES, errors=(InUse,))
async def remove_price_list(work: Work, price_list_id: UUID) -> None:
    """Throw a price list away, as long as none of its prices has been in force. Switch it off afterwards."""
    await price_lists.remove_list(work, price_list_id)


@query("/price-lists/{price_list_id}/prices", permission=_SEE)
async def list_prices(work: Work, price_list_id: UUID, query: PriceQuery) -> Page[PriceOut]:
    """Prices on a list: those that run and are planned, with `past` those before, too."""
    return await price_rows.list_prices(work, price_list_id, query)


@command("PUT", "/price-lists/{price_list_id}/prices", permission=_PRICES)
async def set_prices(work: Work, price_list_id: UUID, data: PricesIn) -> Reply[PricesSet]:
    """Set up to 1,000 prices on a list, all or none, from now on or from an instant to come.

    What is there for the same product, pack and quantity ends where the new price begins, and stays as history; what
    is planned for later stays planned. `If-Match` is the ETag of the list.
    """
    done, version = await price_rows.put_prices(work, price_list_id, data)
    return Reply(done, version=version)


@command("DELETE", "/price-lists/{price_list_id}/prices/{price_id}", permission=_PRICES, errors=(PriceOver,))
async def remove_price(work: Work, price_list_id: UUID, price_id: UUID) -> None:
    """Take a price off a list from now on. One that is planned never comes, and the one before it goes on."""
    await price_rows.remove_price(work, price_list_id, price_id)


@flow("GET", "/price-lists/{price_list_id}/export", permission=_SEE)
async def export_prices(scene: Scene, price_list_id: UUID, query: TableQuery) -> Download:
    """The prices of a list that run or are planned, as CSV or XLSX, in the columns that an import takes."""
    return await price_tables.export_prices(scene, price_list_id, query.format)


@flow(
    "POST",
    "/price-lists/{price_list_id}/imports",
    permission=_PRICES,
    status=201,
    takes=TABLES,
    errors=(TableRefused,),
)
async def import_prices(scene: Scene, price_list_id: UUID, upload: Upload) -> ImportOut:
    """Check a table of prices for a list: CSV (UTF-8) or XLSX, up to 20 MiB and 100,000 rows. No price is set yet.

    Columns: `sku` and `price`, and where wanted `pack` (its name), `min_quantity` and `starts_at` (a day or an instant,
    in the business's time zone unless it says another). What is not in the table stays. Apply it as any import.
    """
    return await importing.check_prices(scene, price_list_id, upload)


@query("/products/{product_id}/price", permission=_SEE)
async def explain_price(work: Work, product_id: UUID, query: PriceAsk) -> PriceWhy:
    """What a product costs for a customer, at a place, at a time, in a quantity; which list says so, and why no other.

    The price is that of a sale's line before promotions, discounts and prices by hand.
    """
    return await explaining.explain_price(work, product_id, query)


@query("/products/{product_id}/prices", permission=_SEE)
async def list_base_prices(work: Work, product_id: UUID, query: ListQuery) -> Page[BasePriceOut]:
    """A product's own prices over time, retail and wholesale, with those planned; none before the first change."""
    return await base_prices.list_own(work, product_id, query)


@command("POST", "/products/{product_id}/prices", permission=_PRICES)
async def plan_base_price(work: Work, product_id: UUID, data: BasePriceIn) -> Reply[BasePriceOut]:
    """Plan another price of a product. It acts at its very instant; nothing has to run for it.

    For a price that acts at once change the product.
    """
    said = await base_prices.plan_price(work, product_id, data)
    return Reply(said, location=f"/api/v1/catalog/products/{product_id}/prices")


@command("DELETE", "/products/{product_id}/prices/{planned_id}", permission=_PRICES, errors=(PriceOver,))
async def drop_base_price(work: Work, product_id: UUID, planned_id: UUID) -> None:
    """Give up a planned price: the one before it goes on."""
    await base_prices.drop_planned(work, product_id, planned_id)


@query("/price-edits/preview", method="POST", permission=_PRICES)
async def preview_price_edit(work: Work, data: PriceEdit) -> EditPreview:
    """What changing many prices at once would do, such as: all of a category by 5 %, rounded to 0.50, from Monday."""
    return await price_edits.preview_edit(work, data)


@command("POST", "/price-edits", permission=_PRICES, status=200, errors=(EditChanged,))
async def apply_price_edit(work: Work, data: PriceEditApply) -> EditDone:
    """Change many prices as the preview has shown, all or none; refused where the prices have changed since."""
    return await price_edits.apply_edit(work, data)
