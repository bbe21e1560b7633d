"""One or two of everything that gateways leave behind, for tests that look at every table and every id."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from kernel.db import new_id
from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.models import (
    Account,
    Attempt,
    Health,
    Money,
    Operation,
    ProviderNotice,
    Review,
    SharedToken,
)

Text = Callable[[str], str]


async def fill_gateways(box: Box, shop: str, own: dict[str, str], text: Text = str) -> None:
    """Two accounts at a gateway that is not there, with their health, token, notices, money and reviews.

    text: makes a shop's own words of words. `own` is given `account_id`, `money_id`, `claims`, `review_id`.
    """
    for n in "12":
        own |= await box.act(lambda work, n=n: _leave(work, n, text), shop=shop)  # type: ignore[misc]


async def _leave(work: Work, n: str, text: Text) -> dict[str, str]:
    account_id, money_id, review_id, notice_id = new_id(), new_id(), new_id(), new_id()
    payment = sa.select(Attempt.id).where(Attempt.business_id == work.business_id).order_by(Attempt.id).limit(1)
    attempt_id: uuid.UUID = (await work.execute(payment)).scalar_one()
    work.session.add(
        Account(
            id=account_id,
            gateway="gone",
            label=text(f"account {n}"),
            mode="test",
            is_on=False,
            position=9,
            locations=[],
            config={},
            created_at=work.now,
        )
    )
    await work.session.flush()
    here = {"business_id": work.business_id, "account_id": account_id}
    await work.execute(sa.insert(Health).values(**here, kind="ask", failed_in_a_row=1, closings=0))
    await work.execute(sa.insert(SharedToken).values(**here, sealed=b"sealed", lapses_at=work.now))
    await work.execute(sa.insert(ProviderNotice).values(**here, id=notice_id, **_notice(work, n, text)))
    await work.execute(sa.insert(Money).values(**here, id=money_id, **_money(work, n, text)))
    sent = {"attempt_id": attempt_id, "kind": "ask", "state": "accepted", "created_at": work.now}
    await work.execute(sa.insert(Operation).values(business_id=work.business_id, id=new_id(), **sent))
    await work.execute(
        sa.insert(Review).values(
            business_id=work.business_id,
            id=review_id,
            kind="orphan",
            about=notice_id,
            notice_id=notice_id,
            words=text("nobody knows it"),
            state="open",
            opened_at=work.now,
        )
    )
    ids = {"account_id": account_id, "money_id": money_id, "claims": money_id, "review_id": review_id}
    return {name: str(id_) for name, id_ in ids.items()}


def _notice(work: Work, n: str, text: Text) -> dict[str, Any]:
    return {
        "gateway": "gone",
        "at": work.now,
        "http_method": "POST",
        "headers": {"content-type": "text/plain"},
        "query": {},
        "body": text(f"notice {n}").encode(),
        "digest": n * 64,
        "trust": "hint",
        "state": "orphan",
    }


def _money(work: Work, n: str, text: Text) -> dict[str, Any]:
    return {
        "money_key": text(f"M{n}"),
        "amount": 50_000,
        "currency": work.shop.currency,
        "payer": text("2547***1"),
        "reference": text(f"rent {n}"),
        "known_at": work.now,
        "known_by": "provider",
        "state": "unclaimed",
    }
