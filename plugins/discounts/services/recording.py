"""Promotions and coupons as a recorded test makes them: those that took something off, with all they are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from kernel.app.recording import Recording, Thing
from kernel.work import Work
from plugins.discounts.models import Coupon, Use
from plugins.discounts.rules.figures import terms_said
from plugins.discounts.schemas.effects import WhenIn
from plugins.discounts.schemas.terms import Terms, read_terms
from plugins.discounts.services.uses import used_in

BUILDERS: Final = "plugins.discounts.testing"
KINDS: Final = {"product_id": "product", "product_ids": "product", "category_ids": "category", "brand_ids": "brand",
                "group_ids": "group"}  # fmt: skip
"""The name of an id in terms → what it is an id of."""


async def record_promotions(work: Work, recording: Recording) -> None:
    """Make the promotions of a sale. Budgets and places are left out: in the test there is all of it, and one place."""
    coupons = await _coupons(work, recording.document_id)
    for row in await used_in(work, recording.document_id):
        thing, terms = Thing("promotion", row.id), read_terms(row.terms)
        said = _said(terms, work.shop.exponent)
        recording.make(
            thing,
            row.name,
            f"{BUILDERS}:a_promotion",
            row.name,
            **{name: _with_things(recording, value) for name, value in said.items()},
            priority=row.priority or None,
            exclusive=row.exclusive or None,
            by_coupon=row.by_coupon or None,
        )
        if row.id in coupons:
            recording.make(Thing("coupon", None), "coupon", f"{BUILDERS}:coupons", thing, code=coupons[row.id])


async def _coupons(work: Work, sale_id: UUID) -> Mapping[UUID, str]:
    """Promotion → the code of the coupon that asked for it in a sale."""
    found = await work.execute(
        sa.select(Use.promotion_id, Coupon.code)
        .join(Coupon, sa.and_(Coupon.business_id == Use.business_id, Coupon.id == Use.coupon_id))
        .where(Use.business_id == work.business_id, Use.sale_id == sale_id)
        .distinct()
    )
    return {row.promotion_id: row.code for row in found.all()}


def _said(terms: Terms, exponent: int) -> dict[str, Any]:
    """Terms as a builder of tests takes them; what says nothing is left out."""
    effect, goods, when, _ = terms_said(terms, exponent)
    usual = msgspec.to_builtins(WhenIn())
    asked = {name: value for name, value in msgspec.to_builtins(when).items() if value != usual[name]}
    asked.pop("location_ids", None)
    return {
        "effect": _bare(msgspec.to_builtins(effect)),
        "goods": None if goods is None else _bare(msgspec.to_builtins(goods)),
        "when": asked or None,
        "label": terms.label or None,
        "joins": None if terms.joins is None else list(terms.joins),
    }


def _bare(value: Any) -> Any:
    """A value without what is empty in it."""
    if isinstance(value, Mapping):
        return {name: _bare(part) for name, part in value.items() if part is not None and part != []}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _with_things(recording: Recording, value: Any, kind: str | None = None) -> Any:
    """A value whose ids are the things that the test makes."""
    if isinstance(value, Mapping):
        return {name: _with_things(recording, part, KINDS.get(name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_things(recording, one, kind) for one in value]
    return recording.want(kind, UUID(value)) if kind is not None and isinstance(value, str) else value
