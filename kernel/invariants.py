"""What must always be true of the stored data, asked of the kernel and of every installed plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.hooks import Invariant, invariants
from kernel.work import Deployment

__all__ = ["Rule", "broken", "suspecting"]

AT_ONCE = 100
"""Rules in one statement; SQLite takes 500 parts at most."""
EVERY = ""
"""All businesses at once, for a login that sees the rows of all."""


@dataclass(frozen=True)
class Rule:
    """One invariant: a sentence, and the query that returns the rows which break it."""

    name: str
    broken_rows: str


OURS = (
    Rule(
        "every finished idempotency key has its answer",
        "SELECT business_id, route, key FROM kernel_idempotency WHERE status IS NULL OR body IS NULL",
    ),
    Rule(
        "every job has its payload",
        "SELECT j.business_id, j.id FROM kernel_job j LEFT JOIN kernel_job_payload p"
        " ON p.business_id = j.business_id AND p.job_id = j.id WHERE p.job_id IS NULL",
    ),
    Rule(
        "every member's role belongs to the same business",
        "SELECT m.business_id, m.user_id FROM kernel_membership m LEFT JOIN kernel_role r"
        " ON r.business_id = m.business_id AND r.id = m.role_id WHERE r.id IS NULL",
    ),
    Rule(
        "every audit chain is numbered from 1 without a gap",
        "SELECT business_id, count(*), max(number) FROM kernel_audit_seal GROUP BY business_id"
        " HAVING count(*) <> max(number) OR min(number) <> 1",
    ),
    Rule(
        "every seal is of an audit row that is there, once",
        "SELECT s.business_id, s.audit_id FROM kernel_audit_seal s LEFT JOIN kernel_audit a"
        " ON a.business_id = s.business_id AND a.id = s.audit_id GROUP BY s.business_id, s.audit_id"
        " HAVING count(*) > 1 OR count(a.id) = 0",
    ),
)


async def broken(deployment: Deployment) -> list[str]:
    """Run every invariant in one snapshot, above all businesses; returns those that do not hold, with a few rows.

    Needs a login that row-level security does not bind (a superuser, or a role with BYPASSRLS) on PostgreSQL; with
    another login each business is looked at in turn.
    """
    rules = _rules(deployment)
    engine = create_async_engine(deployment.settings.url, hide_parameters=True)
    found: list[str] = []
    try:
        async with engine.connect() as connection:
            businesses = await _blind_to(connection)
            if businesses == [EVERY]:
                rules = await _suspect(connection, rules)
            for rule in rules:
                for business in businesses:
                    rows = await _broken_rows(connection, rule.broken_rows, business)
                    if rows:
                        found.append(f"{rule.name}: {', '.join(str(tuple(row)) for row in rows)}")
    finally:
        await engine.dispose()
    return found


def suspecting(deployment: Deployment) -> list[str]:
    """Statements that return no row while every invariant holds, for a login that sees the rows of all businesses."""
    return _asked(_rules(deployment))


def _rules(deployment: Deployment) -> Sequence[Invariant]:
    hooks = deployment.registry.hooks_for(deployment.registry.plugins)
    return [*OURS, *(rule for answer in hooks.offers(invariants) for rule in answer.value)]


def _asked(rules: Sequence[Invariant]) -> list[str]:
    """Few statements that return the places of the rules which some row breaks."""
    asked = [f"SELECT {place} WHERE EXISTS ({rule.broken_rows})" for place, rule in enumerate(rules)]
    return [" UNION ALL ".join(asked[begin : begin + AT_ONCE]) for begin in range(0, len(asked), AT_ONCE)]


async def _suspect(connection: AsyncConnection, rules: Sequence[Invariant]) -> list[Invariant]:
    """The rules that some row breaks: a rule that holds, as nearly all do, needs no statement of its own."""
    places = [place for asked in _asked(rules) for place in (await connection.execute(sa.text(asked))).scalars()]
    return [rules[place] for place in sorted(places)]


async def _broken_rows(connection: AsyncConnection, query: str, business: str) -> list[sa.Row[*tuple[Any, ...]]]:
    """A few rows that break a rule. Of global tables a business's eyes see the others' rows too: those do not count."""
    if business == EVERY:
        return list((await connection.execute(sa.text(f"{query} LIMIT 3"))).all())
    await connection.execute(sa.text("SELECT set_config('app.business', :b, true)"), {"b": business})
    rows = (await connection.execute(sa.text(query))).all()
    return [row for row in rows if str(row._mapping.get("business_id", business)) == business][:3]


async def _blind_to(connection: AsyncConnection) -> list[str]:
    """The businesses to look at one by one; one empty name where the login sees all rows at once."""
    if connection.dialect.name != "postgresql":
        return [EVERY]
    await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    sees = await connection.execute(
        sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    )
    if sees.scalar_one():
        return [EVERY]
    rows = await connection.execute(sa.text("SELECT id::text FROM kernel_business ORDER BY id"))
    return [row[0] for row in rows.all()]
