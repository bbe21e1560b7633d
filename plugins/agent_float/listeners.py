"""What must hold of an agent's lines, and the agent of the demo."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.plugin import Obligation
from kernel.work import Work
from plugins.agent_float.models import AgentLine, Balance
from plugins.agent_float.rules import COUNTED
from plugins.agent_float.services.demo import Demo, serve_for_a_week

_INVARIANTS = (
    Rule(
        "what stands on a line is the sum of its entries",
        "SELECT b.line_id FROM agent_float_balance b LEFT JOIN agent_float_entry e"
        " ON e.business_id = b.business_id AND e.line_id = b.line_id"
        " GROUP BY b.business_id, b.line_id, b.amount HAVING b.amount <> COALESCE(SUM(e.amount), 0)",
    ),
    Rule(
        "what was counted at a closing is the sum of all entries up to that day, so nothing has moved on it since",
        "SELECT c.id FROM agent_float_closing c LEFT JOIN agent_float_entry e"
        " ON e.business_id = c.business_id AND e.line_id = c.line_id AND e.business_date <= c.business_date"
        " GROUP BY c.business_id, c.id, c.counted, c.expected, c.variance"
        " HAVING c.counted <> COALESCE(SUM(e.amount), 0) OR c.expected + c.variance <> c.counted",
    ),
    Rule(
        "a day opens with what was counted at the closing before",
        "SELECT c.id FROM agent_float_closing c LEFT JOIN agent_float_closing p"
        " ON p.business_id = c.business_id AND p.line_id = c.line_id AND p.business_date = (SELECT MAX(x.business_date)"
        " FROM agent_float_closing x WHERE x.business_id = c.business_id AND x.line_id = c.line_id"
        " AND x.business_date < c.business_date) WHERE c.opening <> COALESCE(p.counted, 0)",
    ),
    Rule(
        "served customers and transfers move what they say",
        "SELECT t.id FROM agent_float_transaction t LEFT JOIN agent_float_entry e"
        " ON e.business_id = t.business_id AND e.transaction_id = t.id"
        " GROUP BY t.business_id, t.id, t.kind, t.fee HAVING COUNT(e.id) = 0"
        " OR (t.kind IN ('deposit', 'withdrawal', 'transfer') AND (COUNT(e.id) <> 2 OR SUM(e.amount) <> -t.fee))",
    ),
    Rule(
        "no counted line stands below nothing",
        "SELECT b.line_id FROM agent_float_balance b JOIN agent_float_line l"
        " ON l.business_id = b.business_id AND l.id = b.line_id WHERE l.kind <> 'bank' AND b.amount < 0",
    ),
)


@answers
def invariants() -> Sequence[Invariant] | None:
    """What must hold of an agent's lines."""
    return _INVARIANTS


@answers
async def obligations(work: Work) -> Sequence[Obligation]:
    """Lines on which money stands."""
    full = (
        sa.select(sa.func.count())
        .select_from(AgentLine)
        .join(Balance, sa.and_(Balance.business_id == AgentLine.business_id, Balance.line_id == AgentLine.id))
        .where(AgentLine.business_id == work.business_id, AgentLine.kind.in_(sorted(COUNTED)), Balance.amount > 0)
    )
    count = (await work.execute(full)).scalar_one()
    return (Obligation("lines", "Agent lines on which money stands", count, "Take the money off them"),)


@answers(trylast=True)  # so that the chances of everybody else's demo stay as they are
async def seed_demo(demo: Demo) -> None:
    """An agent beside the shop, for a week."""
    await serve_for_a_week(demo)
