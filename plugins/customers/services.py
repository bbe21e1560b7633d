"""Adding, changing and finding customers and their groups."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from msgspec import UNSET, UnsetType, structs

from kernel.custom import changed_values, conditions, custom_filter, new_values, write_keys
from kernel.db import Prepared, new_id
from kernel.errors import Invalid, NotFound
from kernel.tax_numbers import WrongTaxNumber, tax_number
from kernel.work import Work, change_sides, changed_ext, read_ext, reread_ext, stored_ext, write_sides
from plugins.customers import rules
from plugins.customers.models import Customer, Group
from plugins.customers.schemas import (
    EXTENSION,
    CustomerFacts,
    CustomerIn,
    CustomerPatch,
    CustomerQuery,
    GroupIn,
    GroupPatch,
)

PERSON: Final = "customer"
"""The kind of person that a customer is, to the kernel."""
_C, _G = Customer.__table__.c, Group.__table__.c
_FACTS = Prepared(
    sa.select(
        _C.id,
        _C.name,
        _C.kind,
        _C.phone,
        _C.group_id,
        _G.code.label("group_code"),
        _C.subdivision,
        _C.tax_number,
        _C.is_active,
        _C.ext,
    )
    .select_from(
        sa.outerjoin(
            Customer.__table__, Group.__table__, sa.and_(_G.business_id == _C.business_id, _G.id == _C.group_id)
        )
    )
    .where(_C.business_id == sa.bindparam("business_id"), _C.id == sa.bindparam("id"))
)


async def customer(work: Work, id_: uuid.UUID) -> CustomerFacts | None:
    """A customer of this business, active or not, as others need one; None when there is none."""
    row = await work.one(_FACTS, id=id_)
    if row is None:
        return None
    facts = CustomerFacts(*row)
    return structs.replace(facts, ext=reread_ext(work, EXTENSION, facts.ext))


async def known_group(work: Work, id_: uuid.UUID) -> bool:
    """Whether a group is there."""
    here = sa.select(_G.id).where(_G.business_id == work.business_id, _G.id == id_)
    return (await work.execute(here)).first() is not None


async def known_groups(work: Work, group_ids: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of some ids are groups of customers of this business."""
    found = await work.execute(sa.select(_G.id).where(_G.business_id == work.business_id, _G.id.in_(list(group_ids))))
    return frozenset(found.scalars())


async def known_customers(work: Work, ids: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of some ids are customers of this business."""
    found = await work.execute(sa.select(_C.id).where(_C.business_id == work.business_id, _C.id.in_(list(ids))))
    return frozenset(found.scalars())


async def add_customer(work: Work, data: CustomerIn) -> Customer:
    """Add a customer. Raises Invalid for a wrong number or an unknown group, AlreadyExists for a taken id."""
    given = structs.asdict(data)
    (custom,) = await new_values(work, EXTENSION, [data.custom], [""])
    ext = read_ext(work, EXTENSION, data.ext)
    values = given | {"id": data.id or new_id(), "ext": stored_ext(ext, EXTENSION), "custom": custom}
    added = Customer(**await _checked(work, values), created_at=work.now, version=1, search="")
    added.subdivision = added.subdivision or rules.place_of_supply(added.tax_number, work.shop.region)
    added.search = rules.search_text(added.name, added.phone, added.email, added.tax_number)
    work.session.add(added)
    await work.session.flush()
    await write_keys(work, EXTENSION, [(added.id, custom)], are_new=True)
    await write_sides(work, EXTENSION, [(added.id, ext)])
    work.audit(subject=f"customer:{added.id}")
    return added


async def change_customer(work: Work, id_: uuid.UUID, data: CustomerPatch) -> Customer:
    """Change a customer. Raises as adding one does, and NotFound, PreconditionFailed."""
    found = await work.get(Customer, id_, to_change=True)
    work.check_version(found.version)
    values = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    if "ext" in values:
        values["ext"] = changed_ext(work, EXTENSION, found.ext, values["ext"])
    if "custom" in values:
        values["custom"] = await changed_values(work, EXTENSION, found.custom, values["custom"])
    for name, value in (await _checked(work, values)).items():
        setattr(found, name, value)
    found.search = rules.search_text(found.name, found.phone, found.email, found.tax_number)
    found.version += 1
    await work.session.flush()
    if "custom" in values:
        await write_keys(work, EXTENSION, [(id_, found.custom)])
    if not isinstance(data.ext, UnsetType):
        await change_sides(work, EXTENSION, id_, data.ext)
    work.audit(subject=f"customer:{id_}", changed=sorted(values))
    return found


async def customers_like(work: Work, query: CustomerQuery) -> sa.Select[Any]:
    """The customers a query asks for. Raises Invalid for a filter that the shop's own fields do not have."""
    statement = sa.select(Customer.__table__).where(_C.business_id == work.business_id)
    for term in rules.search_terms(query.q or ""):
        statement = statement.where(_C.search.contains(term, autoescape=True))
    if query.phone is not None:
        statement = statement.where(_C.phone == _phone(work, query.phone, "?phone"))
    if query.group_id is not None:
        statement = statement.where(_C.group_id == query.group_id)
    if query.kind is not None:
        statement = statement.where(_C.kind == query.kind)
    if query.is_active is not None:
        statement = statement.where(_C.is_active.is_(query.is_active))
    custom = await custom_filter(work, EXTENSION, query.custom, query.ext)
    if own := conditions(EXTENSION, _C.id, custom.shape):
        statement = statement.where(*own).params(business_id=work.business_id, **custom.parameters)
    return statement


async def switch_off(work: Work, id_: uuid.UUID) -> None:
    """Let nothing more be sold to a customer."""
    here = sa.and_(Customer.business_id == work.business_id, Customer.id == id_)
    await work.execute(sa.update(Customer).where(here).values(is_active=False))


async def add_group(work: Work, data: GroupIn) -> Group:
    """Add a group. Raises AlreadyExists for a code in use."""
    added = Group(code=data.code, name=data.name, version=1)
    work.session.add(added)
    await work.session.flush()
    return added


async def change_group(work: Work, id_: uuid.UUID, data: GroupPatch) -> Group:
    """Change a group. Raises NotFound, PreconditionFailed, and AlreadyExists for a code in use."""
    found = await work.get(Group, id_, to_change=True)
    work.check_version(found.version)
    for name, value in structs.asdict(data).items():
        if value is not UNSET:
            setattr(found, name, value)
    found.version += 1
    await work.session.flush()
    return found


async def _checked(work: Work, values: dict[str, Any]) -> dict[str, Any]:
    """The values with numbers in their plain form. Raises Invalid at the first that is wrong."""
    checked = dict(values)
    if values.get("phone"):
        checked["phone"] = _phone(work, values["phone"], "/phone")
    if values.get("tax_number"):
        try:
            checked["tax_number"] = tax_number(values["tax_number"], work.shop.region)
        except WrongTaxNumber as fault:
            raise Invalid.at("/tax_number", str(fault)) from fault
    if values.get("group_id") and not await known_group(work, values["group_id"]):
        raise NotFound.at("/group_id", "There is no such group")
    return checked


def _phone(work: Work, text: str, pointer: str) -> str:
    try:
        return rules.phone_number(text, work.shop.region)
    except rules.WrongNumber as fault:
        raise Invalid.at(pointer, str(fault)) from fault
