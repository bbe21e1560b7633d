"""Who sells: what the documents of a location say of the business."""

from __future__ import annotations

import datetime as dt
import uuid

from kernel.auth import Location
from kernel.tax_numbers import number_of
from kernel.work import Work
from plugins.taxes.rules import adapting
from plugins.taxes.rules.naming import seller_of
from plugins.taxes.schemas.circumstances import Seller, Settings
from plugins.taxes.schemas.wire import SellerOut
from plugins.taxes.services.packs import pack_of


async def seller_at(work: Work, location_id: uuid.UUID | None, on: dt.date) -> Seller:
    """The seller as documents of a location name them on a day; without one, of the business. Reads configuration."""
    said = await work.settings(Settings, location_id)
    scheme = adapting.scheme_on(said.registrations, on)
    shop = work.shop
    return seller_of(said, shop.tax_number, shop.region, scheme, pack_of(shop.region).seller)


async def told_seller(work: Work, location_id: uuid.UUID | None) -> SellerOut:
    """The seller as today's documents name them, and whether the region wants that. Raises NotFound."""
    if location_id is not None:
        work.see_location((await work.get(Location, location_id)).id)
    found = await seller_at(work, location_id, work.now.astimezone(work.shop.tz).date())
    region = work.shop.region
    return SellerOut(
        location_id,
        found.tax_number,
        found.number_name,
        number_of(region).example,
        found.legal_name,
        found.address,
        pack_of(region).seller.is_named,
    )
