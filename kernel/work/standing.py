"""Who acts, for which business, with what switched on: read once at the gate, true for the whole deed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kernel import money

NO_BUSINESS = uuid.UUID(int=0)
"""Owner of rows that belong to the deployment itself."""


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a person, an API key, a registered till, or Duka itself when a job or a command line acts.

    permissions: None holds everything. key_id: the API key, whose id is then `id` too. till_id: the registered till at
    which the person signed in by PIN, or, where `id` is None, the device itself. supporting: an operator let in by the
    business for a while.
    limits: how far permissions reach, scaled by `kernel.money.MICRO`; None for no limit, a name not there is 0.
    locations: where the person works; None for everywhere.
    """

    id: uuid.UUID | None
    name: str
    permissions: frozenset[str] | None
    is_operator: bool = False
    session_id: uuid.UUID | None = None
    key_id: uuid.UUID | None = None
    till_id: uuid.UUID | None = None
    supporting: bool = False
    limits: Mapping[str, int | None] = {}
    locations: frozenset[uuid.UUID] | None = None

    @property
    def in_person(self) -> bool:
        """Whether a person acts who signed in with their password: no key, no PIN at a till."""
        return self.id is not None and self.key_id is None and self.till_id is None

    def may(self, permission: str) -> bool:
        """Whether the actor holds a permission."""
        return self.permissions is None or permission in self.permissions

    def limit(self, name: str) -> int | None:
        """How far the actor may go, scaled by `kernel.money.MICRO`; None: as far as they like."""
        return None if self.permissions is None else self.limits.get(name, 0)

    def works_at(self, location_id: uuid.UUID | None) -> bool:
        """Whether the actor may see and do what belongs to a location; what belongs to none is everybody's."""
        return self.locations is None or location_id is None or location_id in self.locations


SYSTEM = Actor(None, "Duka", None)


class Epochs(msgspec.Struct, frozen=True):
    """The version numbers of what is switched on, for the deployment, the region, the business; of what it configured.

    A deed whose plugins changed under it runs again; what is configured is as it was when the deed began.
    """

    deployment: int
    region: int
    business: int
    configuration: int = 0


class Shop(msgspec.Struct, frozen=True):
    """The business a deed is done for."""

    id: uuid.UUID
    slug: str
    name: str
    region: str
    subdivision: str | None
    currency: str
    zone: str
    tax_number: str | None = None

    @property
    def exponent(self) -> int:
        """Decimals of the business's currency."""
        return money.exponent(self.currency)

    @property
    def tz(self) -> ZoneInfo:
        """The business's time zone."""
        return ZoneInfo(self.zone)


class Standing(msgspec.Struct, frozen=True):
    """The ground a deed stands on. `shop` is None for what an operator does above all businesses.

    suspended: the operator of the deployment has closed the business for now. read_only: only queries may be asked.
    must_enrol: the business demands a second factor of the person's role, and there is none yet. tripped: plugins and
    hooks whose answers are left out here, since they failed too often. draining: of what is enabled, what goes off once
    it has ended what it has begun.
    """

    actor: Actor
    shop: Shop | None
    enabled: frozenset[str]
    epochs: Epochs
    suspended: bool = False
    read_only: bool = False
    must_enrol: bool = False
    tripped: frozenset[tuple[str, str]] = frozenset()
    draining: frozenset[str] = frozenset()

    @property
    def business_id(self) -> uuid.UUID:
        """The business's id, or the id that stands for the deployment."""
        return self.shop.id if self.shop else NO_BUSINESS


class Origin(msgspec.Struct, frozen=True):
    """Where a deed came from, for the audit trail, and what was asked.

    request: the parameters and the body, as plain JSON. approvals: those the request names; asks: it says that it means
    what is refused without a second word.
    """

    deed: str
    request_id: str | None = None
    address: str | None = None
    request: Any = None
    approvals: tuple[uuid.UUID, ...] = ()
    asks: bool = False


def business_date(at: dt.datetime, zone: ZoneInfo, cutoff_minutes: int = 0) -> dt.date:
    """The business day of an instant: local time minus the day's cut-off (domain rule D1)."""
    return (at.astimezone(zone) - dt.timedelta(minutes=cutoff_minutes)).date()
