"""A storm of notices: what a provider, its network and a forger send of many payments, ten messages of each.

Every message that is honest may come any number of times, in any order, days late. What each payment must come to is
known beforehand.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.payments.api import PaymentIn
from plugins.payments.models import Attempt, Event, Money, ProviderNotice, Review
from plugins.payments.services.paths import Thing, notify_url
from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.testing.toy_provider import SECRET, SIGNATURE, sign
from plugins.payments.tests.looking import rows
from plugins.sales.models import Sale
from plugins.sales.schemas.requests import LineIn, SaleIn
from plugins.sales.services import complete_sale

OTHERS = "the secret of another account"
Kind = Literal["amount", "currency", "account", "business", "number"]
KINDS: tuple[Kind, ...] = ("amount", "currency", "account", "business", "number")
"""What is wrong with one message of each payment, by turns."""


@dataclass(frozen=True)
class Message:
    """One request to a path for notices. late: it comes after three days. expected: how it is answered."""

    path: str
    body: bytes
    headers: dict[str, str]
    expected: int = 200
    late: bool = False


@dataclass
class Paid:
    """A payment that waits, as its provider has it, and what is wrong with one message about it."""

    id: uuid.UUID
    sale_id: uuid.UUID
    provider_id: str
    reference: str
    number: str
    wrong: Kind
    amount: int = 38_000

    def said(self, **more: Any) -> dict[str, Any]:
        """What its provider says of it. more: number, amount, currency other than they are."""
        money = [{"number": more.get("number", self.number), "amount": more.get("amount", self.amount)}]
        about = {"id": self.provider_id, "reference": self.reference, "status": "captured", "code": ""}
        return {"payment": {**about, "money": money, "currency": more.get("currency", "KES")}}


@dataclass
class Storm:
    """Payments, the unasked money beside them, and all messages about both."""

    toy: ToyBox
    payments: list[Paid] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def path(self, thing: Thing, id_: uuid.UUID, shop: str = "mama-njeri") -> str:
        """The path at which word is left about a payment or an account."""
        box = self.toy.box
        url = notify_url(box.deployment, box.shops[shop].id, thing, id_, 1 if thing == "account" else 0)
        return "/api" + url.partition("/api")[2]

    def note(self, message: Message, status: int) -> None:
        """Note how a message was answered."""
        self.answers[status] += 1
        if status != message.expected:
            self.wrong.append(f"{message.path[-8:]}: {status}, expected {message.expected}")


async def brew(toy: ToyBox, payments: int, seed: int = 8) -> Storm:
    """Make sales that wait for the toy's money, and every message about them, shuffled."""
    storm, box = Storm(toy), toy.box
    product, place = await a_product(box, price="380.00", track_stock=False), await box.location()
    paying = PaymentIn(method="toy", amount="380.00", phone="0712345678")
    sale = SaleIn(location_id=place, lines=[LineIn(product_id=product, quantity="1")], payments=[paying])
    for _ in range(payments):
        await box.act(lambda work: complete_sale(work, sale), role="cashier")
    await box.run_jobs()
    for n, row in enumerate(await rows(box, Attempt)):
        known = row.provider_ids["payment"]
        storm.payments.append(Paid(row.id, row.subject_id, known, row.merchant_ref, f"R{n:06d}", KINDS[n % len(KINDS)]))
    for n in range(max(1, payments // 20)):
        storm.unasked.append(f"U{n:06d}")
    for n, paid in enumerate(storm.payments):
        storm.messages += _about(storm, paid, storm.payments[n - 1])
    for number in storm.unasked:
        body = {"unasked": {"number": number, "amount": 38_000, "currency": "KES", "reference": "", "phone": "2547"}}
        storm.messages += [_signed(storm.path("account", toy.accounts["mama-njeri"]), body)] * 6
    random.Random(seed).shuffle(storm.messages)
    return storm


def _about(storm: Storm, paid: Paid, other: Paid) -> Iterable[Message]:
    """The ten messages about a payment: eight honest ones, two forgeries at least; one of the ten is wrong."""
    here, all_ = storm.path("payment", paid.id), storm.path("account", storm.toy.accounts["mama-njeri"])
    true = paid.said()
    yield from [_signed(here, true)] * 4
    yield _signed(all_, true)
    yield _signed(here, true, late=True)
    yield _signed(here, true, indent=2)
    body = msgspec.json.encode(true)
    yield _forged(here, msgspec.json.format(body, indent=4), sign(SECRET, body))
    forged = msgspec.json.encode(paid.said(number=f"F{paid.number}"))
    yield _forged(here, forged, sign("a guess", forged))
    if paid.wrong == "amount":
        yield _signed(here, paid.said(number=f"W{paid.number}", amount=paid.amount + 10_000))
    elif paid.wrong == "currency":
        yield _signed(here, paid.said(number=f"C{paid.number}", currency="USD"))
    elif paid.wrong == "account":
        yield _forged(all_, body, sign(OTHERS, body))
    elif paid.wrong == "business":
        yield _signed(storm.path("account", storm.toy.accounts["sharma-kirana"], "sharma-kirana"), true)
    else:
        yield _signed(here, paid.said(number=other.number), late=True)


def _signed(path: str, said: Any, *, indent: int = 0, late: bool = False) -> Message:
    body = msgspec.json.format(msgspec.json.encode(said), indent=indent) if indent else msgspec.json.encode(said)
    return Message(path, body, {SIGNATURE: sign(SECRET, body)}, late=late)


def _forged(path: str, body: bytes, signature: str) -> Message:
    return Message(path, body, {SIGNATURE: signature}, expected=401)


async def faults_after(storm: Storm) -> list[str]:
    """What did not come out as it must."""
    box = storm.toy.box
    found = list(storm.wrong)
    attempts, money, reviews = [await rows(box, model) for model in (Attempt, Money, Review)]
    credited = Counter(one.reference for one in attempts if one.captured)
    by_id = {one.id: one for one in attempts}
    sales = {row.id: row for row in await rows(box, Sale)}
    kept = {one.money_key: one for one in money}
    for paid in storm.payments:
        row, number = by_id[paid.id], paid.number
        if credited[number] != 1 or kept[number].attempt_id is None or row.captured == 0:
            found.append(f"{number} was credited {credited[number]} times")
        if sales[paid.sale_id].status != "completed" or sales[paid.sale_id].paid != paid.amount:
            found.append(f"the sale of {number} is {sales[paid.sale_id].status}")
    if any(number.startswith("F") for number in (*kept, *filter(None, credited))):
        found.append("a forgery was credited")
    found += [f"{number} is credited to more than one payment" for number in await credited_twice(box)]
    found += await _unreviewed(storm, reviews, by_id)
    if {number for number, one in kept.items() if one.attempt_id is None} != set(storm.unasked):
        found.append("the tray holds other money than nobody asked for")
    unread = Counter(row.state for row in await rows(box, ProviderNotice))
    if unread.keys() - {"read", "refused"}:
        found.append(f"notices stand {dict(unread)}")
    return found


async def _unreviewed(storm: Storm, reviews: Sequence[Any], by_id: dict[uuid.UUID, Any]) -> list[str]:
    """Mismatches that nobody is asked about."""
    theirs = {one.money_key for one in await rows(storm.toy.box, Money, "sharma-kirana") if one.attempt_id is None}
    asked = {(by_id[one.attempt_id].subject_id, one.kind) for one in reviews if one.attempt_id}
    found = [] if any(one.kind == "forged" for one in reviews) else ["nobody is asked about forgeries"]
    for paid in storm.payments:
        seen = {
            "amount": (paid.sale_id, "paid_twice") in asked,
            "currency": (paid.sale_id, "currency") in asked,
            "account": True,
            "business": paid.number in theirs,
            "number": (paid.sale_id, "counted_elsewhere") in asked,
        }
        if not seen[paid.wrong]:
            found.append(f"nobody is asked about the wrong {paid.wrong} of {paid.number}")
    return found


async def events_of(box: Box) -> int:
    """How many facts are noted."""

    async def count(work: Work) -> int:
        here = Event.business_id == work.business_id
        return int((await work.execute(sa.select(sa.func.count()).select_from(Event).where(here))).scalar_one())

    return await box.look(count)


async def credited_twice(box: Box) -> list[str]:
    """The numbers of money that more than one payment was credited with."""
    captured = {row.id for row in await rows(box, Attempt) if row.captured}
    pairs = {(row.money_key, row.attempt_id) for row in await rows(box, Event) if row.attempt_id in captured}
    counted = Counter(number for number, _ in pairs if number)
    return sorted(number for number, times in counted.items() if times > 1)
