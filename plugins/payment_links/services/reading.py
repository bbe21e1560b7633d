"""Links as they are answered, and the text that is sent with one."""

from __future__ import annotations

import io
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import segno
import sqlalchemy as sa

from kernel.money import exponent, format_amount, show_amount
from kernel.web import page
from kernel.wire import Download, Page
from kernel.work import Work
from plugins.payment_links.models import Link, Turn
from plugins.payment_links.rules import state_of
from plugins.payment_links.schemas.links import LinkOut, LinkQuery, PictureQuery, TurnOut, TurnQuery
from plugins.payment_links.services.addresses import Place, address_of

_L, _T = Link.__table__.c, Turn.__table__.c
_MEDIA = {"svg": "image/svg+xml", "png": "image/png"}


def link_out(work: Work, link: Any) -> LinkOut:
    """A link's row as it is answered."""
    digits = exponent(link.currency)
    address = address_of(work.deployment, Place("link", work.business_id, link.id, link.generation))
    return LinkOut(
        id=link.id,
        number=link.number,
        state=state_of(link.state, link.expires_at, work.now),
        location_id=link.location_id,
        amount=_shown(link.amount, digits),
        least=_shown(link.least, digits),
        most=_shown(link.most, digits),
        currency=link.currency,
        words=link.words,
        subject_kind=link.subject_kind,
        subject_id=link.subject_id,
        subject_number=link.subject_number,
        customer_id=link.customer_id,
        methods=list(link.methods),
        is_many=link.is_many,
        expires_at=link.expires_at,
        paid=format_amount(link.paid, digits),
        payments=link.payments,
        created_at=link.created_at,
        created_by=link.created_by_name,
        ended_at=link.ended_at,
        end_reason=link.end_reason,
        address=address,
        message=_message(work, link, address),
    )


async def list_links(work: Work, query: LinkQuery) -> Page[LinkOut]:
    """Links, the newest first."""
    statement: sa.Select[Any] = sa.select(Link.__table__).where(_L.business_id == work.business_id)
    for name in ("location_id", "customer_id", "subject_id"):
        wanted = getattr(query, name)
        if wanted is not None:
            statement = statement.where(_L[name] == wanted)
    if query.state is not None:
        stored = "open" if query.state == "expired" else query.state
        statement = statement.where(_L.state == stored)
        if stored == "open":
            over = _L.expires_at <= work.now
            statement = statement.where(over if query.state == "expired" else sa.not_(over))
    return await page(work, statement, query, order=[_L.id], make=lambda row: link_out(work, row), descending=True)


async def list_turns(work: Work, query: TurnQuery) -> Page[TurnOut]:
    """Turns at links, the newest first."""
    statement: sa.Select[Any] = (
        sa.select(*_T, _L.currency, _L.location_id, _L.is_many, _L.subject_id)
        .join(Link, sa.and_(_L.business_id == _T.business_id, _L.id == _T.link_id))
        .where(_T.business_id == work.business_id)
    )
    if query.link_id is not None:
        statement = statement.where(_T.link_id == query.link_id)
    return await page(work, statement, query, order=[_T.id], make=_turn_out, descending=True)


async def picture(work: Work, link_id: uuid.UUID, query: PictureQuery) -> Download:
    """The address of a link as a code to scan. Raises NotFound."""
    link = await work.get(Link, link_id)
    address = address_of(work.deployment, Place("link", work.business_id, link.id, link.generation))
    file = io.BytesIO()
    segno.make(address, error="m", micro=False).save(file, kind=query.kind, scale=query.px, border=4)
    file.seek(0)
    return Download(file, _MEDIA[query.kind], f"{link.number}.{query.kind}")


def _turn_out(row: Any) -> TurnOut:
    digits = exponent(row.currency)
    return TurnOut(
        row.id,
        row.link_id,
        row.id if row.is_many else row.subject_id,
        _shown(row.amount, digits),
        format_amount(row.paid, digits),
        row.started_at,
        row.paid_at,
    )


def _shown(amount: int | None, digits: int) -> str | None:
    return None if amount is None else format_amount(amount, digits)


def _message(work: Work, link: Any, address: str) -> str:
    """What may be sent to a payer: who asks, for how much and what for, where and until when."""
    shop = work.shop
    asks = "" if link.amount is None else f" {show_amount(link.amount, link.currency, shop.region)}"
    about = f" for {link.words}" if link.words else ""
    until = link.expires_at.astimezone(ZoneInfo(shop.zone))
    return f"{shop.name}: please pay{asks}{about} here, until {until:%d %b %Y %H:%M}: {address}"
