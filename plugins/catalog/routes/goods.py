"""The REST API of catalog: products with packs and barcodes, categories, brands."""

from __future__ import annotations

from uuid import UUID

from kernel.errors import AlreadyExists
from kernel.web import Include, Scene, Takes, command, flow, query
from kernel.wire import Download, ListQuery, Page, Reply, Upload
from kernel.work import Work
from plugins.catalog import errors
from plugins.catalog.models import Brand, Category, Import
from plugins.catalog.schemas.edits import (
    ExportQuery,
    KeptEdit,
    ProductsEdit,
    ProductsEdited,
    ProductsLook,
    ProductsPreview,
    UndoEdit,
    UndoLook,
)
from plugins.catalog.schemas.goods import (
    BarcodeOut,
    BrandIn,
    BrandOut,
    BrandPatch,
    CategoryIn,
    CategoryOut,
    CategoryPatch,
    CategoryQuery,
    ImageQuery,
    ImportOut,
    NewBarcode,
    PackIn,
    PackPatch,
    ProductIn,
    ProductOut,
    ProductPatch,
    ProductQuery,
    ProductsIn,
    Scanned,
    TableQuery,
)
from plugins.catalog.services import (
    exporting,
    importing,
    kept_edits,
    pictures,
    product_edits,
    products,
    reading,
    several,
    shelves,
    undoing,
)
from plugins.catalog.services.tables import KINDS, LONGEST_S

_SEE, _EDIT, _IMPORT = "catalog.see", "catalog.edit", "catalog.import"
_PICTURES = Takes(tuple(pictures.FORMATS), pictures.MOST_BYTES)
TABLES = Takes(tuple(KINDS), 20 * 1024 * 1024, longest_s=LONGEST_S)
_WITH = (
    Include("category", "category_id", reading.categories_by_id, _SEE),
    Include("brand", "brand_id", reading.brands_by_id, _SEE),
)
_REFUSED = (AlreadyExists, errors.BarcodeInvalid)


@query("/products", permission=_SEE, includes=_WITH)
async def list_products(work: Work, query: ProductQuery) -> Page[ProductOut]:
    """Products, searched and filtered.

    `q` finds as somebody types: words in any order and their beginnings, whatever accents and case; words with letters
    left out (`choc mlk` finds Milk Chocolate 200g); a SKU, a barcode, or the end of one. Best first: exact codes, whole
    words, beginnings, then up to 200 that fit more loosely. With `sort` nothing is found by left-out letters.
    """
    return await reading.list_products(work, query)


@query("/products/{product_id}", permission=_SEE, includes=_WITH)
async def get_product(work: Work, product_id: UUID) -> Reply[ProductOut]:
    """One product."""
    return await _product(work, product_id)


@command("POST", "/products", permission=_EDIT, errors=_REFUSED)
async def add_product(work: Work, data: ProductIn) -> Reply[ProductOut]:
    """Add a product, with its packs and barcodes. The client may choose its id."""
    row = await products.add_product(work, data)
    return await _product(work, row.id, created=True)


@command("POST", "/products/several", permission=_EDIT, errors=_REFUSED)
async def add_several_products(work: Work, data: ProductsIn) -> Page[ProductOut]:
    """Add several products in a few words each, all of them or none. Without a SKU one is made from the name."""
    return await several.add_several(work, data.products)


@command("PATCH", "/products/{product_id}", permission=_EDIT, errors=_REFUSED)
async def change_product(work: Work, product_id: UUID, data: ProductPatch) -> Reply[ProductOut]:
    """Change a product. Take it off sale with `is_active`: what has been sold is never deleted."""
    await products.change_product(work, product_id, data)
    return await _product(work, product_id)


@query("/product-edits/preview", method="POST", permission=_EDIT)
async def preview_product_edit(work: Work, data: ProductsLook) -> ProductsPreview:
    """What changing many products at once would do; and their versions, to change them by.

    `product_ids` names them, or `matching` finds them as the list does, the first 1,000.
    """
    return await product_edits.preview_edit(work, data)


@command("POST", "/product-edits", permission=_EDIT, status=200, errors=(errors.ProductsMoved,))
async def edit_products(work: Work, data: ProductsEdit) -> ProductsEdited:
    """Change up to 1,000 products, all or none: the same of all, or of each what it says itself.

    Each bears the version at which it was seen; where any has changed since, nothing is done and each of those is
    named. A product that is so already keeps its version. Prices also need `catalog.prices`.
    """
    return await product_edits.apply_edit(work, data)


