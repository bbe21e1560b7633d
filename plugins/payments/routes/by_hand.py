"""A person's word about money over the API; and the codes by which payers pay."""

from __future__ import annotations

import uuid

from kernel.web import command, query
from kernel.wire import Download, Reply
from kernel.work import ApprovalNotValid, ApprovalRequired, Work
from plugins.payments.errors import (
    AccountNotUsable,
    AlreadyClaimed,
    GatewayUnavailable,
    NotAwaited,
    NotByHand,
    NothingToScan,
)
from plugins.payments.schemas.answers import IncomingOut, PaymentWhole
from plugins.payments.schemas.by_hand import IncomingIn, PictureQuery, SeenIn, StandingQuery
from plugins.payments.schemas.values import MethodCode
from plugins.payments.services import by_hand, codes
from plugins.payments.services.showing import whole_payment


@command(
    "POST",
    "/payments/{payment_id}/confirm-by-hand",
    permission="payments.confirm_by_hand",
    status=200,
    moves=True,
    errors=(AlreadyClaimed, ApprovalNotValid, ApprovalRequired, NotAwaited, NotByHand),
)
async def confirm_payment_by_hand(work: Work, payment_id: uuid.UUID, data: SeenIn) -> PaymentWhole:
    """Say that the money of a request is there, by its number on the shop's own phone.

    Only where no provider can say so. The payment counts from now, `unverified` until a statement shows its number, and
    one number counts once. Another amount than was asked for, or money that comes late or again, ends as any such money
    does: a person decides. Beyond your limit a second person approves.
    """
    await by_hand.confirm_by_hand(work, payment_id, data)
    await work.flush()
    return await whole_payment(work, payment_id)


@command(
    "POST",
    "/incoming",
    permission="payments.confirm_by_hand",
    moves=True,
    errors=(AlreadyClaimed, ApprovalNotValid, ApprovalRequired, GatewayUnavailable, NotByHand),
)
async def note_incoming(work: Work, data: IncomingIn) -> Reply[IncomingOut]:
    """Note money that came unasked, by its number on the shop's own phone: say by the code at the counter.

    It stands with the incoming money until one sale claims it, `unverified` until a statement shows its number.
    """
    return Reply(await by_hand.note_incoming(work, data))


@query("/payments/{payment_id}/code", permission="payments.see", errors=(NotAwaited, NothingToScan))
async def get_payment_code(work: Work, payment_id: uuid.UUID, query: PictureQuery) -> Download:
    """The picture that is scanned to pay a payment, as long as it can be paid."""
    return await codes.code_of_payment(work, payment_id, query)


@query(
    "/methods/{method}/code",
    permission="payments.see",
    errors=(AccountNotUsable, GatewayUnavailable, NothingToScan),
)
async def get_counter_code(work: Work, method: MethodCode, query: StandingQuery) -> Download:
    """The picture that stays at a counter: whoever scans it types the amount, and nobody has asked for it.

    Print it as SVG. It holds for the place: the account there, its address and the place's reference.
    """
    return await codes.code_of_counter(work, method, query)
