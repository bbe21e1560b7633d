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

import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.payments.api import PaymentIn
from plugins.payments.models import Attempt, Event, Money, ProviderNotice, Review
from plugins.payments.services.paths import Thing, notify_url
from plugins.payments.testing.builders import a_place
from plugins.payments.tests.looking import rows
from plugins.sales.models import Sale
from plugins.sales.schemas.requests import LineIn, SaleIn
from plugins.sales.services import complete_sale
from tests.promises.storm_voices import OTHERS, Ground, Voice, encode

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
    n: int
    voice: Voice
    wrong: Kind
    amount: int = 38_000

    @property
    def number(self) -> str:
        """The number of its money."""
        return self.voice.number("R", self.n)

    def said(self, **more: Any) -> Any:
        """What its provider says of it. more: number, amount, currency, whose other than they are."""
        number, amount = more.get("number", self.number), more.get("amount", self.amount)
        currency = more.get("currency", self.voice.currency)
        return self.voice.captured(self.provider_id, self.reference, number, amount, currency, more.get("whose", ""))


@dataclass
class Storm:
    """Payments, the unasked money beside them, and all messages about both."""

    ground: Ground
    voice: Voice
    payments: list[Paid] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def path(self, thing: Thing, id_: uuid.UUID, shop: str = "") -> str:
        """The path at which word is left about a payment or an account."""
        box = self.ground.box
        business_id = box.shops[shop or self.ground.shop].id
        url = notify_url(box.deployment, business_id, thing, id_, 1 if thing == "account" else 0)
        return "/api" + url.partition("/api")[2]

    def note(self, message: Message, status: int) -> None:
        """Note how a message was answered."""
        self.answers[status] += 1
        if status != message.expected:
            self.wrong.append(f"{message.path[-8:]}: {status}, expected {message.expected}")


