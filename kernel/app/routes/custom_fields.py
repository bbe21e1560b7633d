"""Fields of a business's own, as it defines them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from kernel.custom.defining import (
    CustomFieldInUse,
    TooManyCustomFields,
    archive_field,
    change_field,
    define_field,
)
from kernel.custom.values import Kind
from kernel.db.tables import CustomField
from kernel.errors import AlreadyExists
from kernel.web import SIGNED_IN, command, page, query
from kernel.wire import ListQuery, Name, Page, Reply, Request
from kernel.work import Work

MANAGE = "custom_fields.manage"
Entity = Annotated[
    str,
    Meta(
        max_length=80,
        pattern=r"\A[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z",
        description="What carries the field: `catalog.product`, `customers.customer`, `sales.sale`.",
        examples=["catalog.product"],
    ),
]
Key = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"\A[a-z][a-z0-9_]*\Z",
        description="Its name in `custom`; never changed.",
        examples=["color"],
    ),
]
Label = Annotated[Name, Meta(examples=["Color"])]
Choice = Annotated[Name, Meta(examples=["red"])]
Choices = Annotated[
    list[Choice], Meta(max_length=100, description="Of a choice: what there is to choose from.", examples=[["red"]])
]
Kinds = Annotated[
    Kind, Meta(description="What its values are. Stays as long as there are values.", examples=["choice"])
]
Position = Annotated[int, Meta(ge=0, le=100_000, description="Fields are shown in this order.")]
RefersTo = Annotated[Entity, Meta(description="Of a reference: whose ids it holds.", examples=[None])]


class CustomFieldIn(Request, frozen=True, kw_only=True):
    """A field to add."""

    id: uuid.UUID | None = None
    entity: Entity
    key: Key
    label: Label
    kind: Kinds
    is_required: bool = False
    choices: Choices = []
    refers_to: RefersTo | None = None
    position: Position = 0


class CustomFieldPatch(Request, frozen=True, kw_only=True):
    """What changes of a field."""

    label: Label | UnsetType = UNSET
    kind: Kinds | UnsetType = UNSET
    is_required: bool | UnsetType = UNSET
    choices: Choices | UnsetType = UNSET
    refers_to: RefersTo | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET
    is_archived: bool | UnsetType = UNSET


class CustomFieldOut(Struct, frozen=True):
    """A field of the business's own."""

    id: uuid.UUID
    entity: Entity
    key: Key
    label: Label
    kind: Kinds
    is_required: bool
    choices: Choices
    refers_to: RefersTo | None
    position: Position
    is_archived: bool
    created_at: dt.datetime


class CustomFieldQuery(ListQuery, frozen=True, kw_only=True):
    """Which fields."""

    entity: Entity | None = None
    is_archived: bool | None = None


@query("/custom-fields", permission=SIGNED_IN)
async def list_custom_fields(work: Work, query: CustomFieldQuery) -> Page[CustomFieldOut]:
    """The fields of the business's own, in the order in which they are shown; archived ones too.

    For whoever works here: forms are made of them. The business's OpenAPI document shows them where `custom` stands.
    """
    statement = sa.select(CustomField.__table__).where(CustomField.business_id == work.shop.id)
    if query.entity is not None:
        statement = statement.where(CustomField.entity == query.entity)
    if query.is_archived is not None:
        statement = statement.where(CustomField.is_archived.is_(query.is_archived))
    return await page(work, statement, query, order=[CustomField.position, CustomField.id], make=_field)


@query("/custom-fields/{custom_field_id}", permission=SIGNED_IN)
async def get_custom_field(work: Work, custom_field_id: uuid.UUID) -> Reply[CustomFieldOut]:
    """One field."""
    row = await work.get(CustomField, custom_field_id)
    return Reply(_field(row), version=row.version)


@command("POST", "/custom-fields", permission=MANAGE, errors=(AlreadyExists, TooManyCustomFields))
async def add_custom_field(work: Work, data: CustomFieldIn) -> Reply[CustomFieldOut]:
    """Give products, customers, sales or what else takes fields one more. It is there at the next request.

    At most 50 of one entity are in use at once. A required field is asked of what is added from now on.
    """
    values = structs.asdict(data)
    row = await define_field(work, id_=values.pop("id"), **values)
    return Reply(_field(row), version=row.version, location=f"/api/v1/custom-fields/{row.id}")


@command("PATCH", "/custom-fields/{custom_field_id}", permission=MANAGE, errors=(CustomFieldInUse, TooManyCustomFields))
async def change_custom_field(work: Work, custom_field_id: uuid.UUID, data: CustomFieldPatch) -> Reply[CustomFieldOut]:
    """Change a field, or bring back one that was archived, with the values it had.

    Refused where stored values would not fit: another kind, another entity to refer to, a stored choice that goes.
    """
    given: dict[str, Any] = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    row = await change_field(work, custom_field_id, given)
    return Reply(_field(row), version=row.version)


@command("DELETE", "/custom-fields/{custom_field_id}", permission=MANAGE)
async def archive_custom_field(work: Work, custom_field_id: uuid.UUID) -> None:
    """Archive a field: it is shown and taken nowhere any more, its values stay, and its key stays taken."""
    await archive_field(work, custom_field_id)


def _field(row: Any) -> CustomFieldOut:
    return CustomFieldOut(
        row.id,
        row.entity,
        row.key,
        row.label,
        row.kind,
        row.is_required,
        row.choices,
        row.refers_to,
        row.position,
        row.is_archived,
        row.created_at,
    )
