"""A read's BEGIN travels with its first statement, whichever way that is sent, and an error of either is told."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.db import Database, Phase, Prepared, Transaction, ahead
from kernel.settings import Settings

_HERE = Prepared(
    sa.select(
        sa.func.current_setting("app.business").label("business"),
        sa.func.current_setting("transaction_read_only").label("read_only"),
        sa.func.current_setting("transaction_isolation").label("isolation"),
        sa.func.txid_current_if_assigned().label("written"),
    )
)
_COUNT = Prepared(sa.select(sa.literal_column("1").label("n")))
_NUMBER = Prepared(sa.select((sa.bindparam("n", type_=sa.BigInteger()) + 1).label("n")))


pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest_asyncio.fixture
async def pooled(box_settings: Settings) -> AsyncIterator[Database]:
    """A database of which one connection is used again and again."""
    made = Database(box_settings.url, role=box_settings.database_role, pool_size=1)
    yield made
    await made.dispose()


async def _first(transaction: Transaction, statement: Prepared, **parameters: Any) -> Any:
    return (await transaction.fetch(statement, **parameters))[0]


async def test_the_first_statement_runs_for_the_business_in_a_snapshot_that_cannot_write(pooled: Database) -> None:
    business = uuid.uuid4()
    for _ in range(2):  # the connection is new, then taken again
        async with pooled.reading(business) as transaction:
            row = await _first(transaction, _HERE)
            assert (row.business, row.read_only, row.isolation) == (str(business), "on", "repeatable read")


async def test_the_role_without_ownership_is_taken_before_the_first_statement(pooled: Database) -> None:
    async with pooled.reading(uuid.uuid4()) as transaction:
        row = await _first(transaction, Prepared(sa.select(sa.literal_column("current_user::text").label("name"))))
        assert row.name == pooled.role


async def test_a_statement_of_sqlalchemys_begins_the_read_too(pooled: Database) -> None:
    business = uuid.uuid4()
    async with pooled.reading(business) as transaction:
        said = await transaction.execute(sa.text("SELECT current_setting('app.business'), now()"))
        first = said.one()
        again = (await transaction.fetch_raw("SELECT current_setting('app.business'), now()", []))[0]
        assert tuple(first) == tuple(again), "both stand in one transaction"


async def test_one_business_is_not_seen_by_the_next_on_the_same_connection(pooled: Database) -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    async with pooled.reading(one) as transaction:
        await _first(transaction, _HERE)
    async with pooled.reading(other) as transaction:
        assert (await _first(transaction, _HERE)).business == str(other)


async def test_a_read_that_asked_nothing_leaves_a_usable_connection(pooled: Database) -> None:
    for _ in range(3):
        async with pooled.reading(uuid.uuid4()):
            pass
    async with pooled.reading(uuid.uuid4()) as transaction:
        assert (await _first(transaction, _COUNT)).n == 1


async def test_a_refused_beginning_is_told_by_the_first_statement_and_the_next_read_works(pooled: Database) -> None:
    broken = Database(pooled.url, role="nobody_of_this_name", pool_size=1)
    try:
        for _ in range(2):
            with pytest.raises(Exception, match="nobody_of_this_name"):
                async with broken.reading(uuid.uuid4()) as transaction:
                    await _first(transaction, _COUNT)
        broken.role = pooled.role
        async with broken.reading(uuid.uuid4()) as transaction:
            assert (await _first(transaction, _COUNT)).n == 1
    finally:
        await broken.dispose()


async def test_a_first_statement_that_cannot_even_be_sent_leaves_a_usable_connection(pooled: Database) -> None:
    async with pooled.reading(uuid.uuid4()) as transaction:
        with pytest.raises(Exception, match=r"int64"):
            await _first(transaction, _NUMBER, n=2**80)
    business = uuid.uuid4()
    async with pooled.reading(business) as transaction:
        assert (await _first(transaction, _HERE)).business == str(business)


async def test_a_read_begun_anew_sees_what_was_committed_since(pooled: Database) -> None:
    transaction = await pooled.open(Phase.READ, uuid.uuid4())
    try:
        now = Prepared(sa.select(sa.func.now().label("at")))
        first = (await _first(transaction, now)).at
        assert (await _first(transaction, now)).at == first
        await transaction.begin(Phase.READ)
        assert (await _first(transaction, now)).at > first
    finally:
        await transaction.close()


async def test_without_what_is_sent_ahead_these_checks_fail(pooled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "send", lambda driver, message: None)
    async with pooled.reading(uuid.uuid4()) as transaction:
        row = await _first(
            transaction, Prepared(sa.select(sa.func.current_setting("app.business", True).label("said")))
        )
        assert not row.said
