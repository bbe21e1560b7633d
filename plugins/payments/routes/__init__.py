"""Payments and refunds over the API. Money is taken with its document; here it is looked at and given back."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct

from kernel.errors import NotFound, RateLimited
from kernel.money import format_amount
from kernel.web import Watch, command, page, query, stream
from kernel.wire import Page, Reply, StreamEvent
from kernel.work import ApprovalNotValid, ApprovalRequired, Work
from plugins.payments import services
from plugins.payments.errors import (
    AccountNotUsable,
    ActionNotOffered,
    GatewayUnavailable,
    NotAwaited,
    NotCancellable,
    PaymentUnderWay,
    RefundNotSupported,
    RefundTooLarge,
    ReviewClosed,
)
from plugins.payments.models import Attempt, Event, Refund, Review
from plugins.payments.rules import FINAL
from plugins.payments.schemas.answers import (
    MethodOut,
    MethodsOut,
    PaymentFacts,
    PaymentNews,
    PaymentWhole,
    RefundOut,
)
from plugins.payments.schemas.requests import (
    ConfirmIn,
    MethodsQuery,
    PaymentQuery,
    RefundIn,
    RefundQuery,
    ResendIn,
)
from plugins.payments.schemas.review_queue import ResolveIn, ReviewOut, ReviewQuery
from plugins.payments.services.accounts import is_confirmed_by_hand, sorted_out, step_of_gateway
from plugins.payments.services.declaring_refunds import refund_out
from plugins.payments.services.reading import news_of
from plugins.payments.services.resolving import QUEUE, find_review, resolve, review_out
from plugins.payments.services.showing import facts_out, whole_payment

_A, _E, _R, _V = Attempt.__table__.c, Event.__table__.c, Refund.__table__.c, Review.__table__.c
_PAYMENT_FILTERS: Final = {
    "subject_id": _A.subject_id,
    "method": _A.method,
    "state": _A.state,
    "business_date": _A.business_date,
    "location_id": _A.location_id,
    "register_id": _A.register_id,
    "customer_id": _A.customer_id,
}
_REFUND_FILTERS: Final = {
    "payment_id": _R.attempt_id,
    "subject_id": _R.subject_id,
    "method": _R.method,
    "business_date": _R.business_date,
    "location_id": _R.location_id,
}


@query("/methods", permission="payments.see")
async def list_methods(work: Work, query: MethodsQuery) -> MethodsOut:
    """The ways of paying that may be used now, at a place: gateways as their region and the business let them."""
    shop, found = work.shop, await services.coins(work, query.location_id)
    usable, unavailable = await sorted_out(work, query.location_id, query.register_id)
    return MethodsOut(
        [
            MethodOut(
                one.code,
                one.title,
                one.kind,
                one.is_cash,
                format_amount(max(found.of(one).step, step_of_gateway(work, one)), shop.exponent),
                one.waits,
                one.takes_phone,
                is_confirmed_by_hand(work, one),
            )
            for one in usable
        ],
        unavailable,
    )


@query("/payments", permission="payments.see")
async def list_payments(work: Work, query: PaymentQuery) -> Page[PaymentFacts]:
    """Payments, the newest first."""
    statement: sa.Select[Any] = sa.select(Attempt.__table__).where(_A.business_id == work.business_id)
    statement = statement.where(*_filters(query, _PAYMENT_FILTERS))
    return await page(work, statement, query, order=[_A.id], make=facts_out, descending=True)


@query("/payments/{payment_id}", permission="payments.see")
async def get_payment(work: Work, payment_id: uuid.UUID) -> PaymentWhole:
    """One payment, with all that became known of it and what was given back."""
    return await whole_payment(work, payment_id)


@command(
    "POST",
    "/payments/{payment_id}/confirm",
    permission="payments.confirm",
    status=200,
    moves=True,
    errors=(NotAwaited,),
)
async def confirm_payment(work: Work, payment_id: uuid.UUID, data: ConfirmIn) -> PaymentWhole:
    """Say that awaited money has come.

    The payment counts from now, on the running business day; a document that waited for nothing else is completed.
    """
    await services.confirm(work, payment_id, data.reference)
    await work.flush()
    return await whole_payment(work, payment_id)


@command("POST", "/payments/{payment_id}/ask", permission="payments.ask", status=200, errors=(NotAwaited, RateLimited))
async def ask_about_payment(work: Work, payment_id: uuid.UUID) -> PaymentWhole:
    """Ask the provider how a payment stands.

    What it answers stands in the payment a moment later. One payment is asked about every few seconds at most.
    """
    await services.ask_now(work, payment_id)
    return await whole_payment(work, payment_id)


@command("POST", "/payments/{payment_id}/cancel", permission="payments.request", status=200, errors=(NotCancellable,))
async def cancel_payment(work: Work, payment_id: uuid.UUID) -> PaymentWhole:
    """Call back a request for money that is not paid.

    One that has not left yet is cancelled at once. Otherwise the provider is told, and what it answers stands in the
    payment a moment later: money that came meanwhile wins.
    """
    await services.cancel_payment(work, payment_id)
    await work.flush()
    return await whole_payment(work, payment_id)


@command(
    "POST",
    "/payments/{payment_id}/resend",
    permission="payments.request",
    errors=(AccountNotUsable, GatewayUnavailable, NotAwaited, PaymentUnderWay),
)
async def resend_payment(work: Work, payment_id: uuid.UUID, data: ResendIn) -> Reply[PaymentWhole]:
    """Ask the payer once more for a payment that came to nothing.

    It is a new payment for the same document, of the same amount. One whose end is unknown must have been asked about
    first, and one that may still be paid is not sent again.
    """
    made = await services.request_again(work, payment_id, data.phone)
    await work.flush()
    return Reply(await whole_payment(work, made), location=f"/api/v1/payments/payments/{made}")


@stream("/payments/{payment_id}/events", permission="payments.see")
async def watch_payment(watch: Watch, payment_id: uuid.UUID) -> AsyncIterator[StreamEvent[PaymentNews]]:
    """Watch a payment until its end is known.

    Events are called `payment`: how it stands at once, then every change: its state, what the payer does next, why it
    failed, what came. The stream ends with the payment, when you sign out, or after ten minutes; come again then.
    """
    async for news in watch.changes(lambda work: news_of(work, payment_id)):
        yield StreamEvent("payment", news, news.status in FINAL)


@command(
    "POST",
    "/refunds",
    permission="payments.refund",
    moves=True,
    errors=(ApprovalNotValid, ApprovalRequired, RefundNotSupported, RefundTooLarge),
)
async def make_refund(work: Work, data: RefundIn) -> Reply[RefundOut]:
    """Give money back for a payment, by the way it came.

    For money that goes back outside a void or a return. All refunds of a payment together never exceed what it brought
    in, however many run at once. What came by a gateway is `pending` until the provider has sent it back. Where the
    provider does not, give it back by hand and record it: `by_hand` with its `reference`, or another `method`.
    """
    made = await services.refund_one(work, data)
    return Reply(made, location=f"/api/v1/payments/refunds/{made.id}")


@query("/refunds", permission="payments.see")
async def list_refunds(work: Work, query: RefundQuery) -> Page[RefundOut]:
    """Refunds, the newest first."""
    statement: sa.Select[Any] = sa.select(Refund.__table__).where(_R.business_id == work.business_id)
    statement = statement.where(*_filters(query, _REFUND_FILTERS))
    return await page(work, statement, query, order=[_R.id], make=refund_out, descending=True)


@query("/refunds/{refund_id}", permission="payments.see")
async def get_refund(work: Work, refund_id: uuid.UUID) -> RefundOut:
    """One refund."""
    found = sa.select(Refund.__table__).where(_R.business_id == work.business_id, _R.id == refund_id)
    row = (await work.execute(found)).one_or_none()
    if row is None:
        raise NotFound
    work.see_location(row.location_id)
    return refund_out(row)


@query("/reviews", permission="payments.review")
async def list_reviews(work: Work, query: ReviewQuery) -> Page[ReviewOut]:
    """What a person must decide about money, the newest first.

    Money that came late, twice or in another amount; refunds that failed; and what two sources contradict each other
    about. Each says what its reader may decide.
    """
    columns = {"kind": _V.kind, "state": _V.state, "payment_id": _V.attempt_id}
    statement = QUEUE.where(_V.business_id == work.business_id, work.here(_A.location_id), *_filters(query, columns))
    make = partial(review_out, work)
    return await page(work, statement, query, order=[_V.id], make=make, descending=True)


@query("/reviews/{review_id}", permission="payments.review")
async def get_review(work: Work, review_id: uuid.UUID) -> ReviewOut:
    """One question about money."""
    return await find_review(work, review_id)


@command(
    "POST",
    "/reviews/{review_id}/resolve",
    permission="payments.review",
    status=200,
    moves=True,
    errors=(ApprovalNotValid, ApprovalRequired, ActionNotOffered, RefundNotSupported, RefundTooLarge, ReviewClosed),
)
async def resolve_review(work: Work, review_id: uuid.UUID, data: ResolveIn) -> ReviewOut:
    """Decide about money, once.

    `refund` gives back what nobody wants, or what failed, through the gateway; of a refund of unknown end it says that
    it did not go back, and sends another. `refund_by_hand`: it was given back by hand. Both need the permission
    `payments.refund`, and beyond its limit a second person's approval. `apply` puts money onto its sale, if that still
    wants it, or onto another open sale. `accept` keeps it as it is; `ask_again` asks the provider; `dismiss`: there is
    nothing to decide. Of two people at once one decides.
    """
    return await resolve(work, review_id, data)


def _filters(query: Struct, columns: Mapping[str, sa.ColumnElement[Any]]) -> list[sa.ColumnElement[bool]]:
    """What a list query asks for, column by column."""
    asked = ((column, getattr(query, name)) for name, column in columns.items())
    return [column == value for column, value in asked if value is not None]
