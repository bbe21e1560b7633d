"""What a provider's statement tells: accounts that have one, the way to it, and the money on it, heard as all other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct

from kernel.db import new_id
from kernel.errors import NotFound
from kernel.work import Work
from plugins.payments.errors import AccountNotUsable, AlreadyClaimed, NotAwaited, UnknownGateway
from plugins.payments.models import Account, Attempt, Money
from plugins.payments.rules import REFUND_FACTS
from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.schemas.statements import Statemented, Statements
from plugins.payments.services.accounts import gateway_named, installed, opened_config
from plugins.payments.services.cleaning import split
from plugins.payments.services.finding import find_payment
from plugins.payments.services.hearing import hear
from plugins.payments.services.line import AccountLine
from plugins.payments.services.money import fresh_money, noting
from plugins.payments.services.paths import notify_url

_A, _C, _M = Attempt.__table__.c, Account.__table__.c, Money.__table__.c
AT_ONCE: Final = 500


class StatedAccount(Struct, frozen=True):
    """An account of the business at a gateway; statements: what they are like where its provider gives any."""

    id: uuid.UUID
    gateway: str
    title: str
    label: str
    methods: tuple[str, ...]
    statements: Statements | None


class StatementWay(Struct, frozen=True):
    """The way to the statements of an account. To be used with no transaction open."""

    gateway: Statemented
    line: AccountLine
    statements: Statements


async def stated_accounts(work: Work) -> list[StatedAccount]:
    """The accounts of the business at gateways that are installed, on or off. Opens no secret."""
    gateways = installed(work.deployment)
    found = sa.select(Account.__table__).where(_C.business_id == work.business_id).order_by(_C.id)
    return [
        StatedAccount(
            row.id,
            row.gateway,
            gateway.title,
            row.label,
            tuple(one.code for one in gateway.methods),
            gateway.statements if isinstance(gateway, Statemented) else None,
        )
        for row in await work.execute(found)
        if (gateway := gateways.get(row.gateway)) is not None
    ]


async def statement_way(work: Work, account_id: uuid.UUID) -> StatementWay:
    """The way to the statements of an account. Raises NotFound, UnknownGateway, AccountNotUsable, SealBroken."""
    found = sa.select(Account.__table__).where(_C.business_id == work.business_id, _C.id == account_id)
    row = (await work.execute(found)).one_or_none()
    if row is None:
        raise NotFound
    gateway = gateway_named(work.deployment, row.gateway)
    if not isinstance(gateway, Statemented):
        raise UnknownGateway(f"{gateway.title} gives no statements")
    if not gateway.states(opened_config(work.deployment, gateway, row)):
        raise AccountNotUsable(f"{row.label} is not set up to give statements")
    notify = notify_url(work.deployment, work.business_id, "account", row.id, row.generation)
    line = AccountLine(work.deployment, work.business_id, row, gateway, region=work.shop.region, notify=notify)
    return StatementWay(gateway, line, gateway.statements)


async def number_writer(work: Work, account_id: uuid.UUID | None) -> Callable[[str], str]:
    """How numbers of an account's money are written by its provider, whoever wrote them down; None: as they are."""
    accounts = [one for one in await stated_accounts(work) if one.id == account_id]
    gateway = installed(work.deployment)[accounts[0].gateway] if accounts else None

    def write(said: str) -> str:
        try:
            return said if gateway is None else gateway.number(said)
        except ValueError:
            return said

    return write


async def hear_statement(work: Work, account_id: uuid.UUID, facts: Sequence[GatewayFact]) -> None:
    """Take in money that a statement of an account tells of, at most 500 facts: it wins as from any other source.

    What belongs to a payment is heard of it; other money stands in the tray of incoming payments. Refunds of payments
    that are known are recorded, though they were made elsewhere; others say nothing.
    """
    assert len(facts) <= AT_ONCE  # noqa: S101 - the caller goes by batches
    await work.write()
    sound, _ = split(facts)
    whose = await _whose(work, account_id, sound)
    heard: dict[uuid.UUID, list[GatewayFact]] = {}
    for fact, payment_id in zip(sound, whose, strict=True):
        if payment_id is not None:
            heard.setdefault(payment_id, []).append(fact)
    for payment_id in sorted(heard):
        await hear(work, payment_id, heard[payment_id], "statement")
    unknown = [fact for fact, payment_id in zip(sound, whose, strict=True) if payment_id is None]
    await _put_in_tray(work, account_id, unknown)


