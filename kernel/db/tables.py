"""The kernel's own tables that the unit of work reads and writes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import CONFIGURATION, Base, Json, Owned, Versioned, new_id
from kernel.db.personal import carries, impersonal, kept, names

GLOBAL = {"global": True}
WHO_DID_IT = "the trail of who did what is evidence, kept as long as the books are"


class Business(Versioned, Base):
    """A tenant. `epoch` rises with every change of what is switched on for it, `configuration` of what is configured.

    Suspended, it answers nobody; deleted, it is not active, and this row is all that is left of it.
    """

    __tablename__ = "kernel_business"
    __table_args__ = ({"info": GLOBAL},)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(unique=True, info=impersonal("the business's"))
    name: Mapped[str] = mapped_column(info=impersonal("the business's"))
    region: Mapped[str]
    subdivision: Mapped[str | None] = mapped_column(info=impersonal("the business's"))
    currency: Mapped[str]
    zone: Mapped[str]
    tax_number: Mapped[str | None] = mapped_column(info=impersonal("the business's"))
    epoch: Mapped[int] = mapped_column(default=1, server_default="1")
    configuration: Mapped[int] = mapped_column(default=1, server_default="1")
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    created_at: Mapped[dt.datetime]
    suspended_at: Mapped[dt.datetime | None]
    suspended_reason: Mapped[str | None] = mapped_column(info=impersonal("why a business was suspended"))
    exported_at: Mapped[dt.datetime | None]
    deleting_at: Mapped[dt.datetime | None]
    deleted_at: Mapped[dt.datetime | None]


class BusinessPlugin(Base):
    """Whether a plugin is enabled for a business, and since when."""

    __tablename__ = "kernel_business_plugin"
    __table_args__ = ({"info": CONFIGURATION},)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    changed_at: Mapped[dt.datetime]
    settings: Mapped[dict[str, Any] | None] = mapped_column(
        Json, info={"secret": True} | carries("what a plugin lets people set")
    )
    settings_version: Mapped[int] = mapped_column(default=0, server_default="0")


class DeploymentSetting(Base):
    """What operators have set for a plugin, for all businesses. locked: settings that no business changes."""

    __tablename__ = "kernel_deployment_setting"
    __table_args__ = ({"info": GLOBAL | CONFIGURATION},)

    plugin: Mapped[str] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]] = mapped_column(
        Json, info={"secret": True} | impersonal("what operators set for all businesses")
    )
    locked: Mapped[list[str]] = mapped_column(Json, info=impersonal("names of settings"))
    settings_version: Mapped[int]


class LocationSetting(Base):
    """What a business has set for a plugin at one of its locations."""

    __tablename__ = "kernel_location_setting"
    __table_args__ = (
        sa.ForeignKeyConstraint(["business_id", "location_id"], ["kernel_location.business_id", "kernel_location.id"]),
        {"info": CONFIGURATION},
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    location_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]] = mapped_column(
        Json, info={"secret": True} | carries("what a plugin lets people set")
    )
    settings_version: Mapped[int]


class Trip(Base):
    """A plugin whose answers to a hook failed for a business; tripped, they are left out until somebody resets it.

    strikes: failures since the first, or since it was reset. reason: the last one, in words. recent: when those were
    that may still trip it, ISO 8601.
    """

    __tablename__ = "kernel_trip"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    hook: Mapped[str] = mapped_column(primary_key=True, info=impersonal("the hook's name"))
    reason: Mapped[str] = mapped_column(info=impersonal("how an answer failed, without what it said"))
    strikes: Mapped[int]
    recent: Mapped[list[str]] = mapped_column(Json, server_default="[]", info=impersonal("instants"))
    first_strike_at: Mapped[dt.datetime]
    last_strike_at: Mapped[dt.datetime]
    tripped_at: Mapped[dt.datetime | None]
    reset_at: Mapped[dt.datetime | None]
    reset_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))


class Release(Base):
    """A plugin of the deployment: the version whose migrations have run, and why it was set aside, if it was."""

    __tablename__ = "kernel_release"
    __table_args__ = ({"info": GLOBAL},)

    plugin: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None] = mapped_column(info=impersonal("why a plugin could not be loaded"))
    changed_at: Mapped[dt.datetime]


class Epoch(Base):
    """The epochs above a business: of the deployment, and of each region (`region:KE`)."""

    __tablename__ = "kernel_epoch"
    __table_args__ = ({"info": GLOBAL},)

    scope: Mapped[str] = mapped_column(primary_key=True, info=impersonal("`deployment` or a region"))
    value: Mapped[int] = mapped_column(default=1, server_default="1")


class Idempotency(Base):
    """One key of one person on one route, with the answer it got. Kept for eight days."""

    __tablename__ = "kernel_idempotency"
    __table_args__ = (sa.Index("ix_kernel_idempotency_created_at", "created_at"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    principal: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("user"))
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True, info=impersonal("a random text of the client's", hidden=True))
    request_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("ETag, Location, media type"))
    body: Mapped[str | None] = mapped_column(info=carries("the stored answer"))
    created_at: Mapped[dt.datetime]


class Series(Base):
    """A gap-free number series: the last number given."""

    __tablename__ = "kernel_series"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True, info=impersonal("a series of document numbers"))
    last: Mapped[int]


class Job(Base):
    """The header of a job. Its payload stands apart, under the business's row-level security."""

    __tablename__ = "kernel_job"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "dedup"),
        sa.Index("ix_kernel_job_ready", "state", "run_at"),
        sa.Index("ix_kernel_job_business_id_id", "business_id", "id"),
        {"info": GLOBAL | {"ignore_duplicates": True}},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    business_id: Mapped[uuid.UUID]
    plugin: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the job's"))
    state: Mapped[str] = mapped_column(default="pending", server_default="pending")
    run_at: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    max_attempts: Mapped[int] = mapped_column(default=8, server_default="8")
    dedup: Mapped[str | None] = mapped_column(info=impersonal("made of names of jobs, ids and times"))
    error: Mapped[str | None] = mapped_column(info=carries("what the job raised"))
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class JobPayload(Base):
    """What a job was asked to do."""

    __tablename__ = "kernel_job_payload"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    job_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Json, info=carries("what a plugin asked for"))


