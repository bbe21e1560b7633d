"""The review queue over the API. Amounts are decimal strings in major units."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount
from kernel.wire import Currency, ListQuery, Request
from plugins.payments.schemas.reviews import Action, ReviewKind, ReviewState
from plugins.payments.schemas.values import Person, Reason, Reference, SubjectKind, SubjectNumber


class ReviewQuery(ListQuery, frozen=True, kw_only=True):
    """Which questions."""

    kind: ReviewKind | None = None
    state: ReviewState | None = None
    payment_id: UUID | None = None


class ResolveIn(Request, frozen=True, kw_only=True):
    """What is decided. `subject_id`: the open sale that money is put onto, if not its own.

    `reference`: the number of what was given back by hand.
    """

    action: Action
    note: Reason | None = None
    subject_id: UUID | None = None
    reference: Reference | None = None


class ReviewOut(Struct, frozen=True):
    """Something about money that a person must decide. `amount`: what it is about; `actions`: what may be decided."""

    id: UUID
    kind: ReviewKind
    words: Annotated[str, Meta(examples=["It was paid twice"])]
    amount: Amount | None
    currency: Currency | None
    about: Annotated[UUID, Meta(description="The payment, refund, money or notice that it is about.")]
    payment_id: UUID | None
    subject_kind: SubjectKind | None
    subject_id: UUID | None
    subject_number: SubjectNumber | None
    state: ReviewState
    opened_at: dt.datetime
    actions: list[Action]
    resolution: Annotated[
        str | None, Meta(description="The action, or `settled` where later news decided it.", examples=["refund"])
    ] = None
    note: str | None = None
    resolved_at: dt.datetime | None = None
    resolved_by: Person | None = None
