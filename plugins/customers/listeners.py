"""Answers to the kernel: what must hold of customers, and the people of a demo business."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kernel.app.recording import Recording
from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.work import Work
from plugins.customers.schemas import CustomerIn, GroupIn
from plugins.customers.services import PERSON, add_customer, add_group, customer, switch_off

_BUILDERS: Final = "plugins.customers.testing"
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


@answers
async def recorded(work: Work, recording: Recording) -> None:
    """The customer of the document under another name: of the person nothing is told but the group and the state.

    A customer's facts: `state`, where the document knows another; `ext`, what plugins kept with them at the time.
    """
    known = recording.wanted("group")
    for place, group in enumerate(known, start=1):
        recording.make(group, "group", f"{_BUILDERS}:a_group", f"group-{place}", f"Group {place}")
    for number, thing in enumerate(recording.wanted("customer"), start=1):
        facts = await customer(work, thing.id) if thing.id else None
        if facts is None:
            thing.expression = "None"
            continue
        own = None if facts.group_id is None else recording.want("group", facts.group_id)
        if own is not None and own not in known:
            known.append(own)
            recording.make(own, "group", f"{_BUILDERS}:a_group", f"group-{len(known)}", f"Group {len(known)}")
        name, state = f"Customer {number}", _state(facts.subdivision, work.shop.subdivision)
        said = {"subdivision": thing.facts.get("state", state), "ext": thing.facts.get("ext")}
        recording.make(thing, "customer", f"{_BUILDERS}:a_customer", name, group_id=own, **said)


def _state(theirs: str | None, ours: str | None) -> str | None:
    """Only whether it is the shop's own state or another: what is due to whom turns on nothing else."""
    return None if theirs is None or theirs == ours else theirs
