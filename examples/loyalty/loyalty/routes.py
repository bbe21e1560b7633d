"""Points over the API."""

from __future__ import annotations

from uuid import UUID

from kernel.web import query
from kernel.wire import Page
from kernel.work import Work
from loyalty import services
from loyalty.schemas import BalanceOut, BalancesOf, EntryOut, EntryQuery, SummaryOut


@query("/summary", permission="loyalty.see")
async def get_summary(work: Work) -> SummaryOut:
    """What all customers have together."""
    return await services.sum_up(work)


@query("/customers/{customer_id}", permission="loyalty.see")
async def get_balance(work: Work, customer_id: UUID) -> BalanceOut:
    """What a customer has."""
    return await services.find_balance(work, customer_id)


@query("/balances", method="POST", permission="loyalty.see")
async def list_balances(work: Work, data: BalancesOf) -> list[BalanceOut]:
    """What several customers have; who never had any is left out."""
    return await services.find_balances(work, data.customer_ids)


@query("/customers/{customer_id}/entries", permission="loyalty.see")
async def list_entries(work: Work, customer_id: UUID, query: EntryQuery) -> Page[EntryOut]:
    """What changed a customer's points, newest first."""
    return await services.list_entries(work, customer_id, query)
