"""Pictures of what payers scan: of one payment while it can be paid, and of a counter where anybody may pay."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal

import segno

from kernel.errors import NotFound
from kernel.wire import Download
from kernel.work import Work
from plugins.payments.errors import NotAwaited, NothingToScan
from plugins.payments.models import Attempt
from plugins.payments.rules import FINAL, GIVEN_UP
from plugins.payments.schemas.by_hand import PictureQuery, StandingQuery
from plugins.payments.schemas.gateways import Counter, Gateway, GatewayFailed, Show
from plugins.payments.services.accounts import account_for, gateway_of, known_methods, opened_config
from plugins.payments.services.noticing import account_row
from plugins.payments.services.places import place_named
from plugins.payments.services.setting_up import sees
from plugins.payments.services.timing import reference_of

_MEDIA: Final[Mapping[str, str]] = {"svg": "image/svg+xml", "png": "image/png"}
_AT_ONCE: Final = {"Cache-Control": "no-store"}
"""Of what may be paid by now: a picture that is kept would be paid by again."""
_ASKED_AGAIN: Final = "private, no-cache"
"""Of what stays: it may be kept, and is asked about each time, since accounts change."""


def drawn(text: str, kind: Literal["svg", "png"], scale: int) -> bytes:
    """A QR code with error level M or better and its quiet zone, black on white."""
    made = io.BytesIO()
    segno.make_qr(text, error="m").save(made, kind=kind, scale=scale, border=4, dark="#000", light="#fff")
    return made.getvalue()


async def code_of_payment(work: Work, payment_id: uuid.UUID, query: PictureQuery) -> Download:
    """What is scanned to pay a payment. Raises NotFound, NothingToScan, NotAwaited once nobody waits for it."""
    row = await work.get(Attempt, payment_id)
    if row.show is None or row.show.get("kind") != "qr":
        raise NothingToScan("This payment is not paid by a code, or it is not made yet")
    if row.state in FINAL or GIVEN_UP in row.flags:
        raise NotAwaited(f"The payment is {row.state}")
    picture = drawn(row.show["text"], query.kind, query.scale)
    return Download(io.BytesIO(picture), _MEDIA[query.kind], f"{payment_id}.{query.kind}", _AT_ONCE)


async def code_of_counter(work: Work, method_code: str, query: StandingQuery) -> Download:
    """What is scanned at a counter to pay what one likes.

    Raises NotFound for a place or an account, UnknownMethod, NothingToScan, and what `account_for` raises.
    """
    place = await place_named(work, query.location_id, query.register_id, before="?")
    method = known_methods(work).get(method_code)
    if method is None or method.gateway is None:
        raise NothingToScan("No gateway stands behind this way of paying")
    gateway = gateway_of(work, method)
    account = await _account(work, gateway, query)
    shown = _standing(gateway, opened_config(work.deployment, gateway, account), _counter(work, gateway, place, query))
    picture = drawn(shown.text, query.kind, query.scale)
    headers = {"Cache-Control": _ASKED_AGAIN, "ETag": f'"{hashlib.sha256(picture).hexdigest()[:32]}"'}
    name = f"{gateway.name}-{place.code}.{query.kind}"
    return Download(io.BytesIO(picture), _MEDIA[query.kind], name, headers)


async def _account(work: Work, gateway: Gateway, query: StandingQuery) -> Any:
    if query.account_id is None:
        return await account_for(work, gateway, None, query.location_id, query.register_id)
    row = await account_row(work, query.account_id)
    if row.gateway != gateway.name or not sees(work, row):
        raise NotFound
    return row


def _counter(work: Work, gateway: Gateway, place: Any, query: StandingQuery) -> Counter:
    can = gateway.capabilities
    own = query.register_id or query.location_id
    reference = reference_of(place.code, own, can.reference_letters, can.reference_most)
    return Counter(reference, f"{work.shop.name} {place.name}")


def _standing(gateway: Gateway, config: Any, at: Counter) -> Show:
    try:
        return gateway.standing_code(config, at)
    except GatewayFailed as fault:
        raise NothingToScan(fault.detail) from fault
