"""The pages that payers open. Anyone may who has the address; it alone says what is to be paid."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from msgspec import Meta

from kernel.errors import NotFound
from kernel.web import PUBLIC, Scene, TakesRaw, Watch, flow, stream
from kernel.wire import RawAnswer, RawRequest, StreamEvent
from kernel.work import Work
from plugins.payment_links import services
from plugins.payment_links.schemas.screens import PayerNews
from plugins.payment_links.services import pages

T = TypeVar("T")
Token = Annotated[
    str,
    Meta(
        max_length=200, description="What is to be paid, sealed by us: nobody else can make one.", examples=["A" * 68]
    ),
]
_RAW = TakesRaw(knows=lambda _deployment, _values: False, most_bytes=4_096)
"""Payers are throttled by address like everybody: a link is no pass."""
_FORM = "application/x-www-form-urlencoded"


@flow("GET", "/pay/{token}", permission=PUBLIC, raw=_RAW, is_page=True)
async def show_page(scene: Scene, token: Token, raw: RawRequest) -> RawAnswer:
    """The page of a payment link, for people.

    It works without scripts. An address that is forged, unknown, over or cancelled shows the same page, with 404.
    """
    place, screen = services.read_token(scene.deployment, token), services.CLOSED
    if place is not None:
        screen = await _run(scene, place, partial(services.screen_of, place=place), read_first=True) or screen
    return pages.page(screen, token, raw.headers.get("accept-language"), raw.query.get("lang"))


@flow("POST", "/pay/{token}", permission=PUBLIC, raw=_RAW, is_page=True)
async def send_page(scene: Scene, token: Token, raw: RawRequest) -> RawAnswer:
    """What a payer sends by the page's form: to pay, to have the provider asked, to call a request back.

    However often it is sent, one request for money is under way at a time.
    """
    place, wanted = services.read_token(scene.deployment, token), raw.query.get("lang")
    outcome: services.Outcome | None = None
    if place is not None:
        sent = _form(raw)
        match sent.get("do"):
            case "ask":
                outcome = await _run(scene, place, partial(services.look_again, place=place))
            case "cancel":
                outcome = await _run(scene, place, partial(services.call_off, place=place))
            case _:
                outcome = await _run(scene, place, partial(services.pay, place=place, sent=sent))
    if outcome is not None and outcome.token:
        return pages.moved(outcome.token, wanted)
    screen = (outcome and outcome.screen) or services.CLOSED
    return pages.page(screen, token, raw.headers.get("accept-language"), wanted)


@stream("/pay/{token}/events", permission=PUBLIC, is_page=True)
async def watch_page(watch: Watch, token: Token) -> AsyncIterator[StreamEvent[PayerNews]]:
    """Tell a payer's page whether there is something new to see.

    Events are called `pay`; the page loads itself again when their `state` is another than its own.
    """
    place = services.read_token(watch.deployment, token)
    if place is None:
        raise NotFound
    async for screen in watch.changes_for(place.business_id, partial(services.screen_of, place=place)):
        if screen.face == "closed":
            raise NotFound
        yield StreamEvent("pay", PayerNews(screen.state), screen.face == "paid")


async def _run(
    scene: Scene, place: services.Place, run: Callable[[Work], Awaitable[T]], *, read_first: bool = False
) -> T | None:
    """What a deed for the business comes to; None where that is gone."""
    try:
        return await scene.deed_for(place.business_id, run, read_first=read_first)
    except NotFound:
        return None


def _form(raw: RawRequest) -> dict[str, str]:
    """The fields of a form; nothing where it is none."""
    if raw.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return {}
    try:
        pairs = parse_qsl(raw.body.decode(), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        return {}
    return {name: value for name, value in pairs if value.isprintable()}
