"""Secrets of accounts at gateways under the deployment's present key."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.work import Work, resealed
from plugins.payments.models import Account, SharedToken
from plugins.payments.services.accounts import PURPOSE

_A = Account.__table__.c


async def reseal_accounts(work: Work) -> int:
    """Seal anew what was sealed under a former key; how many secrets it was. Raises SealBroken.

    Access tokens are thrown away where something was: the next call fetches another.
    """
    await work.write()
    held = sa.select(_A.id, _A.config).where(_A.business_id == work.business_id).order_by(_A.id).with_for_update()
    count = 0
    for row in (await work.execute(held)).all():
        fresh = resealed(work.deployment.secrets, PURPOSE, row.config)
        if fresh:
            here = sa.and_(_A.business_id == work.business_id, _A.id == row.id)
            await work.execute(sa.update(Account).where(here).values(config={**row.config, **fresh}))
            count += len(fresh)
    if count:
        mine = SharedToken.business_id == work.business_id
        await work.execute(sa.update(SharedToken).where(mine).values(sealed=None, lapses_at=None))
    return count