async def brew(ground: Ground, voice: Voice, payments: int, seed: int = 8) -> Storm:
    """Make sales that wait for the provider's money, and every message about them, shuffled."""
    storm, box, shop = Storm(ground, voice), ground.box, ground.shop
    product = await a_product(box, price="380.00", track_stock=False, shop=shop)
    place = (await a_place(box, shop)).location_id
    paying = PaymentIn(method=voice.method, amount="380.00", phone=voice.phone)
    sale = SaleIn(location_id=place, lines=[LineIn(product_id=product, quantity="1")], payments=[paying])
    for _ in range(payments):
        await box.act(lambda work: complete_sale(work, sale), role="cashier", shop=shop)
    await box.run_jobs()
    for n, row in enumerate(await rows(box, Attempt, shop)):
        known = row.provider_ids[voice.thing]
        storm.payments.append(Paid(row.id, row.subject_id, known, row.merchant_ref, n, voice, KINDS[n % len(KINDS)]))
    for n in range(max(1, payments // 20)):
        storm.unasked.append(voice.number("U", n))
    for n, paid in enumerate(storm.payments):
        storm.messages += _about(storm, paid, storm.payments[n - 1])
    for number in storm.unasked:
        said = voice.unasked(number, 38_000)
        storm.messages += [_signed(storm, storm.path("account", ground.account), said)] * 6
    random.Random(seed).shuffle(storm.messages)
    return storm


def _about(storm: Storm, paid: Paid, other: Paid) -> Iterable[Message]:
    """The ten messages about a payment: eight honest ones, two forgeries at least; one of the ten is wrong."""
    voice, all_ = storm.voice, storm.path("account", storm.ground.account)
    here = storm.path("payment", paid.id) if voice.own_paths else all_
    true = paid.said()
    yield from [_signed(storm, here, true)] * 4
    yield _signed(storm, all_, true)
    yield _signed(storm, here, true, late=True)
    yield _signed(storm, here, true, indent=2)
    body = encode(true)
    yield Message(here, encode(true, 4), voice.headers(voice.secret, body), expected=401)
    forged = encode(paid.said(number=voice.number("F", paid.n)))
    yield Message(here, forged, voice.headers("a guess", forged), expected=401)
    if paid.wrong == "amount":
        other_amount = paid.said(number=voice.number("W", paid.n), amount=paid.amount + 10_000)
        yield _signed(storm, here, other_amount)
    elif paid.wrong == "currency":
        yield _signed(storm, here, paid.said(number=voice.number("C", paid.n), currency="USD"))
    elif paid.wrong == "account":
        yield Message(all_, body, voice.headers(OTHERS, body), expected=401)
    elif paid.wrong == "business":
        yield _of_others(storm, paid)
    else:
        yield _signed(storm, here, paid.said(number=other.number), late=True)


def _of_others(storm: Storm, paid: Paid) -> Message:
    """Word of a payment at the path of another business; where there is none, of another account of the provider's."""
    if storm.ground.elsewhere is not None:
        shop, account = storm.ground.elsewhere
        return _signed(storm, storm.path("account", account, shop), paid.said())
    theirs = encode(paid.said(whose="acc_OfSomebodyElse1"))
    headers = storm.voice.headers(storm.voice.secret, theirs)
    return Message(storm.path("account", storm.ground.account), theirs, headers, expected=401)


def _signed(storm: Storm, path: str, said: Any, *, indent: int = 0, late: bool = False) -> Message:
    body = encode(said, indent)
    return Message(path, body, storm.voice.headers(storm.voice.secret, body), late=late)


async def faults_after(storm: Storm) -> list[str]:
    """What did not come out as it must."""
    box, shop = storm.ground.box, storm.ground.shop
    found = list(storm.wrong)
    attempts, money, reviews = [await rows(box, model, shop) for model in (Attempt, Money, Review)]
    credited = Counter(one.reference for one in attempts if one.captured)
    by_id = {one.id: one for one in attempts}
    sales = {row.id: row for row in await rows(box, Sale, shop)}
    kept = {one.money_key: one for one in money}
    for paid in storm.payments:
        row, number = by_id[paid.id], paid.number
        if credited[number] != 1 or kept[number].attempt_id is None or row.captured == 0:
            found.append(f"{number} was credited {credited[number]} times")
        if sales[paid.sale_id].status != "completed" or sales[paid.sale_id].paid != paid.amount:
            found.append(f"the sale of {number} is {sales[paid.sale_id].status}")
    forged = {storm.voice.number("F", paid.n) for paid in storm.payments}
    if forged & {*kept, *filter(None, credited)}:
        found.append("a forgery was credited")
    found += [f"{number} is credited to more than one payment" for number in await credited_twice(box, shop)]
    found += await _unreviewed(storm, reviews, by_id)
    if {number for number, one in kept.items() if one.attempt_id is None} != set(storm.unasked):
        found.append("the tray holds other money than nobody asked for")
    unread = Counter(row.state for row in await rows(box, ProviderNotice, shop))
    if unread.keys() - {"read", "refused"}:
        found.append(f"notices stand {dict(unread)}")
    return found


async def _unreviewed(storm: Storm, reviews: Sequence[Any], by_id: dict[uuid.UUID, Any]) -> list[str]:
    """Mismatches that nobody is asked about."""
    there = storm.ground.elsewhere
    strange = await rows(storm.ground.box, Money, there[0]) if there else []
    theirs = {one.money_key for one in strange if one.attempt_id is None}
    asked = {(by_id[one.attempt_id].subject_id, one.kind) for one in reviews if one.attempt_id}
    found = [] if any(one.kind == "forged" for one in reviews) else ["nobody is asked about forgeries"]
    for paid in storm.payments:
        seen = {
            "amount": (paid.sale_id, "paid_twice") in asked,
            "currency": (paid.sale_id, "currency") in asked,
            "account": True,
            "business": paid.number in theirs or there is None,
            "number": (paid.sale_id, "counted_elsewhere") in asked,
        }
        if not seen[paid.wrong]:
            found.append(f"nobody is asked about the wrong {paid.wrong} of {paid.number}")
    return found


async def events_of(box: Box, shop: str) -> int:
    """How many facts are noted."""

    async def count(work: Work) -> int:
        here = Event.business_id == work.business_id
        return int((await work.execute(sa.select(sa.func.count()).select_from(Event).where(here))).scalar_one())

    return await box.look(count, shop=shop)


async def credited_twice(box: Box, shop: str) -> list[str]:
    """The numbers of money that more than one payment was credited with."""
    captured = {row.id for row in await rows(box, Attempt, shop) if row.captured}
    pairs = {(row.money_key, row.attempt_id) for row in await rows(box, Event, shop) if row.attempt_id in captured}
    counted = Counter(number for number, _ in pairs if number)
    return sorted(number for number, times in counted.items() if times > 1)
