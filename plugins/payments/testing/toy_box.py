"""How a test puts the toy gateway into a box, as a plugin of its own.

async with open_toy_box(box_settings, with_toy(registry)) as toy:
    toy.provider.next("ask", "lose")
    ...
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import structs

from kernel.auth import act
from kernel.auth.businesses.switching import enable
from kernel.db import Phase, new_id
from kernel.hooks import answers
from kernel.plugin import Plugin
from kernel.registry import Loaded, Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.testing.checking import faults
from kernel.work import Work
from plugins.payments.models import Account
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.schemas.regions import SwitchIn
from plugins.payments.schemas.told import Subject, Taken
from plugins.payments.services import cancel_payment, methods, take
from plugins.payments.services.accounts import sealed_config
from plugins.payments.services.line import lead_to
from plugins.payments.services.switching import Where, switch
from plugins.payments.testing.builders import A_BILL, a_place
from plugins.payments.testing.toy import HOST, Toy, ToyConfig
from plugins.payments.testing.toy_provider import SECRET, ToyProvider

PHONE = "254712345678"


def with_toy(registry: Registry, gateway: Gateway | None = None) -> Registry:
    """A registry with one more plugin, called `toy`, that offers the gateway."""
    offered = gateway or Toy()
    listeners = ModuleType("toy_listeners")

    def payment_gateways() -> Sequence[Gateway]:
        return (offered,)

    listeners.payment_gateways = answers(payment_gateways)  # type: ignore[attr-defined]
    manifest = Plugin("toy", "0.1.0", "Toy money", "A gateway for tests.", depends=("payments>=0.1",))
    own = Loaded(manifest, "plugins.payments.testing", Path(__file__).parent, listeners=listeners)
    return Registry([*registry.in_order(), own])


@dataclass(frozen=True)
class ToyBox:
    """A box in which the toy gateway is on, with an account at it in each shop."""

    box: Box
    provider: ToyProvider
    accounts: dict[str, uuid.UUID]


async def a_toy_account(
    box: Box, shop: str = "mama-njeri", *, label: str = "Toy", position: int = 1, **config: Any
) -> uuid.UUID:
    """An account at the toy gateway, secrets sealed; returns its id."""

    async def run(work: Work) -> uuid.UUID:
        id_ = new_id()
        values = {"secret": SECRET, "host": HOST, **config}
        work.session.add(
            Account(
                id=id_,
                gateway="toy",
                label=label,
                mode="test",
                is_on=True,
                position=position,
                locations=[],
                config=sealed_config(work, id_, ToyConfig, values),
                created_at=work.now,
            )
        )
        await work.session.flush()
        return id_

    return await box.act(run, shop=shop)


async def a_toy_payment(
    box: Box,
    amount: int = 25_000,
    *,
    phone: str = PHONE,
    subject: Subject | None = None,
    shop: str = "mama-njeri",
    ended: bool = False,
) -> uuid.UUID:
    """A payment by the toy gateway that a payer is asked for as soon as jobs run; returns its id.

    subject: a document of nobody's where none is given, each time another. ended: it was called back before that.
    """
    place, paid = await a_place(box, shop), subject or structs.replace(A_BILL, id=uuid.uuid4())

    async def run(work: Work) -> uuid.UUID:
        taken = Taken(methods(work)["toy"], amount, awaited=True, phone=phone)
        return (await take(work, paid, [taken], place))[0].id

    id_ = await box.act(run, role="cashier", shop=shop)
    if ended:
        await box.act(lambda work: cancel_payment(work, id_), shop=shop)
    return id_


async def allow(box: Box, gateway: str, region: str, mode: str = "test", **said: Any) -> None:
    """Switch a gateway on in a region, as an operator does; `is_on=False` switches it off."""
    where, wanted = Where(region, gateway, mode), SwitchIn(**{"is_on": True, **said})
    await act(box.deployment, None, lambda work: switch(work, where, wanted, expects_version=False), deed="test")


@contextlib.asynccontextmanager
async def open_toy_box(
    settings: Settings, registry: Registry, *, provider: ToyProvider | None = None
) -> AsyncIterator[ToyBox]:
    """A box with the toy gateway on for both shops. Afterwards every invariant must hold.

    registry: as `with_toy` made it. Make it once for many boxes: a fixture of the session.
    """
    box, provider = await open_box(settings, registry), provider or ToyProvider()
    lead_to(box.deployment, provider.app)
    accounts = {}
    for shop in box.shops:
        await box.act(lambda work: enable(work, "toy"), phase=Phase.SWITCH, shop=shop)
        accounts[shop] = await a_toy_account(box, shop)
        await allow(box, "toy", box.shops[shop].region)
    try:
        yield ToyBox(box, provider, accounts)
        if found := await faults(box.deployment):
            raise AssertionError(found)
    finally:
        await box.close()


async def a_paid_one(toy: ToyBox, amount: int = 25_000, subject: Subject = A_BILL) -> uuid.UUID:
    """A payment that the toy provider took, in minor units, and that was heard of; returns its id."""
    toy.provider.next("ask", "capture")
    payment_id = await a_toy_payment(toy.box, amount, subject=subject)
    await toy.box.run_jobs()
    return payment_id
