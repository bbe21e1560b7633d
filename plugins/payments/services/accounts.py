"""Gateways that are there, and the accounts of a business at them with their secrets opened."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from kernel.sealing import seal, unseal
from kernel.work import Deployment, Work, secret_names
from plugins.payments.errors import AccountNotUsable, GatewayUnavailable, UnknownGateway
from plugins.payments.hooks import payment_gateways, payment_methods
from plugins.payments.schemas.accounts import UnavailableOut
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.schemas.values import Method
from plugins.payments.services.allowing import At, Ground, Refusal, best_of, ground_of, ways

_SEALED = "sealed"
PURPOSE = "gateway account"


@cache
def _offered(hooks: Any) -> Mapping[str, Gateway]:
    found: dict[str, Gateway] = {}
    for answer in hooks.offers(payment_gateways):
        for gateway in answer.value:
            found.setdefault(gateway.name, gateway)
    return found


@cache
def _plugin_of(hooks: Any) -> Mapping[str, str]:
    """Gateway → the plugin that offers it."""
    found: dict[str, str] = {}
    for answer in hooks.offers(payment_gateways):
        for gateway in answer.value:
            found.setdefault(gateway.name, answer.plugin)
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
    work: Work, gateway: Gateway, amount: int | None, location_id: uuid.UUID, register_id: uuid.UUID | None
) -> Any:
    """The account that takes an amount at a till: what the region lets be used there, in the order of fallback.

    amount: None for any. Returns its row. Raises GatewayUnavailable, saying why and what else is open.
    """
    at, ground = At(amount, location_id, register_id), await ground_of(work)
    found = ways_of(work, ground, gateway, at)
    if isinstance(found, Refusal):
        raise GatewayUnavailable(found.said, gateway.name, found.why, open_methods(work, ground, at))
    return await best_of(work, found)


def ways_of(work: Work, ground: Ground, gateway: Gateway, at: At) -> Sequence[Any] | Refusal:
    """As `ways`, for a gateway whose plugin may be off for the business, or on its way out."""
    if gateway.name not in offered(work):
        return Refusal("plugin_off", f"{gateway.title} is not switched on")
    if work.is_draining(_plugin_of(work.hooks)[gateway.name]):
        return Refusal("plugin_off", f"{gateway.title} is being switched off")
    return ways(ground, gateway, at)


def open_methods(work: Work, ground: Ground, at: At) -> list[str]:
    """The codes of the methods by which an amount may be paid at a till."""
    gateways = offered(work)
    return [
        code
        for code, method in known_methods(work).items()
        if method.gateway is None
        or (method.gateway in gateways and not isinstance(ways_of(work, ground, gateways[method.gateway], at), Refusal))
    ]


async def asked_methods(work: Work, amount: int | None, location_id: uuid.UUID) -> list[Method]:
    """The methods by a gateway by which a payer may be asked for an amount at a location, in the order they show."""
    gateways, at = offered(work), At(amount, location_id)
    if not gateways:
        return []
    ground = await ground_of(work)
    return [
        method
        for method in known_methods(work).values()
        if (gateway := gateways.get(method.gateway or ""))
        and not isinstance(ways_of(work, ground, gateway, at), Refusal)
    ]


async def sorted_out(
    work: Work, location_id: uuid.UUID | None, register_id: uuid.UUID | None
) -> tuple[list[Method], list[UnavailableOut]]:
    """The methods that can be used at a place, and those that cannot. Reads nothing where no gateway is on."""
    gateways, at = offered(work), At(None, location_id, register_id)
    usable: list[Method] = []
    unavailable: list[UnavailableOut] = []
    ground = await ground_of(work) if gateways else None
    for method in known_methods(work).values():
        gateway = gateways.get(method.gateway or "")
        if method.gateway is None:
            usable.append(method)
        elif ground is None or gateway is None:
            unavailable.append(UnavailableOut(method.code, "plugin_off", f"{method.title} has no gateway"))
        elif isinstance(found := ways_of(work, ground, gateway, at), Refusal):
            unavailable.append(UnavailableOut(method.code, found.why, found.said))
        else:
            usable.append(method)
    return usable, unavailable


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


def step_of_gateway(work: Work, method: Method) -> int:
    """What amounts by a method are multiples of at its provider, in minor units; 1 where it has none."""
    gateway = offered(work).get(method.gateway or "")
    spans = gateway.capabilities.spans if gateway else ()
    return next((span.step for span in spans if span.currency == work.shop.currency), 1)


def is_confirmed_by_hand(work: Work, method: Method) -> bool:
    """Whether a person says that money by a method has come, since its provider does not."""
    gateway = offered(work).get(method.gateway or "")
    return gateway is not None and gateway.capabilities.confirmed_by_hand


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
    text = seal(work.deployment.secrets, PURPOSE, f"{account_id}/{name}", str(value))
    return {_SEALED: base64.b64encode(text).decode()}


def _open(deployment: Deployment, account_id: uuid.UUID, name: str, value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {_SEALED}:
        return unseal(deployment.secrets, PURPOSE, f"{account_id}/{name}", base64.b64decode(value[_SEALED]))
    return value