class Schedule(Base):
    """When a plugin's scheduled job is next due for a business."""

    __tablename__ = "kernel_schedule"
    __table_args__ = (sa.Index("ix_kernel_schedule_next_run", "next_run"), {"info": GLOBAL})

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(primary_key=True, info=impersonal("the job's name"))
    cron: Mapped[str]
    next_run: Mapped[dt.datetime]


class Audit(Owned, Base):
    """Who did what, when, where and why; never changed."""

    __tablename__ = "kernel_audit"
    __table_args__ = (
        sa.Index("ix_kernel_audit_business_id_at", "business_id", "at"),
        {"info": {"append_only": True}},
    )

    at: Mapped[dt.datetime]
    actor_id: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    actor_name: Mapped[str] = mapped_column(info=kept("name", WHO_DID_IT, of="actor_id"))
    deed: Mapped[str] = mapped_column(info=impersonal("the operation"))
    subject: Mapped[str | None] = mapped_column(info=impersonal("a kind and an id"))
    reason: Mapped[str | None] = mapped_column(info=kept("free_text", WHO_DID_IT, of="actor_id"))
    facts: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("ids, amounts and codes; never values"))
    request_id: Mapped[str | None] = mapped_column(info=impersonal("a random text"))
    address: Mapped[str | None] = mapped_column(info=kept("contact", WHO_DID_IT, of="actor_id"))
    epoch: Mapped[int]
    changes: Mapped[list[dict[str, Any]] | None] = mapped_column(
        Json, info=impersonal("of personal columns only that they changed", hidden=True)
    )
    location_id: Mapped[uuid.UUID | None]
    register_id: Mapped[uuid.UUID | None]
    supporting: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class AuditSeal(Base):
    """A link of a business's chain: hash = SHA-256 of the hash before it and the audit row it seals."""

    __tablename__ = "kernel_audit_seal"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "audit_id"),
        {"info": {"append_only": True}},
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger(), primary_key=True, autoincrement=False)
    audit_id: Mapped[uuid.UUID]
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary, info={"secret": False})
    sealed_at: Mapped[dt.datetime]


