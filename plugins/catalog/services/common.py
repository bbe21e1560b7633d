"""What the use cases of catalog share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, Struct, structs

from kernel.db import Base
from kernel.errors import NotFound
from kernel.money import parse_micro
from kernel.work import Work
from plugins.catalog.errors import BarcodeInvalid
from plugins.catalog.models import Brand, Category
from plugins.catalog.rules.goods import BadBarcode, check_gtin
from plugins.taxes.api import known_classes

RowT = TypeVar("RowT", bound=Base)


async def locked(work: Work, model: type[RowT], id_: UUID) -> RowT:
    """A row by id, held until the deed ends, so that of two changes of one version one is told. Raises NotFound."""
    found = await work.session.get(model, (work.business_id, id_), with_for_update={"key_share": True})
    if found is None:
        raise NotFound
    return found


def given_in(patch: Struct) -> dict[str, object]:
    """The fields of a patch that were sent."""
    return {name: value for name, value in structs.asdict(patch).items() if value is not UNSET}


def micro(text: str | None) -> int | None:
    """A price or quantity of the wire, scaled; None stays None."""
    return None if text is None else parse_micro(text)


def normal_barcode(code: str, pointer: str) -> str:
    """A barcode in its normal form. Raises BarcodeInvalid at the pointer."""
    try:
        return check_gtin(code)
    except BadBarcode as fault:
        raise BarcodeInvalid.at(pointer, str(fault), code="bad-barcode") from fault


async def check_references(work: Work, wanted: Mapping[str, set[UUID]], base: str = "") -> None:
    """Raise NotFound for a category_id, brand_id or tax_class_id that names nothing of this business."""
    for field, missing in (await missing_references(work, wanted)).items():
        if missing:
            raise NotFound.at(f"{base}/{field}", "There is no such thing")


async def missing_references(work: Work, wanted: Mapping[str, set[UUID]]) -> dict[str, set[UUID]]:
    """Of ids of categories, brands and tax classes, those that name nothing of this business."""
    missing: dict[str, set[UUID]] = {}
    for field, model in (("category_id", Category), ("brand_id", Brand)):
        if ids := wanted.get(field):
            found = await work.execute(
                sa.select(model.id).where(model.business_id == work.business_id, model.id.in_(ids))
            )
            missing[field] = ids - set(found.scalars())
    if ids := wanted.get("tax_class_id"):
        missing["tax_class_id"] = ids - await known_classes(work, ids)
    return missing
