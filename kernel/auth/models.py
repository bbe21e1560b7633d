"""People, their roles in businesses, their sign-ins, and the places of a business."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Json, Owned, Versioned, new_id, owned_key
from kernel.db.personal import carries, impersonal, names, personal, secret

GLOBAL = {"global": True}


class User(Versioned, Base):
    """A person who signs in. One account, any number of businesses."""

    __tablename__ = "kernel_user"
    __table_args__ = ({"info": GLOBAL | {"person": "user"}},)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True, info=personal("contact", erasing="pseudonym"))
    name: Mapped[str] = mapped_column(info=personal("name", erasing="pseudonym"))
    password_hash: Mapped[str] = mapped_column(info=secret(of="id"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    is_operator: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[dt.datetime]
    email_verified_at: Mapped[dt.datetime | None]
    password_changed_at: Mapped[dt.datetime | None]
    language: Mapped[str | None] = mapped_column(info=personal("behaviour"))
    phone: Mapped[str | None] = mapped_column(info=personal("contact"))


class Role(Owned, Versioned, Base):
    """What a member may do. A shipped role (`code`) starts with what plugins grant it; added and removed are edits.

    `limits`: name → decimal string or None, where the business has set one itself. needs_second_factor: its people may
    do nothing here, signed in by password, before they have a second factor.
    """

    __tablename__ = "kernel_role"
    __table_args__ = (sa.UniqueConstraint("business_id", "name"),)

    code: Mapped[str | None]
    name: Mapped[str] = mapped_column(info=impersonal("the role's"))
    added: Mapped[list[str]] = mapped_column(Json, default=list, info=impersonal("names of permissions"))
    removed: Mapped[list[str]] = mapped_column(Json, default=list, info=impersonal("names of permissions"))
    limits: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict, server_default="{}", info=impersonal("names of limits, and amounts")
    )
    needs_second_factor: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class Membership(Base):
    """A user's place in a business. `locations`: ids of those they work at; None for all.

    pending_until: made with a first password, waits for the first sign-in. seen_at: the last sign-in (by PIN too),
    refresh, or use of an API key of theirs in this business.
    """

    __tablename__ = "kernel_membership"
    __table_args__ = (
        sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"]),
        sa.ForeignKeyConstraint(["business_id"], ["kernel_business.id"]),
        owned_key("role_id", "kernel_role"),
        {"info": GLOBAL},
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True, info=names("user", whole=True))
    role_id: Mapped[uuid.UUID]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    locations: Mapped[list[str] | None] = mapped_column(Json, info=impersonal("ids"))
    joined_at: Mapped[dt.datetime | None]
    seen_at: Mapped[dt.datetime | None]
    pending_until: Mapped[dt.datetime | None]


class SupportAccess(Base):
    """What a business lets operators of the deployment do in it, and until when. Without a role they only read."""

    __tablename__ = "kernel_support_access"
    __table_args__ = (owned_key("role_id", "kernel_role"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    role_id: Mapped[uuid.UUID | None]
    reason: Mapped[str] = mapped_column(info=personal("free_text", of=""))
    granted_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    granted_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class SignIn(Base):
    """One sign-in on one device: the family of its refresh tokens. Revoked, every token of it is dead.

    seen_at: the last refresh, so that being seen costs no write of its own. device: the name the device gave itself;
    device_id: the known device, if the client keeps device tokens.
    till_id, till_business_id: the registered till where it was made by PIN; it is good for that business alone, and
    only as long as the till is registered.
    """

    __tablename__ = "kernel_sign_in"
    __table_args__ = (sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"]), {"info": GLOBAL})

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(index=True, info=names("user", whole=True))
    created_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    address: Mapped[str | None] = mapped_column(info=personal("contact", of="user_id"))
    device: Mapped[str | None] = mapped_column(info=personal("behaviour", of="user_id"))
    seen_at: Mapped[dt.datetime | None]
    device_id: Mapped[uuid.UUID | None]
    till_business_id: Mapped[uuid.UUID | None]
    till_id: Mapped[uuid.UUID | None]


class Device(Base):
    """A device someone has signed in from, known by the hash of a token of its own. It opens nothing by itself."""

    __tablename__ = "kernel_device"
    __table_args__ = (sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"]), {"info": GLOBAL})

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(index=True, info=names("user", whole=True))
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]


class MailToken(Base):
    """A token of a mailed link, known by its hash: for one purpose, one use, a short life.

    email: where it was sent, or the address it is to prove. was_mailed is false for a code handed over by a person.
    """

    __tablename__ = "kernel_mail_token"
    __table_args__ = (sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"]), {"info": GLOBAL})

    hash: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    purpose: Mapped[str] = mapped_column(info=impersonal("a code"))
    user_id: Mapped[uuid.UUID | None] = mapped_column(index=True, info=names("user", whole=True))
    business_id: Mapped[uuid.UUID | None]
    invitation_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    email: Mapped[str] = mapped_column(info=personal("contact", of="", erasing="pseudonym"))
    was_mailed: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class Invitation(Owned, Base):
    """A place in a business offered to an e-mail address. Open until accepted, revoked or expired."""

    __tablename__ = "kernel_invitation"
    __table_args__ = (
        owned_key("role_id", "kernel_role"),
        sa.Index(
            "ix_kernel_invitation_open",
            "business_id",
            "email",
            unique=True,
            postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
            sqlite_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    email: Mapped[str] = mapped_column(info=personal("contact", of="", erasing="pseudonym"))
    name: Mapped[str | None] = mapped_column(info=personal("name", of=""))
    role_id: Mapped[uuid.UUID]
    location_ids: Mapped[list[str] | None] = mapped_column(Json, info=impersonal("ids"))
    invited_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    invited_by_name: Mapped[str] = mapped_column(info=personal("name", of="invited_by", erasing="pseudonym"))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class RefreshToken(Base):
    """A refresh token, known by its hash; good for one use. repeats: how often it was answered again in its grace."""

    __tablename__ = "kernel_refresh_token"
    __table_args__ = (sa.ForeignKeyConstraint(["sign_in_id"], ["kernel_sign_in.id"]), {"info": GLOBAL})

    hash: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    sign_in_id: Mapped[uuid.UUID] = mapped_column(index=True)
    business_id: Mapped[uuid.UUID | None]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    repeats: Mapped[int] = mapped_column(default=0, server_default="0")


class Limit(Base):
    """How often something was tried in the current window, counted across processes."""

    __tablename__ = "kernel_limit"
    __table_args__ = ({"info": GLOBAL},)

    key: Mapped[str] = mapped_column(primary_key=True, info=carries("the account or the address that tried"))
    window_ends: Mapped[dt.datetime]
    count: Mapped[int]


class Location(Owned, Versioned, Base):
    """A storefront or a warehouse. `day_cutoff` is minutes after midnight at which its business day begins."""

    __tablename__ = "kernel_location"
    __table_args__ = (sa.UniqueConstraint("business_id", "code"), {"info": CONFIGURATION})

    code: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the place's"))
    kind: Mapped[str]
    region: Mapped[str]
    subdivision: Mapped[str | None] = mapped_column(info=impersonal("the place's"))
    zone: Mapped[str]
    day_cutoff: Mapped[int] = mapped_column(default=0, server_default="0")
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
