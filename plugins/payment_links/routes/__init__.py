"""Links over the API, for those who make them."""

from __future__ import annotations

import uuid

from kernel.web import command, query
from kernel.wire import Download, Page, Reply
from kernel.work import Work
from plugins.payment_links import services
from plugins.payment_links.errors import LinkEnded, NothingDue
from plugins.payment_links.models import Link
from plugins.payment_links.schemas.links import (
    CancelIn,
    LinkIn,
    LinkOut,
    LinkQuery,
    PictureQuery,
    ResendIn,
    TurnOut,
    TurnQuery,
)


@command("POST", "/links", permission="payment_links.make", errors=(NothingDue,))
async def make_link(work: Work, data: LinkIn) -> Reply[LinkOut]:
    """Make a link by which somebody pays who is not in the shop.

    Its `address` opens a page without signing in; `message` is a text to send with it, and the picture a code to scan.
    For a document, such as a sale that waits for its money, the link asks for what that waits for, and paying it
    completes the document as paying at the till does.
    """
    made = await services.make_link(work, data)
    return Reply(made, location=f"/api/v1/payment_links/links/{made.id}")


@query("/links", permission="payment_links.see")
async def list_links(work: Work, query: LinkQuery) -> Page[LinkOut]:
    """Links, the newest first."""
    return await services.list_links(work, query)


@query("/links/{link_id}", permission="payment_links.see")
async def get_link(work: Work, link_id: uuid.UUID) -> Reply[LinkOut]:
    """One link."""
    link = await work.get(Link, link_id)
    return Reply(services.link_out(work, link), version=link.version, living=True)


@query("/links/{link_id}/picture", permission="payment_links.see")
async def get_picture(work: Work, link_id: uuid.UUID, query: PictureQuery) -> Download:
    """The address of a link as a code to scan, for a counter, a bill or a poster."""
    return await services.picture(work, link_id, query)


@command("POST", "/links/{link_id}/resend", permission="payment_links.make", status=200, errors=(LinkEnded,))
async def resend_link(work: Work, link_id: uuid.UUID, data: ResendIn) -> LinkOut:
    """Have a link's text to send it again.

    One whose time is over is good again, as long as a new one. `renew` gives it another address, for one that went
    astray: whoever has the one before finds nothing there.
    """
    return services.link_out(work, await services.resend(work, link_id, data))


@command("POST", "/links/{link_id}/cancel", permission="payment_links.cancel", status=200, errors=(LinkEnded,))
async def cancel_link(work: Work, link_id: uuid.UUID, data: CancelIn) -> LinkOut:
    """Let nobody pay by a link any more.

    A request that a payer has on their phone may still be confirmed; that money is a question for a person, as all
    money that comes late.
    """
    return services.link_out(work, await services.cancel(work, link_id, data.reason))


@query("/turns", permission="payment_links.see")
async def list_turns(work: Work, query: TurnQuery) -> Page[TurnOut]:
    """Who has begun to pay by links, and what came of it, the newest first."""
    return await services.list_turns(work, query)
