"""Gateways that are there, and the accounts of a business at them with their secrets opened."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel import sealing
from kernel.db import Configured
from kernel.hooks import HookSet
from kernel.work import Deployment, Work
from kernel.work.configuring import secret_names
from plugins.payments.errors import AccountNotUsable, UnknownGateway
from plugins.payments.hooks import payment_gateways, payment_methods
from plugins.payments.models import Account
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.schemas.values import Method

_T = Account.__table__
_ON = Configured(
    sa.select(_T)
    .where(
        _T.c.business_id == sa.bindparam("business_id"),
        _T.c.gateway == sa.bindparam("gateway"),
        _T.c.is_on.is_(True),
    )
    .order_by(_T.c.position, _T.c.id)
)
_SEALED = "sealed"
_PURPOSE = "gateway account"


@cache
def _offered(hooks: HookSet) -> Mapping[str, Gateway]:
    found: dict[str, Gateway] = {}
    for answer in hooks.offers(payment_gateways):
        for gateway in answer.value:
            found.setdefault(gateway.name, gateway)
    return found


def offered(work: Work) -> Mapping[str, Gateway]:
    """The gateways of the plugins that are on for the business: those that may be asked for money. By name."""
    return _offered(work.hooks)


def installed(deployment: Deployment) -> Mapping[str, Gateway]:
    """Every gateway that is installed. One that was switched off still ends what it has begun. By name."""
    return _offered(deployment.registry.hooks_for(deployment.registry.plugins))


def gateway_named(deployment: Deployment, name: str) -> Gateway:
    """An installed gateway. Raises UnknownGateway."""
    found = installed(deployment).get(name)
    if found is None:
        raise UnknownGateway(f"There is no gateway {name}")
    return found


def gateway_of(work: Work, method: Method) -> Gateway:
    """The gateway behind a method that is on for the business. Raises UnknownGateway."""
    found = offered(work).get(method.gateway or "")
    if found is None:
        raise UnknownGateway(f"{method.title} has no gateway that is on")
    return found


async def account_for(
    work: Work, gateway: Gateway, amount: int, location_id: uuid.UUID, register_id: uuid.UUID | None
) -> Any:
    """The account that takes an amount at a till: the first that is on and meant for the place.

    Returns its row. Raises AccountNotUsable where there is none.
    """
    for row in await work.recall(_ON, tuple, gateway=gateway.name):
        if not row.locations or str(location_id) in row.locations:
            return row
    raise AccountNotUsable(f"{gateway.title} is not set up here")


def known_methods(work: Work) -> dict[str, Method]:
    """Every way of paying that enabled plugins offer, by themselves or through their gateways; by code."""
    found: dict[str, Method] = {}
    for answer in work.hooks.offers(payment_methods):
        for method in answer.value:
            found.setdefault(method.code, method)
    for gateway in offered(work).values():
        for method in gateway.methods:
            found.setdefault(method.code, method)
    return found


def sealed_config(
    work: Work, account_id: uuid.UUID, kind: type[msgspec.Struct], values: Mapping[str, Any]
) -> dict[str, Any]:
    """What a business brought as it is stored: secrets sealed one by one."""
    secrets = secret_names(kind)
    return {
        name: _seal(work, account_id, name, value) if name in secrets and value is not None else value
        for name, value in values.items()
    }


def opened_config(deployment: Deployment, gateway: Gateway, row: Any) -> Any:
    """What a business brought, as the gateway declares it, secrets opened. Raises AccountNotUsable, SealBroken."""
    plain = {name: _open(deployment, row.id, name, value) for name, value in row.config.items()}
    known = {name: plain[name] for name in gateway.config.__struct_fields__ if name in plain}
    try:
        return msgspec.convert(known, gateway.config)
    except msgspec.ValidationError as fault:
        raise AccountNotUsable(f"{row.label}: {fault}") from fault


def _seal(work: Work, account_id: uuid.UUID, name: str, value: Any) -> dict[str, str]:
    text = sealing.seal(work.deployment.secrets, _PURPOSE, f"{account_id}/{name}", str(value))
    return {_SEALED: base64.b64encode(text).decode()}


def _open(deployment: Deployment, account_id: uuid.UUID, name: str, value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {_SEALED}:
        return sealing.unseal(deployment.secrets, _PURPOSE, f"{account_id}/{name}", base64.b64decode(value[_SEALED]))
    return value