@query("/product-edits", permission=_EDIT)
async def list_product_edits(work: Work, query: ListQuery) -> Page[KeptEdit]:
    """Changes of many products at once, and what undid them, of the last seven days, newest first."""
    return await kept_edits.list_edits(work, query)


@query("/product-edits/{product_edit_id}", permission=_EDIT)
async def get_product_edit(work: Work, product_edit_id: UUID) -> KeptEdit:
    """One change of many products, for seven days."""
    return kept_edits.edit_out(await kept_edits.kept_edit(work, product_edit_id))


@query("/product-edits/{product_edit_id}/undo", permission=_EDIT, errors=(errors.EditUndone,))
async def preview_product_undo(work: Work, product_edit_id: UUID) -> UndoLook:
    """What undoing a change of many products would do, and which of them have changed since."""
    return await undoing.preview_undo(work, product_edit_id)


@command(
    "POST",
    "/product-edits/{product_edit_id}/undo",
    permission=_EDIT,
    status=200,
    errors=(errors.EditUndone, errors.ProductsMoved),
)
async def undo_product_edit(work: Work, product_edit_id: UUID, data: UndoEdit) -> ProductsEdited:
    """Undo a change of many products, all or none: what it changed of them becomes what it was.

    Where any has changed since nothing is done, and each of those is named. Needs what the change needed
    (`catalog.prices` for prices). Prices go on from now as they were and were planned before it; those of the past
    stay. It is a change like any other, and may itself be undone.
    """
    return await undoing.undo_edit(work, product_edit_id, regardless=data.regardless)


@query("/barcode/{code}", permission=_SEE)
async def scan_barcode(work: Work, code: str) -> Scanned:
    """The product a barcode names, and the pack it stands on."""
    return await reading.scan(work, code)


@query("/products/{product_id}/barcodes", permission=_SEE)
async def list_barcodes(work: Work, product_id: UUID) -> list[BarcodeOut]:
    """All barcodes of a product and its packs, with the prices printed beside them."""
    return await reading.list_barcodes(work, product_id)


@command("POST", "/products/{product_id}/barcodes", permission=_EDIT, errors=_REFUSED)
async def add_barcode(work: Work, product_id: UUID, data: NewBarcode) -> Reply[ProductOut]:
    """Give a product, or one of its packs, one more barcode."""
    await products.add_barcode(work, product_id, data)
    return await _product(work, product_id, created=True)


@command("DELETE", "/products/{product_id}/barcodes/{code}", permission=_EDIT)
async def remove_barcode(work: Work, product_id: UUID, code: str) -> None:
    """Take a barcode off a product, so that it may name another."""
    await products.remove_barcode(work, product_id, code)


@command("POST", "/products/{product_id}/packs", permission=_EDIT, errors=_REFUSED)
async def add_pack(work: Work, product_id: UUID, data: PackIn) -> Reply[ProductOut]:
    """Offer a product in a pack, such as a carton of 12. The factor is never changed afterwards."""
    await products.add_pack(work, product_id, data)
    return await _product(work, product_id, created=True)


@command("PATCH", "/products/{product_id}/packs/{pack_id}", permission=_EDIT, errors=(AlreadyExists,))
async def change_pack(work: Work, product_id: UUID, pack_id: UUID, data: PackPatch) -> Reply[ProductOut]:
    """Rename a pack or price it anew. `If-Match` is the ETag of the product."""
    await products.change_pack(work, product_id, pack_id, data)
    return await _product(work, product_id)


@flow(
    "POST", "/products/{product_id}/image", permission=_EDIT, status=204, takes=_PICTURES, errors=(errors.ImageRefused,)
)
async def set_product_image(scene: Scene, product_id: UUID, upload: Upload) -> None:
    """Give a product an image: JPEG, PNG or WebP, at most 5 MiB and 25 million pixels.

    It is encoded anew in three sizes; nothing else of the file is kept. The product's `image` then leads to them.
    """
    await pictures.set_image(scene, product_id, upload)


@command("DELETE", "/products/{product_id}/image", permission=_EDIT)
async def remove_product_image(work: Work, product_id: UUID) -> None:
    """Take a product's image away."""
    await pictures.remove_image(work, product_id)


@query("/products/{product_id}/image/{px}", permission=_SEE)
async def get_product_image(work: Work, product_id: UUID, px: int, query: ImageQuery) -> Download:
    """A product's image as WebP, its longest side 96, 320 or 1024 pixels; the product's links name it."""
    return await pictures.read_image(work, product_id, px, query.v)