class AuditAnchor(Base):
    """The head of a business's chain as it stood when a day was anchored; also kept outside the database."""

    __tablename__ = "kernel_audit_anchor"
    __table_args__ = ({"info": {"append_only": True}},)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger())
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary, info={"secret": False})
    anchored_at: Mapped[dt.datetime]


class AuditWatch(Base):
    """What is known of a trail (the nil id: the deployment's own): last sealed to its end, last looked at, found whole.

    fault: what a verification found, in words; it stays until somebody has verified the chain by hand and found it
    whole.
    """

    __tablename__ = "kernel_audit_watch"
    __table_args__ = ({"info": GLOBAL},)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sealed_at: Mapped[dt.datetime]
    looked_at: Mapped[dt.datetime | None]
    verified_at: Mapped[dt.datetime | None]
    fault: Mapped[str | None] = mapped_column(info=impersonal("numbers and ids of rows of a trail"))


class Approval(Owned, Base):
    """A deed beyond somebody's limit, and what a second person says to it.

    action: the limit or permission that stood in the way; amount is scaled by `kernel.money.MICRO`, None where none was
    asked for. digest: hash of the request that was refused; only the same one may use the approval, once.
    state: waiting, approved, refused or used.
    """

    __tablename__ = "kernel_approval"
    __table_args__ = (sa.Index("ix_kernel_approval_business_id_requested_by", "business_id", "requested_by"),)

    action: Mapped[str] = mapped_column(info=impersonal("a limit or permission"))
    amount: Mapped[int | None]
    digest: Mapped[str] = mapped_column(info=impersonal("a digest", hidden=True))
    words: Mapped[str] = mapped_column(info=kept("free_text", WHO_DID_IT))
    deed: Mapped[str] = mapped_column(info=impersonal("the operation"))
    location_id: Mapped[uuid.UUID | None]
    register_id: Mapped[uuid.UUID | None]
    requested_by: Mapped[uuid.UUID] = mapped_column(info=names("user"))
    requested_by_name: Mapped[str] = mapped_column(info=kept("name", WHO_DID_IT, of="requested_by"))
    requested_at: Mapped[dt.datetime]
    state: Mapped[str]
    expires_at: Mapped[dt.datetime]
    answered_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    answered_by_name: Mapped[str | None] = mapped_column(info=kept("name", WHO_DID_IT, of="answered_by"))
    answered_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None] = mapped_column(info=kept("free_text", WHO_DID_IT))
    used_at: Mapped[dt.datetime | None]
    used_for: Mapped[str | None] = mapped_column(info=impersonal("a kind and an id"))


class Erased(Owned, Base):
    """A tombstone: somebody was erased here. It holds no data of theirs; see `duka personal erase-again`."""

    __tablename__ = "kernel_erased"
    __table_args__ = (sa.UniqueConstraint("business_id", "kind", "subject_hash"), {"info": {"append_only": True}})

    kind: Mapped[str]
    subject_hash: Mapped[str] = mapped_column(info=impersonal("a digest"))
    erased_at: Mapped[dt.datetime]
    erased_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))


class CustomField(Owned, Versioned, Base):
    """A field that a business has given its products, customers or another entity.

    entity: what carries it, as `catalog.product`. key: its name in `custom`, never changed. choices: of a choice.
    refers_to: the entity whose ids a reference holds. Archived, it is shown nowhere and its values stay.
    """

    __tablename__ = "kernel_custom_field"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "entity", "key"),
        sa.UniqueConstraint("business_id", "id", "kind"),
        {"info": CONFIGURATION},
    )

    entity: Mapped[str] = mapped_column(info=impersonal("a kind of thing"))
    key: Mapped[str] = mapped_column(info=impersonal("a field's name"))
    label: Mapped[str] = mapped_column(info=impersonal("a field's name"))
    kind: Mapped[str]
    is_required: Mapped[bool]
    choices: Mapped[list[str]] = mapped_column(info=impersonal("what the shop lets people choose"))
    refers_to: Mapped[str | None] = mapped_column(info=impersonal("a kind of thing"))
    position: Mapped[int]
    is_archived: Mapped[bool]
    created_at: Mapped[dt.datetime]
