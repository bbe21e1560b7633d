"""An account made from variables of the environment that a gateway names, for a deployment that is one shop's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from msgspec import structs

from kernel.errors import Conflict
from kernel.settings import variables_of
from kernel.work import Work
from plugins.payments.errors import UnknownGateway
from plugins.payments.models import Account
from plugins.payments.schemas.accounts import AccountIn
from plugins.payments.schemas.gateways import Gateway, Mode
from plugins.payments.services.accounts import offered
from plugins.payments.services.setting_up import merged, open_account

LABEL: Final = "From the environment"
_MODES: Final[Mapping[str, Mode]] = {"live": "live", "production": "live", "test": "test", "sandbox": "test"}


async def adopt_account(work: Work, name: str, mode: Mode | None = None) -> dict[str, Any]:
    """Open the account that the environment describes, or bring the one up to date that was opened so before.

    mode: None goes by the gateway's own variable. Returns what was done, without what the variables hold. Raises
    UnknownGateway, Conflict where the environment says nothing, Invalid for what it says.
    """
    gateway = offered(work).get(name)
    if gateway is None:
        raise UnknownGateway(f"The business has no gateway {name} switched on")
    values = said_of(gateway)
    if not values:
        wanted = ", ".join(gateway.environment.values()) or "none"
        raise Conflict(f"None of the variables of {gateway.title} is set: {wanted}")
    known = await _known(work, name)
    done = {"gateway": name, "label": LABEL, "variables": sorted(gateway.environment[one] for one in values)}
    if known is None:
        said = AccountIn(gateway=name, label=LABEL, mode=mode or mode_of(gateway), config=values)
        row = await open_account(work, said)
        return done | {"mode": row.mode}
    if mode not in (None, known.mode):
        raise Conflict(f"Its account is for {known.mode}; give that one up, or open another over the API")
    known.config = merged(work, gateway, known.id, known.config, values)
    known.version += 1
    work.audit(subject=f"gateway_account:{known.id}", config=sorted(values))
    return done | {"mode": known.mode}


async def adopt_at_start(work: Work) -> list[str]:
    """Open accounts at gateways whose every needed variable is set, where the business has none; what was done."""
    said = []
    for gateway in offered(work).values():
        values = said_of(gateway)
        needed = {one.name for one in structs.fields(gateway.config) if one.required}
        if not values or not needed <= values.keys() or await _known(work, gateway.name, only_adopted=False):
            continue
        done = await adopt_account(work, gateway.name)
        where = f"--region {work.shop.region} --mode {done['mode']}"
        said.append(
            f"{gateway.title} has a {done['mode']} account, from {', '.join(done['variables'])}; "
            f"duka gateway enable {gateway.name} {where} lets it take money"
        )
    return said


def said_of(gateway: Gateway) -> dict[str, Any]:
    """The fields of a gateway's `config` that the environment names; as text, whole numbers and yes or no read."""
    found = variables_of(gateway.environment.values())
    kinds = {one.name: one.type for one in structs.fields(gateway.config)}
    return {
        field: _read(found[variable], kinds[field])
        for field, variable in gateway.environment.items()
        if variable in found
    }


def mode_of(gateway: Gateway) -> Mode:
    """What the gateway's variable says, test where it says nothing. Raises Conflict."""
    variable = gateway.environment_mode
    said = variables_of([variable] if variable else []).get(variable, "test").lower()
    if said not in _MODES:
        raise Conflict(f"{variable}: {said!r} is none of {', '.join(_MODES)}")
    return _MODES[said]


def _read(text: str, kind: Any) -> Any:
    while hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    if kind is int and text.isascii() and text.isdigit():
        return int(text)
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


async def _known(work: Work, gateway: str, *, only_adopted: bool = True) -> Any:
    """The account that was made from the environment, or any account of the gateway."""
    mine = sa.select(Account).where(Account.business_id == work.business_id, Account.gateway == gateway)
    if only_adopted:
        mine = mine.where(Account.label == LABEL)
    return (await work.session.execute(mine.limit(1))).scalars().first()
