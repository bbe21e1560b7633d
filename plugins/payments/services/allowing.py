"""Where a gateway may be used: by what operators allow in the region, and by what the business has set up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from kernel.db import Configured, Moment, Prepared
from kernel.money import show_amount
from kernel.work import Work
from plugins.payments.models import Account, Health, RegionGateway
from plugins.payments.rules import is_trial_till
from plugins.payments.schemas.capabilities import Span
from plugins.payments.schemas.gateways import Gateway, Mode
from plugins.payments.schemas.settings import Settings

_A, _R = Account.__table__, RegionGateway.__table__
_ON = Configured(
    sa.select(_A)
    .where(_A.c.business_id == sa.bindparam("business_id"), _A.c.is_on.is_(True))
    .order_by(_A.c.position, _A.c.id)
)
_ALLOWED = Prepared(
    sa.select(_R)
    .where(_R.c.region == sa.bindparam("region"), sa.or_(_R.c.is_on.is_(True), _R.c.rolled_back_at.is_not(None)))
    .order_by(_R.c.position, _R.c.gateway, _R.c.mode)
)

_RESTING = Prepared(
    sa.select(Health.account_id).where(
        Health.business_id == sa.bindparam("business_id"),
        Health.kind == "ask",
        Health.closed_until > sa.bindparam("now", type_=Moment),
    )
)

WhyNot = Literal["plugin_off", "not_set_up", "elsewhere", "region_off", "test_only", "currency", "amount", "trial"]
"""Why a gateway cannot be used: what a client may go by; the words beside it are for people."""


class At(NamedTuple):
    """Where a payment is to be taken, and how much in minor units; None: not known yet."""

    amount: int | None = None
    location_id: uuid.UUID | None = None
    register_id: uuid.UUID | None = None


class Refusal(NamedTuple):
    """Why there is no way."""

    why: WhyNot
    said: str


class Ground(NamedTuple):
    """What bears on every gateway of a business: switches of its region, accounts that are on, test mode or not."""

    region: str
    currency: str
    switches: Mapping[tuple[str, str], Any]
    accounts: Sequence[Any]
    takes_tests: bool


async def ground_of(work: Work) -> Ground:
    """How things stand as this deed sees them: the region's switches are read each time, and kept by no process."""
    rows = await work.fetch(_ALLOWED, region=work.shop.region)
    takes_tests = not work.deployment.settings.production or (await work.settings(Settings)).is_practice
    return Ground(
        work.shop.region,
        work.shop.currency,
        {(row.gateway, row.mode): row for row in rows},
        await work.recall(_ON, tuple),
        takes_tests,
    )


def ways(ground: Ground, gateway: Gateway, at: At) -> Sequence[Any] | Refusal:
    """The accounts that take an amount at a till, the first choice first; or why there is none.

    Each condition narrows what the one before it left; the one that leaves nothing is the reason.
    """
    left: Sequence[Any] = ground.accounts
    for why, passes, said in _steps(ground, gateway, at):
        passing = [row for row in left if passes(row)]
        if not passing:
            return Refusal(why, f"{gateway.title} {said(left)}")
        left = passing
    return sorted(left, key=lambda row: (ground.switches[row.gateway, row.mode].position, row.position, row.id))


async def best_of(work: Work, found: Sequence[Any]) -> Any:
    """The first of some accounts whose gateway answers; the first of all where none does, or there is only one."""
    if len(found) == 1:
        return found[0]
    resting = {row.account_id for row in await work.fetch(_RESTING, now=work.now)}
    return next((row for row in found if row.id not in resting), found[0])


Step = tuple[WhyNot, Callable[[Any], bool], Callable[[Sequence[Any]], str]]
"""Why nothing is left, whether an account passes, and the words for it, made of those that were left before."""


def _steps(ground: Ground, gateway: Gateway, at: At) -> Sequence[Step]:
    place, region = str(at.location_id), ground.region

    def span_of(row: Any) -> Span | None:
        return _span(ground, gateway, row.mode)

    return (
        ("not_set_up", lambda row: row.gateway == gateway.name, lambda _: "is not set up"),
        (
            "elsewhere",
            lambda row: at.location_id is None or not row.locations or place in row.locations,
            lambda _: "is not set up at this location",
        ),
        ("region_off", lambda row: _is_on(ground, row), lambda _: f"is switched off in {region}"),
        (
            "test_only",
            lambda row: row.mode == "live" or ground.takes_tests,
            lambda _: "is set up for tests only, which take no real sales",
        ),
        ("currency", lambda row: span_of(row) is not None, lambda _: f"takes no {ground.currency} in {region}"),
        (
            "amount",
            lambda row: at.amount is None or _fits(at.amount, span_of(row)),
            lambda left: f"takes {_in_words(span_of(left[0]), ground.currency, region)}",
        ),
        ("trial", lambda row: _is_tried(ground, row, at), lambda _: "is being tried at other tills first"),
    )


def _is_on(ground: Ground, row: Any) -> bool:
    switch = ground.switches.get((row.gateway, row.mode))
    return switch is not None and bool(switch.is_on)


def _is_tried(ground: Ground, row: Any, at: At) -> bool:
    """Whether a till may use it, where only some do. Without a till the location stands for one."""
    percent = ground.switches[row.gateway, row.mode].canary_percent
    till = at.register_id or at.location_id
    return percent is None or till is None or is_trial_till(till, row.gateway, percent)


def _span(ground: Ground, gateway: Gateway, mode: Mode) -> Span | None:
    """What may be paid at once: as the provider says, narrowed by the region; None: nothing in this currency."""
    switch = ground.switches[gateway.name, mode]
    own = next((span for span in gateway.capabilities.spans if span.currency == ground.currency), None)
    if own is None or switch.currency not in (None, ground.currency):
        return None
    most = min((one for one in (own.most, switch.most) if one is not None), default=None)
    return Span(own.currency, max(own.least, switch.least or 0), most, own.step)


def _fits(amount: int, span: Span | None) -> bool:
    if span is None or amount < span.least or amount % span.step:
        return False
    return span.most is None or amount <= span.most


def _in_words(span: Span | None, currency: str, region: str) -> str:
    if span is None:
        return "nothing"
    least = show_amount(span.least, currency, region)
    most = "" if span.most is None else f" to {show_amount(span.most, currency, region)}"
    step = "" if span.step == 1 else f", in steps of {show_amount(span.step, currency, region)}"
    return f"{least}{most or ' or more'}{step}"
