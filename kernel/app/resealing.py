"""All that is sealed, under the present secret key, so that a former one can be forgotten.

What each business keeps is one deed; told to stop in between, it is done again from the start, and does only the rest.
"""

from __future__ import annotations

import uuid

import msgspec
import sqlalchemy as sa

from kernel import sealing
from kernel.auth import act, look
from kernel.auth.credentials import Pin, SecondFactor
from kernel.auth.signing_in import pins, second_factor
from kernel.db.tables import Business, BusinessPlugin
from kernel.errors import DukaError
from kernel.hooks import resealing
from kernel.work import Deployment, Work, resealed
from kernel.work.configuring import SETTING


class Resealed(msgspec.Struct, frozen=True):
    """How many secrets were sealed anew. failed: slug of a business, or `people` → why nothing of theirs was."""

    second_factors: int
    pins: int
    settings: int
    of_plugins: dict[str, int]
    failed: dict[str, str]


async def reseal_all(deployment: Deployment) -> Resealed:
    """Seal under the present key what stands under a former one, of all businesses; nothing else is touched."""
    factors = of_pins = of_settings = 0
    of_plugins: dict[str, int] = {}
    failed: dict[str, str] = {}
    try:
        factors = await act(deployment, None, _factors, deed="reseal")
    except DukaError as fault:  # as below
        failed["people"] = str(fault)
    for business, slug in (await look(deployment, None, _businesses)).items():
        try:
            own_pins, own_settings, others = await act(deployment, business, _of_business, deed="reseal")
        except DukaError as fault:  # the others' are sealed all the same, and whoever asked is told
            failed[slug] = str(fault)
            continue
        of_pins, of_settings = of_pins + own_pins, of_settings + own_settings
        for plugin, count in others.items():
            of_plugins[plugin] = of_plugins.get(plugin, 0) + count
    return Resealed(factors, of_pins, of_settings, of_plugins, failed)


async def _businesses(work: Work) -> dict[uuid.UUID, str]:
    found = sa.select(Business.id, Business.slug).where(Business.deleted_at.is_(None)).order_by(Business.id)
    return {row.id: row.slug for row in (await work.execute(found)).all()}


async def _factors(work: Work) -> int:
    held = sa.select(SecondFactor.user_id, SecondFactor.sealed).order_by(SecondFactor.user_id).with_for_update()
    count = 0
    for row in (await work.execute(held)).all():
        fresh = sealing.reseal(work.deployment.secrets, second_factor.PURPOSE, row.sealed)
        if fresh is not None:
            here = SecondFactor.user_id == row.user_id
            await work.execute(sa.update(SecondFactor).where(here).values(sealed=fresh))
            count += 1
    work.audit(subject="secret-key:present", second_factors=count)
    return count


async def _of_business(work: Work) -> tuple[int, int, dict[str, int]]:
    own_pins, own_settings = await _pins(work), await _settings(work)
    registry = work.deployment.registry
    said = await registry.hooks_for(registry.plugins).tell(resealing, work=work)
    others = {answer.plugin: answer.value for answer in said}
    work.audit(subject=f"business:{work.business_id}", pins=own_pins, settings=own_settings, plugins=others)
    return own_pins, own_settings, others


async def _pins(work: Work) -> int:
    mine = Pin.business_id == work.business_id
    held = sa.select(Pin.user_id, Pin.sealed).where(mine).order_by(Pin.user_id).with_for_update()
    count = 0
    for row in (await work.execute(held)).all():
        fresh = sealing.reseal(work.deployment.secrets, pins.PURPOSE, row.sealed)
        if fresh is not None:
            await work.execute(sa.update(Pin).where(mine, Pin.user_id == row.user_id).values(sealed=fresh))
            count += 1
    return count


async def _settings(work: Work) -> int:
    mine = BusinessPlugin.business_id == work.business_id
    columns = (BusinessPlugin.plugin, BusinessPlugin.settings)
    held = sa.select(*columns).where(mine).order_by(BusinessPlugin.plugin).with_for_update()
    count = 0
    for row in (await work.execute(held)).all():
        stored = row.settings or {}
        fresh = resealed(work.deployment.secrets, SETTING, stored)
        if fresh:
            here = sa.and_(mine, BusinessPlugin.plugin == row.plugin)
            await work.execute(sa.update(BusinessPlugin).where(here).values(settings={**stored, **fresh}))
            count += len(fresh)
    return count
