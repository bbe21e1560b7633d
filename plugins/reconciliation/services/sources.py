"""Who states money: accounts at gateways by themselves, banks and terminals as the business says."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import new_id, upsert
from kernel.errors import AlreadyExists, Fault, Invalid, NotFound
from kernel.work import Work
from plugins.payments.api import StatedAccount, methods, stated_accounts
from plugins.reconciliation.models import Import, Source
from plugins.reconciliation.rules.layouts import Layout
from plugins.reconciliation.schemas.sources import SourceIn, SourceOut, SourcePatch

_S: Final = Source.__table__


async def ensure_sources(work: Work) -> list[StatedAccount]:
    """Make a source of every account at a gateway that has none yet; returns the accounts that can be fetched from."""
    await work.write()
    accounts = await stated_accounts(work)
    known = {row.id for row in await work.execute(sa.select(_S.c.id).where(_S.c.business_id == work.business_id))}
    for account in accounts:
        if account.id not in known:
            name = f"{account.title}: {account.label}"[:200]
            row = _fresh(work, account.id, name, account_id=account.id, **_manners(work, account))
            await work.execute(upsert(work.deployment.database, Source).values(row).on_conflict_do_nothing())
    return [account for account in accounts if account.statements is not None]


async def add_source(work: Work, data: SourceIn) -> Source:
    """Add a bank account or a terminal whose statements come as files. Raises AlreadyExists, Invalid, NotFound."""
    await _check(work, data.methods, data.location_id)
    _check_zone(data.zone)
    await _check_name(work, data.name)
    id_ = data.id or new_id()
    row = _fresh(
        work,
        id_,
        data.name,
        methods=data.methods,
        is_bank=data.is_bank,
        zone=data.zone or work.shop.zone,
        grace_days=data.grace_days,
        location_id=data.location_id,
        layout=None if data.layout is None else msgspec.to_builtins(data.layout),
    )
    source = Source(**row)
    work.session.add(source)
    await work.session.flush()
    work.audit(subject=f"source:{id_}", name=data.name)
    return source


async def change_source(work: Work, source_id: uuid.UUID, data: SourcePatch) -> Source:
    """Change who states what. Raises NotFound, AlreadyExists, Invalid."""
    source = await work.get(Source, source_id, to_change=True)
    work.check_version(source.version)
    said = {name: getattr(data, name) for name in data.__struct_fields__ if getattr(data, name) is not msgspec.UNSET}
    if source.account_id is not None and (barred := said.keys() & {"methods", "is_bank", "location_id"}):
        raise Invalid.at(f"/{sorted(barred)[0]}", "An account at a gateway states its own money, wherever it was taken")
    await _check(work, said.get("methods", []), said.get("location_id"))
    _check_zone(said.get("zone"))
    if said.get("name", source.name) != source.name:
        await _check_name(work, said["name"])
    if "layout" in said:
        said["layout"] = None if said["layout"] is None else msgspec.to_builtins(said["layout"])
    for name, value in said.items():
        setattr(source, name, value)
    source.version += 1
    work.audit(subject=f"source:{source_id}")
    await work.session.flush()
    return source


def source_out(row: Any) -> SourceOut:
    """A source as it is answered."""
    return SourceOut(
        row.id,
        row.name,
        row.account_id,
        row.location_id,
        list(row.methods),
        row.is_bank,
        row.is_on,
        row.zone,
        row.grace_days,
        None if row.layout is None else msgspec.convert(row.layout, Layout),
        row.fetched_at,
        row.fetched_until,
        row.last_fault,
    )


def _fresh(work: Work, id_: uuid.UUID, name: str, **said: Any) -> dict[str, Any]:
    return {
        "business_id": work.business_id,
        "id": id_,
        "name": name,
        "account_id": None,
        "location_id": None,
        "methods": [],
        "is_bank": False,
        "is_on": True,
        "zone": work.shop.zone,
        "grace_days": 2,
        "layout": None,
        "created_at": work.now,
        "version": 1,
    } | said


def _manners(work: Work, account: StatedAccount) -> dict[str, Any]:
    """By whose clock an account's days run, and after how many of them a payment must be stated."""
    said = account.statements
    if said is None:
        return {"zone": work.shop.zone}
    return {"zone": said.zone, "grace_days": min(30, math.ceil(said.complete_after / dt.timedelta(days=1)))}


async def _check(work: Work, codes: list[str], location_id: uuid.UUID | None) -> None:
    known = methods(work)
    for place, code in enumerate(codes):
        if code not in known:
            raise Invalid.at(f"/methods/{place}", "No plugin that is on offers this method")
        if known[code].is_cash:
            raise Invalid.at(f"/methods/{place}", "Nobody states cash; note its deposits at the bank")
    if location_id is not None:
        try:
            await work.get(Location, location_id)
        except NotFound as fault:
            raise NotFound.at("/location_id", "There is no such location") from fault


def _check_zone(zone: str | None) -> None:
    if zone is not None and zone not in available_timezones():
        raise Invalid.at("/zone", "There is no such time zone")


async def _check_name(work: Work, name: str) -> None:
    here = sa.select(_S.c.id).where(_S.c.business_id == work.business_id, _S.c.name == name)
    if (await work.execute(here)).first() is not None:
        raise AlreadyExists("There is a source of this name", faults=[Fault("/name", AlreadyExists.code)])


async def count_applying(work: Work) -> int:
    """How many files are being taken in."""
    here = sa.and_(Import.business_id == work.business_id, Import.state == "applying")
    found: int = (await work.execute(sa.select(sa.func.count()).select_from(Import).where(here))).scalar_one()
    return found
