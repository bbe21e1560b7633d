"""What comes in by itself over the API: notices of providers, and the money that nobody asked for."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Annotated

import sqlalchemy as sa
from msgspec import Meta

from kernel.errors import NotFound
from kernel.web import PUBLIC, Scene, TakesRaw, command, flow, page, query
from kernel.wire import Page, RawAnswer, RawRequest
from kernel.work import Work
from plugins.payments.errors import AlreadyClaimed, NoticeRefused
from plugins.payments.models import Money
from plugins.payments.schemas.answers import IncomingOut
from plugins.payments.schemas.requests import DismissIn, IncomingQuery
from plugins.payments.services.asking import amount_at
from plugins.payments.services.incoming import dismiss, incoming_out, tray
from plugins.payments.services.noticing import NOTICES, is_ours, keep_notice
from plugins.payments.services.paths import read_path

_M = Money.__table__.c
_RAW = TakesRaw(knows=is_ours)
Token = Annotated[
    str,
    Meta(
        max_length=200,
        description="Whose word it is and what about, sealed by us: nobody else can make one.",
        examples=[
            "1019e3b6c0000070008000000000000001019e3b6c000007000800000000000000200010123456789abcdef0123456789abcdef"
        ],
    ),
]


@flow("POST", "/notices/{token}", permission=PUBLIC, errors=(NoticeRefused,), raw=_RAW)
async def take_notice(scene: Scene, token: Token, raw: RawRequest) -> RawAnswer:
    """Take what a payment provider sends on its own, as it comes.

    It is kept byte for byte and read afterwards. What comes again is kept once. The provider chooses body and media
    type, and is answered in its own words.
    """
    return await _take(scene, token, raw)


@flow("GET", "/notices/{token}", permission=PUBLIC, errors=(NoticeRefused,), raw=_RAW)
async def take_notice_by_query(scene: Scene, token: Token, raw: RawRequest) -> RawAnswer:
    """Take what a payment provider says in a query string."""
    return await _take(scene, token, raw)


async def _take(scene: Scene, token: str, raw: RawRequest) -> RawAnswer:
    place = read_path(scene.deployment, token)
    if place is None:
        raise NotFound
    if raw.method == "HEAD":  # whether there is such a path, no more
        return RawAnswer()
    kept = await scene.deed_for(place.business_id, partial(keep_notice, place=place, said=raw), read_first=True)
    NOTICES.labels(kept.gateway, kept.trust).inc()
    if kept.trust == "refused":
        raise NoticeRefused
    return RawAnswer(kept.answer.status, kept.answer.body, kept.answer.media_type)


@query("/incoming", permission="payments.see")
async def list_incoming(work: Work, query: IncomingQuery) -> Page[IncomingOut]:
    """Money that came without being asked for and that no sale has claimed, the newest first."""
    statement = tray(work).where(_M.state == query.state)
    if query.account_id is not None:
        statement = statement.where(_M.account_id == query.account_id)
    if query.amount is not None:
        statement = statement.where(_M.amount == amount_at(query.amount, work.shop.exponent, "?amount"))
    if query.reference is not None:
        statement = statement.where(sa.or_(_M.reference == query.reference, _M.money_key == query.reference))
    return await page(work, statement, query, order=[_M.id], make=incoming_out, descending=True)


@command("POST", "/incoming/{money_id}/dismiss", permission="payments.dismiss", status=200, errors=(AlreadyClaimed,))
async def dismiss_incoming(work: Work, money_id: uuid.UUID, data: DismissIn) -> IncomingOut:
    """Set money aside that is no sale's, and say why."""
    return await dismiss(work, money_id, data.reason)
