"""What stands for a person or a device beside the password: second factors, API keys, registered tills, PINs."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.auth.models import GLOBAL
from kernel.db import Base, Json, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, names, secret


def _member(column: str) -> sa.ForeignKeyConstraint:
    """A reference to a person as a member of the same business."""
    return sa.ForeignKeyConstraint(
        ["business_id", column], ["kernel_membership.business_id", "kernel_membership.user_id"]
    )


class SecondFactor(Base):
    """A person's TOTP secret, sealed with the deployment's key. It counts once it is confirmed.

    last_step: the newest time step a code of which was taken; that step and those before it are used up.
    """

    __tablename__ = "kernel_second_factor"
    __table_args__ = (sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"]), {"info": GLOBAL})

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("user", whole=True))
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary, info=secret(of="user_id"))
    begun_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]
    last_step: Mapped[int] = mapped_column(default=0, server_default="0")


class RecoveryCode(Base):
    """A code for the day the phone is lost, known by a keyed hash; good for one use."""

    __tablename__ = "kernel_recovery_code"
    __table_args__ = (sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"]), {"info": GLOBAL})

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("user", whole=True))
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    used_at: Mapped[dt.datetime | None]


class ApiKey(Owned, Base):
    """A key by which a program acts for a business, within its scopes and within what its maker holds."""

    __tablename__ = "kernel_api_key"
    __table_args__ = (_member("created_by"),)

    name: Mapped[str] = mapped_column(info=impersonal("the program's"))
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(Json, info=impersonal("names of permissions"))
    created_by: Mapped[uuid.UUID] = mapped_column(info=names("user"))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class Till(Owned, Versioned, Base):
    """A device registered as a till of a location, and of a register where a plugin has registers."""

    __tablename__ = "kernel_till"
    __table_args__ = (owned_key("location_id", "kernel_location"),)

    name: Mapped[str] = mapped_column(info=impersonal("the device's"))
    location_id: Mapped[uuid.UUID]
    register_id: Mapped[uuid.UUID | None]
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    created_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class Pin(Base):
    """A person's PIN for the tills of one business: its argon2id hash, sealed with the deployment's key."""

    __tablename__ = "kernel_pin"
    __table_args__ = (_member("user_id"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("user", whole=True))
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary, info=secret(of="user_id"))
    changed_at: Mapped[dt.datetime]
