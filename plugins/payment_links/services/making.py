"""Making links, sending them again, cancelling them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import NamedTuple

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import BadDecimal, parse_amount
from kernel.work import Work
from plugins.payment_links.errors import LinkEnded, NothingDue
from plugins.payment_links.hooks import Payable, find_payable
from plugins.payment_links.models import Link, Turn
from plugins.payment_links.rules import LONGEST, state_of
from plugins.payment_links.schemas.links import LinkIn, LinkOut, ResendIn
from plugins.payment_links.schemas.settings import Settings
from plugins.payment_links.services.reading import link_out
from plugins.payments.api import methods

OWN = "payment_link"
"""The kind of document that a link is for itself."""


class _Asked(NamedTuple):
    """What is to be paid, in minor units."""

    amount: int | None
    least: int | None
    most: int | None


async def make_link(work: Work, data: LinkIn) -> LinkOut:
    """Make a link. Raises NotFound, NothingDue, and Invalid for what contradicts itself."""
    place = await work.session.get(Location, (work.business_id, data.location_id))
    if place is None:
        raise NotFound.at("/location_id", "There is no such location")
    _check_methods(work, data)
    document = await _document(work, data)
    asked = _asked(work, data, document)
    if data.customer_id is not None and await payable(work, "customer", data.customer_id) is None:
        raise NotFound.at("/customer_id", "There is no such customer")
    expires_at = await _expires_at(work, data.expires_at, place.id)
    id_, number = new_id(), work.number(f"payment_link:{work.now.year}", f"PL-{work.now.year}-")
    link = Link(
        id=id_,
        number=number,
        location_id=place.id,
        customer_id=data.customer_id or (document.customer_id if document else None),
        subject_kind=data.subject_kind if document else OWN,
        subject_id=data.subject_id or id_,
        subject_number=document.number if document else number,
        words=data.words,
        currency=work.shop.currency,
        **asked._asdict(),
        methods=list(dict.fromkeys(data.methods)),
        is_many=data.is_many,
        state="open",
        expires_at=expires_at,
        generation=1,
        paid=0,
        payments=0,
        created_at=work.now,
        created_by=work.actor.id,
        created_by_name=work.actor.name,
        ended_at=None,
        end_reason="",
        version=1,
    )
    work.insert(
        Link, {column.name: getattr(link, column.name) for column in Link.__table__.c if column.name != "business_id"}
    )
    if not data.is_many:
        declare_turn(work, id_, id_, asked.amount)
    work.audit(subject=f"payment_link:{id_}", location_id=place.id)
    return link_out(work, link)


async def resend(work: Work, link_id: uuid.UUID, data: ResendIn) -> Link:
    """Let a link live longer, or under another address. Raises NotFound, LinkEnded."""
    link = await work.get(Link, link_id, to_change=True)
    if link.state != "open":
        raise LinkEnded(f"The link is {link.state}")
    if data.expires_at is not None:
        link.expires_at = await _expires_at(work, data.expires_at, link.location_id)
    elif state_of(link.state, link.expires_at, work.now) == "expired":
        link.expires_at = await _expires_at(work, None, link.location_id)
    if data.renew:
        link.generation += 1
    link.version += 1
    return link


async def cancel(work: Work, link_id: uuid.UUID, reason: str) -> Link:
    """Let nobody pay by a link any more; what is under way may still come. Raises NotFound, LinkEnded."""
    link = await work.get(Link, link_id, to_change=True)
    if link.state != "open":
        raise LinkEnded(f"The link is {link.state}")
    link.state, link.ended_at, link.end_reason = "cancelled", work.now, reason
    link.version += 1
    work.audit(subject=f"payment_link:{link.id}", reason=reason, location_id=link.location_id)
    return link


def declare_turn(work: Work, turn_id: uuid.UUID, link_id: uuid.UUID, amount: int | None) -> None:
    """Declare a payer's go at a link."""
    row = {"id": turn_id, "link_id": link_id, "amount": amount, "paid": 0, "started_at": work.now, "paid_at": None}
    work.insert(Turn, row)


async def payable(work: Work, kind: str, id_: uuid.UUID) -> Payable | None:
    """The document that somebody may be sent a link for; None for one of nobody's."""
    said = await work.tell(find_payable, work=work, kind=kind, id_=id_)
    return said[0].value if said else None


async def _document(work: Work, data: LinkIn) -> Payable | None:
    if data.subject_id is None:
        return None
    found = await payable(work, data.subject_kind, data.subject_id)
    if found is None or found.due is None:
        raise NotFound.at("/subject_id", "There is no such document")
    work.see_location(found.location_id)
    if found.due <= 0:
        raise NothingDue(f"{found.number} waits for no money")
    if data.is_many:
        raise Invalid.at("/is_many", "A document is paid once")
    return found


def _asked(work: Work, data: LinkIn, document: Payable | None) -> _Asked:
    said = {name: _minor(work, getattr(data, name), f"/{name}") for name in ("amount", "least", "most")}
    if document is not None:
        if any(value is not None for value in said.values()):
            raise Invalid.at("/amount", "A document says itself what is to be paid")
        return _Asked(document.due, None, None)
    if said["amount"] is not None and (said["least"] is not None or said["most"] is not None):
        raise Invalid.at("/least", "Either an amount, or bounds for one")
    if said["least"] is not None and said["most"] is not None and said["least"] > said["most"]:
        raise Invalid.at("/most", "Below the least amount")
    return _Asked(**said)


def _minor(work: Work, text: str | None, pointer: str) -> int | None:
    if text is None:
        return None
    try:
        amount = parse_amount(text, work.shop.exponent)
    except BadDecimal as fault:
        raise Invalid.at(pointer, f"The currency has {work.shop.exponent} decimals") from fault
    if not amount:
        raise Invalid.at(pointer, "Must be above zero")
    return amount


def _check_methods(work: Work, data: LinkIn) -> None:
    known = {code for code, one in methods(work).items() if one.gateway is not None}
    for place, code in enumerate(data.methods):
        if code not in known:
            raise Invalid.at(f"/methods/{place}", "No provider is asked by this method", code="unknown-method")


async def _expires_at(work: Work, said: dt.datetime | None, location_id: uuid.UUID) -> dt.datetime:
    if said is None:
        return work.now + dt.timedelta(days=(await work.settings(Settings, location_id)).valid_days)
    if not work.now < said <= work.now + LONGEST:
        raise Invalid.at("/expires_at", "Between now and a year from now")
    return said.astimezone(dt.UTC)
