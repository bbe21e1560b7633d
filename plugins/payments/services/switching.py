"""Switching gateways on and off in regions, above all businesses; it acts at the next checkout of every process."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

import sqlalchemy as sa

from kernel.errors import Invalid, NotFound
from kernel.money import CURRENCIES, BadDecimal, exponent, format_amount, parse_amount
from kernel.work import Deployment, Work
from plugins.payments.models import RegionGateway
from plugins.payments.schemas.gateways import Gateway, Mode
from plugins.payments.schemas.regions import SwitchIn, SwitchOut
from plugins.payments.services.accounts import installed

_R = RegionGateway.__table__
_SET = ("is_on", "currency", "least", "most", "position", "canary_percent")
OFF: Mapping[str, Any] = {
    **dict.fromkeys(("currency", "least", "most", "canary_percent", "canary_since", "rolled_back_at")),
    **dict.fromkeys(("rolled_back_why", "changed_at", "changed_by_name")),
    "is_on": False,
    "position": 1,
    "version": 0,
}
"""A switch that nobody has touched."""


class Where(NamedTuple):
    """What is switched."""

    region: str
    gateway: str
    mode: str


async def switches(work: Work) -> list[SwitchOut]:
    """Every gateway that is installed where it is offered, and what was said of others before they went."""
    gateways = installed(work.deployment)
    rows = map(_as_row, await work.execute(sa.select(_R)))
    known = {Where(row["region"], row["gateway"], row["mode"]): row for row in rows}
    offered = {
        Where(region, name, mode)
        for name, gateway in gateways.items()
        for region, mode in itertools.product(gateway.capabilities.regions, get_args(Mode))
    }
    order = sorted(offered | known.keys())
    return [_out(where, known.get(where, OFF), gateways.get(where.gateway)) for where in order]


async def switch(work: Work, where: Where, said: SwitchIn, *, expects_version: bool = True) -> SwitchOut:
    """Say how a gateway stands in a region. Raises NotFound, Invalid, PreconditionFailed.

    A trial begins when a percentage is said that was not; it goes on where only something else changes.
    """
    gateway = _gateway(work.deployment, where)
    before = await held(work, where)
    if expects_version:
        work.check_version(before["version"])
    values = _read(said)
    goes_on = before["is_on"] and before["canary_percent"] == said.canary_percent
    since = before["canary_since"] if goes_on else work.now
    values |= {
        "canary_since": None if said.canary_percent is None else since,
        "rolled_back_at": None,
        "rolled_back_why": None,
    }
    return _out(where, await write(work, where, before, values), gateway)


async def switch_off(work: Work, where: Where) -> SwitchOut:
    """Switch a gateway off in a region, all else as it was. Raises NotFound."""
    gateway = _gateway(work.deployment, where)
    return _out(where, await write(work, where, await held(work, where), {"is_on": False}), gateway)


async def write(work: Work, where: Where, before: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write a switch, and who threw it. before: its row, held, or `OFF`."""
    said = {**values, "changed_at": work.now, "changed_by_name": work.actor.name, "version": before["version"] + 1}
    if before["version"]:
        statement: Any = sa.update(RegionGateway).where(_here(where)).values(said)
    else:
        statement = sa.insert(RegionGateway).values({**OFF, **said, **where._asdict()})
    row = _as_row((await work.execute(statement.returning(*_R.c))).one())
    work.audit(subject=_subject(where), **{name: row[name] for name in _SET})
    work.changed(RegionGateway, "/".join(where), {name: before[name] for name in values}, values)
    return row


async def forget(work: Work, where: Where) -> None:
    """Take back what was said of a gateway in a region: it is off there. Raises NotFound."""
    before = await held(work, where)
    if not before["version"]:
        raise NotFound
    await work.execute(sa.delete(RegionGateway).where(_here(where)))
    work.audit(subject=_subject(where))
    work.changed(RegionGateway, "/".join(where), {name: before[name] for name in _SET}, None)


async def held(work: Work, where: Where) -> Mapping[str, Any]:
    """The row of a switch, held to the end of the deed; `OFF` where there is none."""
    await work.write()
    found = await work.execute(sa.select(_R).where(_here(where)).with_for_update())
    row = found.one_or_none()
    return OFF if row is None else _as_row(row)


def _as_row(row: Any) -> Mapping[str, Any]:
    said: Mapping[str, Any] = row._asdict()
    return said


def _gateway(deployment: Deployment, where: Where) -> Gateway:
    """The gateway, if it is offered there. Raises NotFound."""
    found = installed(deployment).get(where.gateway)
    if found is None or where.region not in found.capabilities.regions or where.mode not in get_args(Mode):
        raise NotFound(f"No gateway {where.gateway} is offered in {where.region} ({where.mode})")
    return found


def _read(said: SwitchIn) -> dict[str, Any]:
    """What is said, amounts in minor units. Raises Invalid."""
    if said.currency is not None and said.currency not in CURRENCIES:
        raise Invalid.at("/currency", "There is no such currency; ISO 4217", code="unknown")
    amounts = {name: _amount(said, name) for name in ("least", "most")}
    if amounts["least"] is not None and amounts["most"] is not None and amounts["least"] > amounts["most"]:
        raise Invalid.at("/most", "Less than the least amount")
    return {name: getattr(said, name) for name in _SET} | amounts


def _amount(said: SwitchIn, name: str) -> int | None:
    text = getattr(said, name)
    if text is None:
        return None
    if said.currency is None:
        raise Invalid.at(f"/{name}", "Say in which currency", code="required")
    try:
        return parse_amount(text, exponent(said.currency))
    except BadDecimal as fault:
        raise Invalid.at(f"/{name}", f"{said.currency} has {exponent(said.currency)} decimals") from fault


def _out(where: Where, row: Mapping[str, Any], gateway: Gateway | None) -> SwitchOut:
    def shown(amount: int | None) -> str | None:
        return None if amount is None else format_amount(amount, exponent(row["currency"]))

    return SwitchOut(
        where.region,
        where.gateway,
        gateway.title if gateway else None,
        where.mode,  # type: ignore[arg-type]
        row["is_on"],
        row["currency"],
        shown(row["least"]),
        shown(row["most"]),
        row["position"],
        row["canary_percent"],
        row["canary_since"],
        row["rolled_back_at"],
        row["rolled_back_why"],
        row["changed_at"],
        row["changed_by_name"],
        row["version"],
    )


def _subject(where: Where) -> str:
    return f"gateway:{'/'.join(where)}"


def _here(where: Where) -> sa.ColumnElement[bool]:
    parts: Sequence[Any] = [_R.c[name] == value for name, value in where._asdict().items()]
    return sa.and_(*parts)
