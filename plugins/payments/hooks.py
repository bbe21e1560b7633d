"""The hooks that payments calls: others offer methods, and act when money comes in or goes back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.hooks import spec
from kernel.work import Work
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.schemas.told import AppliedMoney, CapturedPayment, MadeRefund, Subject
from plugins.payments.schemas.values import Method


@spec(failing="skip", budget_ms=500)
def payment_methods() -> Sequence[Method] | None:
    """Offer ways of paying.

    When: once per set of enabled plugins. Answer: methods; where a code comes twice, the first in plan order stands.
    Errors: your methods are left out. Since: 0.1.
    Not for: methods that depend on the business, the person or the time; the answer is kept.
    """


@spec(failing="skip", budget_ms=500)
def payment_gateways() -> Sequence[Gateway] | None:
    """Offer gateways: one object for one provider, with the ways of paying it stands behind.

    When: once for all installed plugins, and once per set of enabled ones. Answer: gateways; where a name comes twice,
    the first in plan order stands. Errors: your gateways are left out. Since: 0.2.
    Not for: keeping anything; a gateway translates, payments keeps the books.
    """


@spec(failing="refuse", budget_ms=3_000)
async def money_wanted(work: Work, subject: Subject, amount: int) -> int | None:
    """Say how much of money that has come the document it was meant for still takes, in minor units.

    When: inside the write transaction, before `payment_captured`, for money that a gateway reports. Answer: an amount,
    0 where the document is paid or given up; only if the subject is yours. Hold the document: what you answer is told
    next. What it does not take stays with the payment, and a person is asked.
    Errors: a DukaError undoes the report, which is made again. Since: 0.2.
    Not for: refusing money; it is there.
    """


@spec(failing="refuse", budget_ms=3_000)
async def payment_captured(work: Work, payment: CapturedPayment) -> None:
    """Act when money has come in: note it in a book, take it off a debt.

    When: inside the write transaction, once per payment, after its rows were declared and before anything is flushed.
    Answer: nothing; declare effects on `work`. You may read; do not write by statement.
    Errors: a DukaError refuses the payment and the document it belongs to, and undoes everything. Since: 0.1.
    Not for: slow or outside work (declare a job), or what concerns the document rather than its money.
    """


@spec(failing="refuse", budget_ms=3_000)
async def money_applied(work: Work, money: AppliedMoney) -> None:
    """Take money onto your document that had come before, and that nobody wanted then.

    When: inside the write transaction, after a person decided so and your `money_wanted` said how much you take. It was
    told as captured when it came, and is not told again. Answer: nothing; credit the document, and give the payment its
    number by `rename_subject`.
    Errors: a DukaError refuses the decision and undoes everything. Since: 0.2.
    Not for: books of money; nothing comes in.
    """


@spec(failing="refuse", budget_ms=3_000)
async def refund_made(work: Work, refund: MadeRefund) -> None:
    """Act when money has gone back: reverse what you did when it came in.

    When: inside the write transaction, once per refund, after its rows were declared; for voids, returns and refunds
    by hand alike. One that a gateway sends is told when the provider has made it, perhaps days after the void.
    Answer: nothing; declare effects on `work`.
    Errors: a DukaError refuses the refund and undoes everything. Since: 0.1.
    Not for: asking a provider to send the money; this is told when it is done.
    """


@spec(failing="refuse", budget_ms=3_000)
async def account_opened(work: Work, account_id: UUID) -> None:
    """Act when a business has opened an account at a gateway: keep a place for what it will state.

    When: inside the write transaction, once per account, after its row was flushed. Answer: nothing. You may read and
    declare effects on `work`; its configuration is sealed.
    Errors: a DukaError refuses the account, and undoes everything. Since: 0.3.
    Not for: speaking with the provider; nothing may be on yet.
    """
