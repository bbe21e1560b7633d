"""Sales as tables to join, for plugins that make good what they missed; and take part afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared
from kernel.work import Work
from plugins.sales.models import Sale, SaleLine

_S = Sale.__table__.c
_L = SaleLine.__table__.c
_was_numbered = sa.or_(_S.order_number.is_(None), _S.number != _S.order_number)
_BOUGHT = Prepared(
    sa.select(_S.id)
    .where(
        _S.business_id == sa.bindparam("business_id", type_=sa.Uuid()),
        _S.customer_id == sa.bindparam("customer_id", type_=sa.Uuid()),
        sa.literal_column("status NOT IN ('voided', 'expired')"),
    )
    .limit(1)
)
_lines = (
    sa.select(sa.func.count())
    .where(_L.business_id == _S.business_id, _L.sale_id == _S.id)
    .correlate(Sale.__table__)
    .scalar_subquery()
)


def sale_columns() -> sa.Subquery:
    """Sales of every status as a table to join, each call with an alias of its own.

    The query must name its business itself. `was_completed`: it was told as completed, though it may be voided by now;
    a sale that was given up while it waited never was. A void bears the sale's own business date. `lines` counts them.
    `order_number`, `order_date`: of a sale that waited for its money, under which it was placed; `recorded_at`: when.
    """
    return sa.select(
        _S.business_id,
        _S.id,
        _S.number,
        _S.order_number,
        _S.order_date,
        _S.status,
        sa.and_(_S.status.in_(("completed", "voided")), _was_numbered).label("was_completed"),
        _S.location_id,
        _S.register_id,
        _S.channel,
        _S.business_date,
        _S.sold_at,
        _S.recorded_at,
        _S.total,
        _S.discount_total,
        _S.tax_total,
        _S.cashier_id,
        _S.cashier_name,
        _S.voided_at,
        _S.voided_by,
        _S.void_reason,
        _lines.label("lines"),
    ).subquery()


def sale_line_columns() -> sa.Subquery:
    """Lines of sales as a table to join on `business_id` and `sale_id`; quantities and costs scaled by MICRO."""
    return sa.select(
        _L.business_id,
        _L.sale_id,
        _L.line,
        _L.product_id,
        _L.name,
        _L.base_quantity,
        _L.track_stock,
        _L.cost_price,
        _L.net,
        _L.tax,
        _L.total,
    ).subquery()


async def has_bought(work: Work, customer_id: UUID) -> bool:
    """Whether a customer has bought before: a sale that stands, or one that waits for its money."""
    return await work.one(_BOUGHT, customer_id=customer_id) is not None


async def take_part(work: Work, plugin: str, ids: Sequence[UUID]) -> None:
    """Let a plugin take part in sales that were made while it was off: their reversal reaches it, on by then or not.

    The sales are held to the end of the deed: who voids, completes or gives one up meanwhile waits. Read them again
    afterwards: what was read before may have changed until they were held.
    """
    here = sa.and_(_S.business_id == work.business_id, _S.id.in_(ids))
    held = await work.execute(sa.select(_S.id, _S.plugins).where(here).order_by(_S.id).with_for_update())
    alike: dict[tuple[str, ...], list[UUID]] = {}
    for row in held.all():
        alike.setdefault(tuple(row.plugins), []).append(row.id)
    for plugins, some in alike.items():
        if plugin not in plugins:
            these = sa.and_(_S.business_id == work.business_id, _S.id.in_(some))
            await work.execute(sa.update(Sale).where(these).values(plugins=sorted({*plugins, plugin})))
