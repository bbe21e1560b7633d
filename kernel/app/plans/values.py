"""A plan as it is answered: what changes, what hinders it, what stays open, and the hash it is applied by."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from kernel.auth.businesses.switching import Hindrance
from kernel.wire import Code, Name

Action = Literal["enable", "disable"]
OnOpen = Literal["refuse", "wait", "force"]
"""What becomes of obligations when a plugin is disabled: refuse, switch off once they are met, or leave them."""
Count = Annotated[int, Meta(ge=0, examples=[12])]


class TableRows(Struct, frozen=True):
    """A table of the plugin, and how many rows of this business stand in it; all of them stay."""

    table: Annotated[str, Meta(examples=["discounts_promotion"])]
    rows: Annotated[int, Meta(ge=0, description="Counted up to 100,000.", examples=[3])]
    is_more: Annotated[bool, Meta(description="There are more than that.")] = False


class PlanRoute(Struct, frozen=True):
    """An operation of the API that appears, or goes."""

    method: Annotated[str, Meta(examples=["POST"])]
    path: Annotated[str, Meta(examples=["/api/v1/discounts/promotions"])]
    permission: Annotated[str, Meta(examples=["discounts.manage"])]
    summary: Annotated[str, Meta(examples=["Draw up a promotion"])]


class PlanPermission(Struct, frozen=True):
    """A permission that appears, or lies dormant from then on, and the roles that hold it."""

    name: Annotated[str, Meta(examples=["discounts.manage"])]
    words: Annotated[str, Meta(examples=["Draw up, activate and end promotions"])]
    roles: Annotated[list[str], Meta(examples=[["Owner", "Manager"]])]


class PlanHook(Struct, frozen=True):
    """A hook that the plugin answers: who answers it, in order, before and after the change."""

    hook: Annotated[str, Meta(examples=["price_line"])]
    before: Annotated[list[str], Meta(examples=[[]])]
    after: Annotated[list[str], Meta(examples=[["discounts"]])]


class PlanJob(Struct, frozen=True):
    """A job of the plugin: when it comes by itself, and how many wait to be run or parked."""

    name: Annotated[str, Meta(examples=["sales.give_up_waiting"])]
    cron: Annotated[str | None, Meta(examples=["17 3 * * *"])]
    next_run: dt.datetime | None
    waiting: Count


class PlanSetting(Struct, frozen=True):
    """A setting that has no value yet."""

    name: Annotated[str, Meta(examples=["points_per_unit"])]
    title: Annotated[str, Meta(examples=["Points for each unit of the currency"])]
    is_required: bool
    is_secret: bool


class PlanObligation(Struct, frozen=True):
    """Something the plugin has begun and must end."""

    name: Annotated[str, Meta(examples=["pending"])]
    words: Annotated[str, Meta(examples=["Payments that are on their way"])]
    count: Count
    finish: Annotated[str, Meta(examples=["Confirm or give up each at /payments/attempts"])]


class PlanCatchUp(Struct, frozen=True):
    """What the plugin makes good of the time it was off."""

    words: Annotated[str, Meta(examples=["Sales that the day book has no entry of"])]
    count: Count


class ChangedDocument(Struct, frozen=True):
    """A past document that would have come out otherwise."""

    id: str
    words: Annotated[str, Meta(examples=["OFFICE-000012 of 2026-11-20"])]
    before: Annotated[str, Meta(examples=["480.00"])]
    after: Annotated[str, Meta(examples=["456.00"])]


class PlanConsequence(Struct, frozen=True):
    """What past documents would have come to."""

    plugin: Annotated[str, Meta(examples=["sales"])]
    title: Annotated[str, Meta(examples=["Sales of the last 7 days"])]
    examined: Count
    of: Count
    before: Annotated[str, Meta(examples=["58960.79"])]
    after: Annotated[str, Meta(examples=["58120.29"])]
    changed: list[ChangedDocument]


class Plan(Struct, frozen=True, kw_only=True):
    """What enabling or disabling a plugin would do for this business.

    `hash` stands for everything that decides how it is done; counts and consequences, which move with every sale, are
    not part of it. A plan with hindrances cannot be applied.
    """

    plugin: Code
    title: Name
    version: Annotated[str, Meta(examples=["0.1.0"])]
    action: Action
    is_done: Annotated[bool, Meta(description="It is so already; applying changes nothing.")]
    hindrances: list[Hindrance]
    stands_on: Annotated[list[str], Meta(examples=[["catalog", "sales"]])]
    needed_by: list[str]
    routes: list[PlanRoute]
    permissions: list[PlanPermission]
    hooks: list[PlanHook]
    jobs: list[PlanJob]
    tables: list[TableRows]
    settings: list[PlanSetting]
    hosts: Annotated[list[str], Meta(examples=[["api.safaricom.co.ke"]])]
    obligations: list[PlanObligation]
    catch_up: PlanCatchUp | None
    consequences: list[PlanConsequence]
    hash: Annotated[str, Meta(examples=["5f0c…"], min_length=1)]
