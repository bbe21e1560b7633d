"""Customers and their groups over the API."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.custom import custom_fields, shown_values
from kernel.errors import AlreadyExists, StillOpen
from kernel.personal import EraseRequest, Erasure, archive, check_there, erase_person
from kernel.web import Scene, command, flow, gathered, page, query, sorting
from kernel.wire import Download, Page, Reply
from kernel.work import Work, with_sides
from plugins.customers import services
from plugins.customers.models import Customer, Group
from plugins.customers.schemas import (
    EXTENSION,
    CustomerIn,
    CustomerOut,
    CustomerPatch,
    CustomerQuery,
    GroupIn,
    GroupOut,
    GroupPatch,
    GroupQuery,
)

_SORTS = {"name": Customer.name, "created_at": Customer.created_at}


@query("/customers", permission="customers.see")
async def list_customers(work: Work, query: CustomerQuery) -> Page[CustomerOut]:
    """The customers of the business.

    `q` finds them by parts of name, phone, e-mail and tax number; all of its words must be found.
    """
    column, descending = sorting(query.sort, _SORTS)
    statement = await services.customers_like(work, query)
    listed: Page[Any] = await page(
        work, statement, query, order=[column, Customer.id], make=lambda row: row, descending=descending
    )
    return Page(await _customers(work, listed.items), listed.next_cursor, listed.total)


@query("/customers/{customer_id}", permission="customers.see")
async def get_customer(work: Work, customer_id: uuid.UUID) -> Reply[CustomerOut]:
    """One customer."""
    found = await work.get(Customer, customer_id)
    return Reply(await _customer(work, found), version=found.version)


@command("POST", "/customers", permission="customers.edit", errors=(AlreadyExists,))
async def add_customer(work: Work, data: CustomerIn) -> Reply[CustomerOut]:
    """Add a customer.

    Phones are kept as E.164 and may be shared. The client may choose the id; an id that is taken is refused.
    """
    added = await services.add_customer(work, data)
    return Reply(await _customer(work, added), version=1, location=f"/api/v1/customers/customers/{added.id}")


@command("PATCH", "/customers/{customer_id}", permission="customers.edit")
async def change_customer(work: Work, customer_id: uuid.UUID, data: CustomerPatch) -> Reply[CustomerOut]:
    """Change a customer, or switch them off."""
    changed = await services.change_customer(work, customer_id, data)
    return Reply(await _customer(work, changed), version=changed.version)


@flow("GET", "/customers/{customer_id}/personal-data", permission="customers.export_person")
async def export_person(scene: Scene, customer_id: uuid.UUID) -> Download:
    """Everything known about a customer: their record, and every sale, payment and other row that is theirs."""

    async def note(work: Work) -> None:
        await check_there(work, services.PERSON, customer_id)
        work.audit(subject=f"customer:{customer_id}")

    await scene.deed(note)
    pieces = archive(scene.deployment, services.PERSON, customer_id, [scene.standing.business_id])
    return Download(await gathered(pieces), "application/json", "personal-data.json")


@command("POST", "/customers/{customer_id}/erase", permission="customers.erase", status=200, errors=(StillOpen,))
async def erase_customer(work: Work, customer_id: uuid.UUID, data: EraseRequest) -> Erasure:
    """Erase a customer's personal data, for good.

    A pseudonym stands where their name stood; documents keep their figures and numbers. Refused while something of
    theirs is open.
    """
    return await erase_person(work, services.PERSON, customer_id, reason=data.reason)


@query("/groups", permission="customers.see")
async def list_groups(work: Work, query: GroupQuery) -> Page[GroupOut]:
    """The groups of customers."""
    statement: sa.Select[Any] = sa.select(Group.__table__).where(Group.business_id == work.business_id)
    if query.code is not None:
        statement = statement.where(Group.code == query.code)
    return await page(work, statement, query, order=[Group.code, Group.id], make=_group)


@query("/groups/{group_id}", permission="customers.see")
async def get_group(work: Work, group_id: uuid.UUID) -> Reply[GroupOut]:
    """One group."""
    found = await work.get(Group, group_id)
    return Reply(_group(found), version=found.version)


@command("POST", "/groups", permission="customers.edit", errors=(AlreadyExists,))
async def add_group(work: Work, data: GroupIn) -> Reply[GroupOut]:
    """Add a group of customers."""
    added = await services.add_group(work, data)
    return Reply(_group(added), version=1, location=f"/api/v1/customers/groups/{added.id}")


@command("PATCH", "/groups/{group_id}", permission="customers.edit", errors=(AlreadyExists,))
async def change_group(work: Work, group_id: uuid.UUID, data: GroupPatch) -> Reply[GroupOut]:
    """Change a group's code or name."""
    changed = await services.change_group(work, group_id, data)
    return Reply(_group(changed), version=changed.version)


async def _customer(work: Work, row: Customer) -> CustomerOut:
    return (await _customers(work, [row]))[0]


async def _customers(work: Work, rows: Sequence[Any]) -> list[CustomerOut]:
    """Stored customers, as models or rows."""
    fields = await custom_fields(work, EXTENSION)
    exts = await with_sides(work, EXTENSION, {row.id: row.ext for row in rows})
    return [
        CustomerOut(
            row.id,
            row.kind,
            row.name,
            row.phone,
            row.email,
            row.tax_number,
            row.group_id,
            row.subdivision,
            row.address,
            row.note,
            row.is_active,
            row.created_at,
            exts[row.id],
            shown_values(fields, row.custom),
        )
        for row in rows
    ]


def _group(row: Any) -> GroupOut:
    return GroupOut(row.id, row.code, row.name)
