"""A business's accounts at gateways: opening, changing and giving them up. Secrets are sealed before they are kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import Forbidden, InUse, Invalid, NotFound
from kernel.web import convert
from kernel.work import Work, secret_names
from plugins.payments.errors import AccountNotUsable, UnknownGateway
from plugins.payments.hooks import account_opened
from plugins.payments.models import Account, Attempt, Health, Money, ProviderNotice, SharedToken
from plugins.payments.schemas.accounts import AccountIn, AccountOut, AccountPatch
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.services.accounts import installed, offered, opened_config, sealed_config, ways_of
from plugins.payments.services.allowing import At, Ground, Refusal
from plugins.payments.services.paths import notify_url

MANAGE = "payments.manage_accounts"


def need_person(work: Work) -> None:
    """Raise Forbidden unless a person of the business acts who signed in with their password, or Duka itself.

    Where money goes is changed by no key, at no till, and by nobody who is only let in for a while.
    """
    actor = work.actor
    if actor.permissions is not None and (not actor.in_person or actor.supporting):
        raise Forbidden("Sign in with your password for this")


async def open_account(work: Work, said: AccountIn) -> Account:
    """Open an account at a gateway that is on. Raises UnknownGateway, Invalid at what is wrong."""
    need_person(work)
    places = await _places(work, said.location_ids)
    gateway = offered(work).get(said.gateway)
    if gateway is None:
        names = ", ".join(sorted(offered(work))) or "none"
        raise UnknownGateway.at("/gateway", f"Gateways that are switched on: {names}", code="unknown-gateway")
    if work.shop.region not in gateway.capabilities.regions:
        raise UnknownGateway.at("/gateway", f"{gateway.title} is not offered in {work.shop.region}")
    account_id = new_id()
    row = Account(
        id=account_id,
        gateway=gateway.name,
        label=said.label,
        mode=said.mode,
        is_on=said.is_on,
        position=said.position,
        locations=places,
        config=merged(work, gateway, account_id, {}, said.config),
        created_at=work.now,
    )
    work.session.add(row)
    work.audit(subject=f"gateway_account:{account_id}", gateway=gateway.name, config=sorted(said.config))
    await work.session.flush()
    await work.tell(account_opened, work=work, account_id=account_id)
    return row


async def change_account(work: Work, account_id: uuid.UUID, said: AccountPatch) -> Account:
    """Change an account. Raises NotFound, Invalid, PreconditionFailed."""
    need_person(work)
    row = await account_of(work, account_id, to_change=True)
    work.check_version(row.version)
    for name in ("label", "is_on", "position"):
        if (value := getattr(said, name)) is not UNSET:
            setattr(row, name, value)
    if said.location_ids is not UNSET:
        row.locations = await _places(work, said.location_ids)
    if said.config is not UNSET:
        gateway = installed(work.deployment).get(row.gateway)
        if gateway is None:
            raise UnknownGateway.at("/config", f"{row.gateway} is not installed any more")
        row.config = merged(work, gateway, row.id, row.config, said.config)
        row.tested_at = row.tested_as = None
        work.audit(config=sorted(said.config))
    row.version += 1
    work.audit(subject=f"gateway_account:{account_id}")
    return row


async def give_up_account(work: Work, account_id: uuid.UUID) -> None:
    """Delete an account by which nothing was ever paid. Raises NotFound, PreconditionFailed, InUse."""
    need_person(work)
    row = await account_of(work, account_id, to_change=True)
    work.check_version(row.version)
    for table in (Attempt.__table__, Money.__table__, ProviderNotice.__table__):
        used = sa.select(sa.literal(1)).where(table.c.business_id == work.business_id, table.c.account_id == row.id)
        if (await work.execute(used.limit(1))).first() is not None:
            raise InUse("Payments were made by it, which it is still needed for; switch it off instead")
    for model in (Health, SharedToken):
        own = sa.and_(model.business_id == work.business_id, model.account_id == row.id)
        await work.execute(sa.delete(model).where(own))
    await work.session.delete(row)
    work.audit(subject=f"gateway_account:{account_id}", gateway=row.gateway, label=row.label)


async def renew_path(work: Work, account_id: uuid.UUID) -> Account:
    """Make the addresses at which the provider leaves word anew; the former ones are worth nothing from now on."""
    need_person(work)
    row = await account_of(work, account_id, to_change=True)
    row.generation += 1
    row.version += 1
    work.audit(subject=f"gateway_account:{account_id}", generation=row.generation)
    return row


async def account_of(work: Work, account_id: uuid.UUID, *, to_change: bool = False) -> Account:
    """An account, for those who work wherever it takes money. Raises NotFound."""
    row = await work.get(Account, account_id, to_change=to_change)
    if not sees(work, row):
        raise NotFound
    return row


def sees(work: Work, row: Any) -> bool:
    """Whether the actor works at every location at which an account takes money."""
    if work.actor.locations is None:
        return True
    return bool(row.locations) and all(work.actor.works_at(uuid.UUID(one)) for one in row.locations)


def shown(work: Work, ground: Ground, row: Any) -> AccountOut:
    """An account as it may be seen: of secrets only whether they are set."""
    gateway = installed(work.deployment).get(row.gateway)
    secrets = secret_names(gateway.config) if gateway else row.config.keys()
    values = {name: value for name, value in row.config.items() if name not in secrets}
    return AccountOut(
        row.id,
        row.gateway,
        gateway.title if gateway else None,
        row.label,
        row.mode,
        row.is_on,
        row.position,
        list(map(uuid.UUID, row.locations)),
        {**_defaults(gateway), **values} if gateway else {},
        {name: row.config.get(name) is not None for name in sorted(secrets)},
        notify_url(work.deployment, work.business_id, "account", row.id, row.generation),
        _why_not(work, ground, gateway, row),
        row.tested_at,
        row.tested_as,
        row.created_at,
        row.version,
    )


def _why_not(work: Work, ground: Ground, gateway: Gateway | None, row: Any) -> str | None:
    if gateway is None:
        return f"{row.gateway} is not installed"
    if not row.is_on:
        return "It is switched off"
    found = ways_of(work, ground._replace(accounts=(row,)), gateway, At())
    return found.said if isinstance(found, Refusal) else None


def _defaults(gateway: Gateway) -> dict[str, Any]:
    """What fields that nobody set stand at, secrets and those without a default apart."""
    fields = msgspec.structs.fields(gateway.config)
    secrets = secret_names(gateway.config)
    return {
        one.name: msgspec.to_builtins(one.default if one.default is not msgspec.NODEFAULT else one.default_factory())
        for one in fields
        if not one.required and one.name not in secrets
    }


def merged(
    work: Work, gateway: Gateway, account_id: uuid.UUID, stored: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """What is stored with what is given, checked as a whole, secrets sealed. Raises Invalid at what is wrong."""
    fields = {one.name: one for one in msgspec.structs.fields(gateway.config)}
    if unknown := sorted(given.keys() - fields.keys()):
        raise Invalid.at(f"/config/{unknown[0]}", f"{gateway.title} asks for no such thing", code="unknown")
    for name, value in given.items():
        if value is not None:
            convert(value, fields[name].type, f"/config/{name}")
    kept = {name: value for name, value in stored.items() if name not in given}
    fresh = {name: value for name, value in given.items() if value is not None}
    after = kept | sealed_config(work, account_id, gateway.config, fresh)
    if missing := [name for name, one in fields.items() if one.required and name not in after]:
        raise Invalid.at(f"/config/{missing[0]}", f"{gateway.title} needs this", code="required")
    try:
        opened_config(work.deployment, gateway, Account(id=account_id, label="config", config=after))
    except AccountNotUsable as fault:  # what the gateway's own check says of the whole
        raise Invalid.at("/config", str(fault.__cause__)) from fault
    return after


async def _places(work: Work, ids: Sequence[uuid.UUID]) -> list[str]:
    """Locations of the business at which the actor works. Raises Invalid, NotFound, Elsewhere."""
    if not ids and work.actor.locations is not None:
        raise Invalid.at("/location_ids", "Name the locations: you do not work at all of them", code="required")
    for place, one in enumerate(ids):
        work.check_location(one, f"/location_ids/{place}")
    known = sa.select(Location.id).where(Location.business_id == work.business_id, Location.id.in_(ids))
    there = set((await work.execute(known)).scalars()) if ids else set()
    for place, one in enumerate(ids):
        if one not in there:
            raise NotFound.at(f"/location_ids/{place}", "There is no such location")
    return [str(one) for one in dict.fromkeys(ids)]