async def put_onto(work: Work, account_id: uuid.UUID, money_key: str, subject_id: uuid.UUID) -> uuid.UUID:
    """Put money of the tray onto an open document, as a payment of its own; returns the payment's id.

    Raises NotFound for money or a document that is not there, AlreadyClaimed, and NotAwaited where the document wants
    no money any more.
    """
    await work.write()
    here = sa.and_(_M.business_id == work.business_id, _M.account_id == account_id, _M.money_key == money_key)
    money = (await work.execute(sa.select(Money.__table__).where(here).with_for_update())).one_or_none()
    same = sa.and_(_A.business_id == work.business_id, _A.subject_id == subject_id)
    like = (await work.execute(sa.select(Attempt.__table__).where(same).order_by(_A.id).limit(1))).one_or_none()
    if money is None or like is None:
        raise NotFound
    work.check_location(like.location_id, "/subject_id")
    if money.attempt_id is not None or money.state != "unclaimed":
        raise AlreadyClaimed
    payment_id = await _declare(work, account_id, money, like)
    fact = GatewayFact(
        kind="captured",
        key=money_key,
        money_key=money_key,
        amount=money.amount,
        currency=money.currency,
        fee=money.fee,
        ids=money.provider_ids or {},
        payer=money.payer,
    )
    await hear(work, payment_id, [fact], "statement")
    found = sa.select(_A.applied).where(_A.business_id == work.business_id, _A.id == payment_id)
    if not (await work.execute(found)).scalar_one():
        raise NotAwaited("This document waits for no money")
    return payment_id


async def _whose(work: Work, account_id: uuid.UUID, facts: Sequence[GatewayFact]) -> list[uuid.UUID | None]:
    """The payment of each fact: by our reference, by the number that was typed or told, else by the provider's ids."""
    references = sorted({fact.reference for fact in facts if fact.reference})
    numbers = sorted({fact.money_key for fact in facts if fact.money_key})
    mine = sa.and_(_A.business_id == work.business_id, _A.account_id == account_id)
    found = sa.select(_A.id, _A.merchant_ref, _A.reference).where(
        mine, sa.or_(_A.merchant_ref.in_(references), _A.reference.in_(numbers))
    )
    rows = (await work.execute(found.order_by(_A.id.desc()))).all()
    by_reference = {row.merchant_ref: row.id for row in rows if row.merchant_ref}
    by_number = {row.reference: row.id for row in rows if row.reference}
    whose: list[uuid.UUID | None] = []
    for fact in facts:
        payment_id = by_number.get(fact.money_key) or by_reference.get(fact.reference)
        if fact.kind in REFUND_FACTS or (payment_id is None and fact.ids):
            payment_id = await find_payment(work, account_id, fact)
        whose.append(payment_id)
    return whose


async def _put_in_tray(work: Work, account_id: uuid.UUID, facts: Sequence[GatewayFact]) -> None:
    """Note money by its number, of twins the first: one statement cannot put the same row right twice."""
    rows: dict[str, dict[str, Any]] = {}
    for fact in facts:
        if fact.kind == "captured" and fact.money_key and fact.amount is not None:
            fresh = fresh_money(work, account_id, fact, "statement", fact.amount, work.shop.currency)
            rows.setdefault(fact.money_key, fresh)
    if rows:
        await work.execute(noting(work, proves=True).values(list(rows.values())))


async def _declare(work: Work, account_id: uuid.UUID, money: Any, like: Any) -> uuid.UUID:
    """A payment that waits for money which is there already, for the document of another one."""
    account = next((one for one in await stated_accounts(work) if one.id == account_id), None)
    if account is None:
        raise UnknownGateway("The gateway of this money is not installed")
    mode = (await work.execute(sa.select(_C.mode).where(_C.business_id == work.business_id, _C.id == account_id))).one()
    method = next(iter(account.methods), like.method)
    payment_id = new_id()
    fresh = {
        "id": payment_id,
        "method": method,
        "kind": "other",
        "gateway": account.gateway,
        "mode": mode.mode,
        "account_id": account_id,
        "amount": money.amount,
        "currency": money.currency,
        "tendered": None,
        "change": 0,
        "state": "created",
        "captured": 0,
        "refundable": 0,
        "applied": 0,
        "merchant_ref": None,
        "provider_ids": None,
        "payer_phone": None,
        "reference": None,
        "show": None,
        "fault": None,
        "expires_at": None,
        "next_ask_at": None,
        "asks": 0,
        "asked_at": None,
        "taken_at": work.now,
        "taken_by": work.actor.id,
        "taken_by_name": work.actor.name,
        "flags": [],
        "version": 1,
    }
    values = {column.name: getattr(like, column.name) for column in _A}
    await work.execute(sa.insert(Attempt).values(values | fresh))
    return payment_id
