"""Money that came and went as tables to join, for plugins that make good what they missed."""

from __future__ import annotations

import sqlalchemy as sa

from plugins.payments.models import Attempt, Money, Refund

_A = Attempt.__table__.c
_M = Money.__table__.c
_R = Refund.__table__.c


def captured_payments() -> sa.Subquery:
    """Payments whose money is there, each call with an alias of its own, named as in CapturedPayment.

    The query must name its business itself. Amounts in minor units; `applied`: as far as the document took
    it. `subject_number` is the number that the subject
    has by now; when the money came it may have had another (see `rename_subject`).
    """
    return (
        sa.select(
            _A.business_id,
            _A.id,
            _A.subject_kind,
            _A.subject_id,
            _A.subject_number,
            _A.method,
            _A.captured.label("amount"),
            _A.applied,
            _A.reference,
            _A.location_id,
            _A.register_id,
            _A.business_date,
            _A.taken_at.label("at"),
            _A.taken_by_name.label("actor_name"),
        )
        .where(_A.captured > 0)
        .subquery()
    )


def made_refunds() -> sa.Subquery:
    """Refunds that are done, each call with an alias of its own, named as in MadeRefund; `subject_number` as then."""
    return (
        sa.select(
            _R.business_id,
            _R.id,
            _R.attempt_id.label("payment_id"),
            _R.subject_kind,
            _R.subject_id,
            _R.subject_number,
            _R.method,
            _R.amount,
            _R.reason,
            _R.location_id,
            _R.register_id,
            _R.business_date,
            _R.at,
            _R.made_by_name.label("actor_name"),
        )
        .where(_R.state == "done")
        .subquery()
    )


def stated_payments() -> sa.Subquery:
    """Payments whose money is there, for whoever holds a provider's statement against them.

    Each call with an alias of its own; the query must name its business itself. Amounts in minor units. `reference` is
    the number of the money, as a provider told it or a person typed it; `is_unverified`: a person's word is all there
    is of it so far.
    """
    said = sa.cast(_A.flags, sa.Text()).like('%"unverified"%')
    return (
        sa.select(
            _A.business_id,
            _A.id,
            _A.account_id,
            _A.method,
            _A.kind,
            _A.merchant_ref,
            _A.reference,
            _A.payer_phone,
            _A.captured.label("amount"),
            _A.currency,
            _A.subject_kind,
            _A.subject_id,
            _A.subject_number,
            _A.location_id,
            _A.business_date,
            _A.taken_at.label("at"),
            said.label("is_unverified"),
        )
        .where(_A.captured > 0)
        .subquery()
    )


def provider_money() -> sa.Subquery:
    """Pieces of money that providers hold, by their own numbers, each call with an alias of its own.

    `payment_id`: the payment that it counts for; without one it stands in the tray. `known_by`: `hand` where only a
    person has said so. The query must name its business.
    """
    return sa.select(
        _M.business_id,
        _M.id,
        _M.account_id,
        _M.money_key,
        _M.amount,
        _M.currency,
        _M.fee,
        _M.attempt_id.label("payment_id"),
        _M.known_by,
        _M.state,
    ).subquery()


def stated_refunds() -> sa.Subquery:
    """Refunds that are done, with the account of the payment and, as text, what the provider calls them."""
    paid = sa.and_(_A.business_id == _R.business_id, _A.id == _R.attempt_id)
    return (
        sa.select(
            _R.business_id,
            _R.id,
            _R.attempt_id.label("payment_id"),
            _A.account_id,
            _A.merchant_ref,
            _R.method,
            _R.amount,
            _R.currency,
            _R.location_id,
            _R.business_date,
            _R.at,
            sa.cast(_R.provider_ids, sa.Text()).label("called"),
        )
        .select_from(Refund.__table__.join(Attempt.__table__, paid))
        .where(_R.state == "done")
        .subquery()
    )
