"""The REST API of taxes: classes with their dated rates. None is ever deleted: documents and products name them."""

from __future__ import annotations

from uuid import UUID

from kernel.web import command, query
from kernel.wire import Page, Reply
from kernel.work import Work
from plugins.taxes.errors import CodeTaken, HistoryFixed
from plugins.taxes.schemas.wire import ClassIn, ClassOut, ClassPatch, ClassQuery, PackOut, SellerOut, SellerQuery
from plugins.taxes.services import classes
from plugins.taxes.services.packs import told_pack
from plugins.taxes.services.sellers import told_seller


@query("/pack", permission="taxes.see")
async def get_pack(work: Work) -> PackOut:
    """What Duka brings for the business's region: its habits, where its rates were read, what to have confirmed."""
    return told_pack(work.shop.region)


@query("/seller", permission="taxes.see")
async def get_seller(work: Work, query: SellerQuery) -> SellerOut:
    """How receipts name the seller today: legal name, address and tax number, of a location or of the business.

    Set with the settings of taxes. Each sale keeps them as they were, in `tax_terms.seller`.
    """
    return await told_seller(work, query.location_id)


@query("/classes", permission="taxes.see")
async def list_classes(work: Work, query: ClassQuery) -> Page[ClassOut]:
    """The tax classes of the business, with all their rates."""
    return await classes.list_classes(work, query)


@query("/classes/{class_id}", permission="taxes.see")
async def get_class(work: Work, class_id: UUID) -> Reply[ClassOut]:
    """One tax class with all its rates."""
    said, version = await classes.read_class(work, class_id)
    return Reply(said, version=version)


@command("POST", "/classes", permission="taxes.edit", errors=(CodeTaken,))
async def add_class(work: Work, data: ClassIn) -> Reply[ClassOut]:
    """Add a tax class.

    A plain `rate` becomes the region's usual taxes: VAT in Kenya, equal halves of CGST and SGST in India.
    """
    row = await classes.add_class(work, data)
    said, version = await classes.read_class(work, row.id)
    return Reply(said, version=version, location=f"/api/v1/taxes/classes/{row.id}")


@command("PATCH", "/classes/{class_id}", permission="taxes.edit", errors=(HistoryFixed,))
async def change_class(work: Work, class_id: UUID, data: ClassPatch) -> Reply[ClassOut]:
    """Rename a tax class, make it the default, or add rates.

    A new rate must begin after the last one of its region, which ends the day before. A rate that is yet to begin is
    replaced by another of the same day.
    """
    await classes.change_class(work, class_id, data)
    said, version = await classes.read_class(work, class_id)
    return Reply(said, version=version)