@flow("GET", "/export", permission=_SEE, longest_s=LONGEST_S)
async def export_products(scene: Scene, query: ExportQuery) -> Download:
    """Products as CSV or XLSX, all or those that filters let through, in the columns that an import takes.

    Packs are not among them.
    """
    return await exporting.export_products(scene, query)


@query("/import-template", permission=_SEE)
async def get_import_template(work: Work, query: TableQuery) -> Download:
    """An empty table with the columns that an import takes."""
    return await exporting.template(work, query.format)


@flow("POST", "/imports", permission=_IMPORT, status=201, takes=TABLES, errors=(errors.TableRefused,))
async def check_import(scene: Scene, upload: Upload) -> ImportOut:
    """Check a table of products, CSV (UTF-8) or XLSX, up to 20 MiB and 100,000 rows. No product is written yet.

    Products are known by `sku`. A column that is missing leaves what is there; an empty cell empties it. Categories are
    written as paths (`Food > Flour`) and made where they are missing, as brands are; barcodes have `|` between them.
    Fields of the shop's own are columns `custom.<field>`.
    """
    return await importing.check_table(scene, upload)


@query("/imports", permission=_IMPORT)
async def list_imports(work: Work, query: ListQuery) -> Page[ImportOut]:
    """Imports of the last week."""
    return await importing.list_imports(work, query)


@query("/imports/{import_id}", permission=_IMPORT)
async def get_import(work: Work, import_id: UUID) -> ImportOut:
    """How far an import is, and what is wrong with which cells."""
    return importing.import_out(await work.get(Import, import_id))


@command("POST", "/imports/{import_id}/apply", permission=_IMPORT, status=202, errors=(errors.ImportNotReady,))
async def apply_import(work: Work, import_id: UUID) -> ImportOut:
    """Apply what was checked, in the background; rows that cannot be are left out. Again goes on with one that stopped.

    Each row is compared anew with the product as it is by then; rows that change nothing write nothing.
    """
    return await importing.apply_import(work, import_id)


@query("/categories", permission=_SEE)
async def list_categories(work: Work, query: CategoryQuery) -> Page[CategoryOut]:
    """Categories by name; each carries its path, so that the tree can be drawn from the list."""
    return await reading.list_categories(work, query)


@query("/categories/{category_id}", permission=_SEE)
async def get_category(work: Work, category_id: UUID) -> Reply[CategoryOut]:
    """One category."""
    row = await work.get(Category, category_id)
    return Reply(reading.category_out(row), version=row.version)


@command("POST", "/categories", permission=_EDIT, errors=(AlreadyExists,))
async def add_category(work: Work, data: CategoryIn) -> Reply[CategoryOut]:
    """Add a category, below another or at the root."""
    row = await shelves.add_category(work, data)
    return Reply(reading.category_out(row), version=row.version, location=f"/api/v1/catalog/categories/{row.id}")


@command("PATCH", "/categories/{category_id}", permission=_EDIT, errors=(errors.CategoryCircle,))
async def change_category(work: Work, category_id: UUID, data: CategoryPatch) -> Reply[CategoryOut]:
    """Rename a category, or move it with all below it."""
    row = await shelves.change_category(work, category_id, data)
    return Reply(reading.category_out(row), version=row.version)


@query("/brands", permission=_SEE)
async def list_brands(work: Work, query: ListQuery) -> Page[BrandOut]:
    """Brands by name."""
    return await reading.list_brands(work, query)


@query("/brands/{brand_id}", permission=_SEE)
async def get_brand(work: Work, brand_id: UUID) -> Reply[BrandOut]:
    """One brand."""
    row = await work.get(Brand, brand_id)
    return Reply(reading.brand_out(row), version=row.version)


@command("POST", "/brands", permission=_EDIT, errors=(AlreadyExists,))
async def add_brand(work: Work, data: BrandIn) -> Reply[BrandOut]:
    """Add a brand."""
    row = await shelves.add_brand(work, data)
    return Reply(reading.brand_out(row), version=row.version, location=f"/api/v1/catalog/brands/{row.id}")


@command("PATCH", "/brands/{brand_id}", permission=_EDIT, errors=(AlreadyExists,))
async def change_brand(work: Work, brand_id: UUID, data: BrandPatch) -> Reply[BrandOut]:
    """Rename a brand."""
    row = await shelves.change_brand(work, brand_id, data)
    return Reply(reading.brand_out(row), version=row.version)


async def _product(work: Work, id_: UUID, *, created: bool = False) -> Reply[ProductOut]:
    said, version, planned = await reading.read_product(work, id_)
    where = f"/api/v1/catalog/products/{id_}" if created else None
    return Reply(said, version=version, location=where, living=planned)
