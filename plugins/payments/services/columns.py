"""Money that came and went as tables to join, for plugins that make good what they missed."""

from __future__ import annotations

import sqlalchemy as sa

from plugins.payments.models import Attempt, Refund

_A = Attempt.__table__.c
_R = Refund.__table__.c


def captured_payments() -> sa.Subquery:
    """Payments whose money is there, each call with an alias of its own, named as in CapturedPayment.

    The query must name its business itself. Amounts in minor units. `subject_number` is the number that the subject
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
