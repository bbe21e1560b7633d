"""All that is sealed, under the present secret key, so that a former one can be forgotten.

What each business keeps is one deed; told to stop in between, it is done again from the start, and does only the rest.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel import sealing
from kernel.auth import act, look
from kernel.auth.credentials import Pin, SecondFactor
from kernel.auth.signing_in import pins, second_factor
from kernel.db.tables import Business, BusinessPlugin, DeploymentSetting, LocationSetting
from kernel.errors import DukaError
from kernel.hooks import resealing
from kernel.work import Deployment, Work, resealed
from kernel.work.configuring import SETTING


class Resealed(msgspec.Struct, frozen=True):
    """How many secrets were sealed anew. failed: slug of a business, or `people` → why nothing of theirs was.

    `people` stands for what belongs to no business: second factors, and what operators have set.
    """

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
        factors, of_settings = await act(deployment, None, _above, deed="reseal")
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


async def _above(work: Work) -> tuple[int, int]:
    """What belongs to no business: people's second factors, and what operators have set."""
    settings = await _settings_in(work, DeploymentSetting, ("plugin",), sa.true())
    factors = await _factors(work)
    work.audit(subject="secret-key:present", second_factors=factors, settings=settings)
    return factors, settings


async def _factors(work: Work) -> int:
    held = sa.select(SecondFactor.user_id, SecondFactor.sealed).order_by(SecondFactor.user_id).with_for_update()
    count = 0
    for row in (await work.execute(held)).all():
        fresh = sealing.reseal(work.deployment.secrets, second_factor.PURPOSE, row.sealed)
        if fresh is not None:
            here = SecondFactor.user_id == row.user_id
            await work.execute(sa.update(SecondFactor).where(here).values(sealed=fresh))
            count += 1
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
    """The settings of a business and of its locations."""
    count = 0
    for model, keys in ((BusinessPlugin, ("plugin",)), (LocationSetting, ("location_id", "plugin"))):
        count += await _settings_in(work, model, keys, model.business_id == work.business_id)
    return count


async def _settings_in(work: Work, model: Any, keys: tuple[str, ...], mine: sa.ColumnElement[bool]) -> int:
    columns = [getattr(model, name) for name in keys]
    held = sa.select(*columns, model.settings).where(mine).order_by(*columns).with_for_update()
    count = 0
    for row in (await work.execute(held)).all():
        stored = row.settings or {}
        fresh = resealed(work.deployment.secrets, SETTING, stored)
        if fresh:
            here = [column == getattr(row, column.key) for column in columns]
            await work.execute(sa.update(model).where(mine, *here).values(settings={**stored, **fresh}))
            count += len(fresh)
    return count
