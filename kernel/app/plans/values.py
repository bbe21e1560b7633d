"""A plan as it is answered: what changes, what hinders it, what stays open, and the hash it is applied by."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from kernel.auth.businesses.switching import Hindrance
from kernel.wire import Code, Name

Switching = Literal["enable", "disable"]
"""What is done for one business."""
Deploying = Literal["install", "upgrade", "uninstall"]
"""What is done for the whole deployment, by its operators."""
Action = Literal["enable", "disable", "install", "upgrade", "uninstall"]
Effect = Literal["none", "short", "blocks-writes", "rewrites", "loses-data", "unknown"]
"""On a table that is there: nothing; a lock for a moment; writers wait as long as it runs; every row is written anew
while everybody waits; rows or columns go; not known without running it."""
OnOpen = Literal["refuse", "wait", "force"]
"""What becomes of obligations when a plugin is disabled: refuse, switch off once they are met, or leave them."""
Count = Annotated[int, Meta(ge=0, examples=[12])]
ArchiveName = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]*\.zip\Z")]


class Statement(Struct, frozen=True):
    """One statement of a migration. table: the one it works on, where it was there before."""

    sql: Annotated[str, Meta(examples=["ALTER TABLE discounts_promotion ADD COLUMN budget BIGINT"])]
    effect: Effect
    table: str | None = None


class Revision(Struct, frozen=True):
    """One migration. is_whole: all of its statements are here; one that reads first cannot be told ahead."""

    revision: Annotated[str, Meta(examples=["discounts_0003"])]
    words: str
    statements: list[Statement]
    is_whole: bool


class KeptArchive(Struct, frozen=True):
    """An archive of the plugin's data, kept below the deployment's home since it was uninstalled."""

    name: Annotated[str, Meta(examples=["discounts-0.1.0-20261121T091403.zip"])]
    bytes: Count
    made_at: dt.datetime


class TableRows(Struct, frozen=True):
    """A table of the plugin, and how many rows stand in it: of this business, or in a plan of operators of all."""

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
    """A permission that appears, or lies dormant from then on, and the roles that hold it, or begin with it."""

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


class PlanPart(Struct, frozen=True, kw_only=True):
    """What comes or goes with one plugin."""

    plugin: Code
    title: Name
    version: Annotated[str, Meta(examples=["0.1.0"])]
    stands_on: Annotated[list[str], Meta(examples=[["catalog", "sales"]])]
    needed_by: Annotated[list[str], Meta(description="Plugins that stand on it and are on, or installed.")]
    conflicts: Annotated[list[str], Meta(description="Installed plugins that it cannot be on beside.")] = []
    routes: list[PlanRoute]
    permissions: list[PlanPermission]
    hooks: Annotated[list[PlanHook], Meta(description="For operators: as in a business that has everything on.")]
    jobs: list[PlanJob]
    tables: list[TableRows]
    settings: list[PlanSetting]
    hosts: Annotated[list[str], Meta(examples=[["api.safaricom.co.ke"]])]
    obligations: list[PlanObligation]
    catch_up: PlanCatchUp | None


class Plan(PlanPart, frozen=True, kw_only=True):
    """What an action would do: to enable or disable for this business; to install, upgrade or uninstall for all.

    `hash` stands for everything that decides how it is done; counts and consequences, which move with every sale, are
    not part of it. A plan with hindrances cannot be applied. One of several plugins is carried out as a whole or not
    at all: `turn` has all of them in their order, `along` what comes or goes with the others.
    """

    version_before: Annotated[str | None, Meta(description="What is installed, to install or upgrade.")] = None
    action: Action
    is_done: Annotated[bool, Meta(description="It is so already; applying changes nothing.")]
    turn: Annotated[list[str], Meta(description="The plugins, in the order they are switched.", examples=[["sales"]])]
    along: Annotated[list[PlanPart], Meta(description="The others that are switched with it, in their order.")] = []
    hindrances: list[Hindrance]
    businesses: Annotated[list[str], Meta(description="Slugs of those that have it on; only for operators.")] = []
    migrations: Annotated[list[Revision], Meta(description="What would run, with what it does to tables in use.")] = []
    kept: Annotated[list[str], Meta(description="Tables that the law wants kept, read-only, to uninstall.")] = []
    consequences: list[PlanConsequence]
    archives: Annotated[list[KeptArchive], Meta(description="To install with the data of one of them, name it.")] = []
    archive: Annotated[str | None, Meta(description="The one it would be installed from.")] = None
    restart: Annotated[str | None, Meta(description="What must be started anew before it acts.")] = None
    hash: Annotated[str, Meta(examples=["5f0c…"], min_length=1)]

    @property
    def parts(self) -> list[PlanPart]:
        """What comes or goes with each plugin, in their turn."""
        by_name: dict[str, PlanPart] = {one.plugin: one for one in (*self.along, self)}
        return [by_name[name] for name in self.turn]
