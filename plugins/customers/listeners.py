"""Answers to the kernel: what must hold of customers, and the people of a demo business."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.work import Work
from plugins.customers.schemas import CustomerIn, GroupIn
from plugins.customers.services import PERSON, add_customer, add_group, switch_off

_DATA: Final = Path(__file__).parent / "data"
_GROUPS: Final = {"retail": "Retail", "wholesale": "Wholesale", "staff": "Staff"}

RULES: Final = (
    Rule(
        "every phone number is kept as E.164",
        "SELECT business_id, id FROM customers_customer WHERE phone IS NOT NULL"
        " AND (phone NOT LIKE '+%' OR phone LIKE '% %' OR length(phone) > 16)",
    ),
    Rule(
        "a customer's group is of the same business",
        "SELECT c.business_id, c.id FROM customers_customer c LEFT JOIN customers_group g"
        " ON g.business_id = c.business_id AND g.id = c.group_id WHERE c.group_id IS NOT NULL AND g.id IS NULL",
    ),
)


@answers
def invariants() -> Sequence[Invariant]:
    """What must hold of customers."""
    return RULES


@answers
async def erasing_person(work: Work, kind: str, person_id: uuid.UUID) -> None:
    """Switch the customer off; what their columns hold is erased by the kernel."""
    if kind == PERSON:
        await switch_off(work, person_id)


@answers
async def seed_demo(demo: Any) -> None:
    """Groups and thirty customers; their ids in `demo.notes["customers"]` for those who sell to them."""
    file = _DATA / f"demo_{demo.region}.json"
    if not file.exists():
        return
    people: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))

    async def run(work: Work) -> list[uuid.UUID]:
        groups = {code: (await add_group(work, GroupIn(code=code, name=name))).id for code, name in _GROUPS.items()}
        return [(await add_customer(work, _one(person, groups))).id for person in people]

    demo.notes["customers"] = await demo.act(run, role="manager")


def _one(person: dict[str, Any], groups: dict[str, uuid.UUID]) -> CustomerIn:
    return CustomerIn(
        name=person["name"],
        kind=person["kind"],
        phone=person["phone"],
        email=person["email"],
        tax_number=person["tax_number"],
        group_id=groups[person["group"]] if person["group"] else None,
    )
