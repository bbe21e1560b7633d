"""A business's accounts at gateways over the API, and the gateways it may open them at."""

from __future__ import annotations

import uuid
from typing import Any, get_args

import msgspec
import sqlalchemy as sa

from kernel.errors import Forbidden, InUse, RateLimited
from kernel.money import exponent, format_amount
from kernel.sealing import SealBroken
from kernel.web import Scene, command, flow, page, query
from kernel.wire import Page, Reply
from kernel.work import Work
from plugins.payments.errors import AccountNotUsable, UnknownGateway
from plugins.payments.models import Account, Health, RegionGateway
from plugins.payments.schemas.accounts import (
    AccountIn,
    AccountOut,
    AccountPatch,
    AccountQuery,
    AllowedOut,
    GatewayOut,
    GatewaysOut,
    HealthOut,
    TrialOut,
)
from plugins.payments.schemas.gateways import Gateway, Mode
from plugins.payments.services import setting_up, trying
from plugins.payments.services.accounts import offered
from plugins.payments.services.allowing import ground_of
from plugins.payments.services.setting_up import MANAGE

_A, _H, _R = Account.__table__.c, Health.__table__.c, RegionGateway.__table__.c
_HERE = "/api/v1/payments/accounts"


@query("/accounts", permission=MANAGE)
async def list_accounts(work: Work, query: AccountQuery) -> Page[AccountOut]:
    """The accounts of the business at gateways."""
    statement: sa.Select[Any] = sa.select(Account.__table__).where(_A.business_id == work.business_id)
    if query.gateway is not None:
        statement = statement.where(_A.gateway == query.gateway)
    ground = await ground_of(work)
    found = await page(work, statement, query, order=[_A.id], make=lambda row: row)
    items = [setting_up.shown(work, ground, row) for row in found.items if setting_up.sees(work, row)]
    return Page(items, found.next_cursor, found.total)


@query("/accounts/{account_id}", permission=MANAGE)
async def get_account(work: Work, account_id: uuid.UUID) -> Reply[AccountOut]:
    """One account at a gateway."""
    return await _shown(work, await setting_up.account_of(work, account_id))


@command("POST", "/accounts", permission=MANAGE, errors=(UnknownGateway, Forbidden))
async def open_account(work: Work, data: AccountIn) -> Reply[AccountOut]:
    """Open an account at a gateway, for somebody who signed in with their password.

    Secrets are sealed and never answered. Money is taken by it once operators have switched the gateway on in the
    region of the business, in the account's mode.
    """
    row = await setting_up.open_account(work, data)
    await work.session.flush()
    told = await _shown(work, row)
    return Reply(told.value, version=told.version, location=f"{_HERE}/{row.id}")


@command("PATCH", "/accounts/{account_id}", permission=MANAGE, errors=(UnknownGateway, Forbidden))
async def change_account(work: Work, account_id: uuid.UUID, data: AccountPatch) -> Reply[AccountOut]:
    """Change an account, or switch it off or on. It acts at the next checkout; payments under way go on."""
    return await _shown(work, await setting_up.change_account(work, account_id, data))


@command("DELETE", "/accounts/{account_id}", permission=MANAGE, conditional=True, errors=(InUse, Forbidden))
async def delete_account(work: Work, account_id: uuid.UUID) -> None:
    """Delete an account by which nothing was ever paid; any other is switched off instead."""
    await setting_up.give_up_account(work, account_id)


@flow(
    "POST",
    "/accounts/{account_id}/check",
    permission=MANAGE,
    status=200,
    errors=(RateLimited, Forbidden, AccountNotUsable, SealBroken, UnknownGateway),
)
async def check_account(scene: Scene, account_id: uuid.UUID) -> TrialOut:
    """Try an account without moving money; at most twenty times in a quarter of an hour."""
    return await trying.check_account(scene, account_id)


@flow(
    "POST",
    "/accounts/{account_id}/enrol",
    permission=MANAGE,
    status=200,
    errors=(RateLimited, Forbidden, AccountNotUsable, SealBroken, UnknownGateway),
)
async def enrol_account(scene: Scene, account_id: uuid.UUID) -> TrialOut:
    """Tell the provider where to send its notices, where it can be told."""
    return await trying.enrol_account(scene, account_id)


@command("POST", "/accounts/{account_id}/renew-path", permission=MANAGE, status=200, errors=(Forbidden,))
async def renew_path(work: Work, account_id: uuid.UUID) -> Reply[AccountOut]:
    """Give the account another address for notices, since the present one leaked. Tell the provider, or enrol anew."""
    return await _shown(work, await setting_up.renew_path(work, account_id))


@query("/gateways", permission=MANAGE)
async def list_gateways(work: Work) -> GatewaysOut:
    """The gateways that are switched on: what they can, what they ask for, what the region allows, how they fare."""
    allowed = (await work.execute(sa.select(RegionGateway.__table__).where(_R.region == work.shop.region))).all()
    joined = sa.and_(_H.business_id == _A.business_id, _H.account_id == _A.id)
    columns = (_A.gateway, _A.label, _A.locations, *(_H[name] for name in HealthOut.__struct_fields__ if name in _H))
    fares = sa.select(*columns).join(Health.__table__, joined).where(_A.business_id == work.business_id)
    health = (await work.execute(fares.order_by(_A.position, _A.id, _H.kind))).all()
    return GatewaysOut(
        [
            GatewayOut(
                one.name,
                one.title,
                [method.code for method in one.methods],
                one.capabilities,
                msgspec.json.schema(one.config),
                [_allowed(one, mode, allowed) for mode in get_args(Mode)],
                [_health(row) for row in health if row.gateway == one.name and setting_up.sees(work, row)],
            )
            for one in offered(work).values()
        ]
    )


async def _shown(work: Work, row: Account) -> Reply[AccountOut]:
    return Reply(setting_up.shown(work, await ground_of(work), row), version=row.version)


def _allowed(gateway: Gateway, mode: Mode, rows: Any) -> AllowedOut:
    row = next((one for one in rows if (one.gateway, one.mode) == (gateway.name, mode)), None)
    if row is None:
        return AllowedOut(mode, False, None, None, None, None, None)
    least, most = (
        None if amount is None else format_amount(amount, exponent(row.currency)) for amount in (row.least, row.most)
    )
    return AllowedOut(mode, row.is_on, row.currency, least, most, row.canary_percent, row.rolled_back_why)


def _health(row: Any) -> HealthOut:
    return HealthOut(**{name: getattr(row, name) for name in HealthOut.__struct_fields__})
