"""Plugins of the whole deployment: what operators plan and apply at the same doors as businesses."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from kernel.app.plans import (
    Action,
    Carried,
    Deploying,
    OnOpen,
    Plan,
    PlanStale,
    RevisionFailed,
    apart,
    carry_out_alone,
    carry_out_once,
    carry_out_plan,
    plan_deployment,
)
from kernel.app.plans.values import ArchiveName
from kernel.app.portable import FileFault
from kernel.app.portable.reading import UnknownTables
from kernel.app.restore import NotEmpty
from kernel.app.uninstalling import ArchiveStale, Busy
from kernel.auth.businesses.switching import Hindrance
from kernel.errors import Conflict, Invalid, PluginFault
from kernel.web import OPERATOR, Route, Scene, flow
from kernel.wire import Code, Line, Name, Region, Request
from kernel.work import Deployment, Origin

State = Literal["enabled", "draining", "available", "uninstalled", "quarantined"]
LONGEST_S = 600.0
"""An archive of millions of rows takes minutes; what is under way when the time is over goes on to its end."""
_From = Annotated[
    ArchiveName | None,
    Meta(description="To install with the data of one of the plan's archives.", examples=[None]),
]


_Also = Annotated[
    list[Code],
    Meta(max_length=100, description="Other plugins to enable or disable in the same plan.", examples=[[]]),
]
_Along = Annotated[
    bool,
    Meta(description="To enable, with all that it stands on and is off; to disable, with all that stands on it."),
]


class PlanIn(Request, frozen=True):
    """What is to be planned."""

    action: Action
    also: _Also = []
    along: _Along = False
    archive: _From = None


class ApplyIn(Request, frozen=True):
    """The plan to carry out, by the hash that it was answered with; `also` and `along` as it was asked for.

    on_open: what becomes of obligations that are open when a plugin is disabled; `force` takes a reason.
    """

    action: Action
    hash: Annotated[str, Meta(min_length=64, max_length=64, pattern=r"\A[0-9a-f]+\Z", examples=["5f0c" * 16])]
    also: _Also = []
    along: _Along = False
    on_open: OnOpen = "refuse"
    reason: Line = ""
    archive: _From = None


class ArchiveOut(Struct, frozen=True):
    """The file that holds the data of what was uninstalled, on the machine that answered. tables: rows of each."""

    path: Annotated[str, Meta(examples=["/var/lib/duka/archives/discounts-0.1.0-20261121T091403.zip"])]
    bytes: int
    sha256: str
    tables: dict[str, int]


class PluginOut(Struct, frozen=True):
    """A plugin of the deployment, and whether it is on for this business.

    Draining, it is still on, and goes off once what it has begun is ended. Uninstalled, its data is in an archive;
    quarantined, it could not be loaded or migrated.
    """

    name: Code
    title: Name
    summary: str
    version: Annotated[str, Meta(examples=["0.1.0"])]
    state: State
    depends: list[str]
    needed_by: list[str]
    reason: Annotated[str | None, Meta(description="Why it was set aside.")] = None
    along: Annotated[
        list[str], Meta(description="The others that were switched as it was applied.", examples=[[]])
    ] = []
    migrated: Annotated[list[str], Meta(description="The migrations that ran as it was applied.")] = []
    archive: ArchiveOut | None = None
    restart: Annotated[str | None, Meta(description="What must be started anew before it acts.")] = None
    hindrances: Annotated[
        list[Hindrance],
        Meta(description="What keeps it, by the other plugins, from being switched on or off here now."),
    ] = []
    version_installed: Annotated[
        str | None,
        Meta(description="Another than `version`: operators have an upgrade to carry out.", examples=["0.1.0"]),
    ] = None
    regions: Annotated[list[Region], Meta(description="Where it is of use; empty: everywhere.", examples=[["KE"]])] = []


class PictureOut(Struct, frozen=True):
    """A picture of a plugin's pages. path: where it is served to anybody."""

    path: Annotated[str, Meta(examples=["/static/catalog/pictures/products.webp?v=5f0c…"])]
    words: Annotated[str, Meta(description="What it shows.", examples=["Products with prices and stock"])]
    width: Annotated[int, Meta(ge=1, examples=[960])]
    height: Annotated[int, Meta(ge=1, examples=[600])]


class PluginWhole(PluginOut, frozen=True):
    """A plugin with what it says of itself."""

    description: Annotated[str, Meta(description="Its first page of documentation, as Markdown.")] = ""
    publisher: Annotated[str | None, Meta(examples=["Duka"])] = None
    licence: Annotated[str | None, Meta(examples=["Apache-2.0"])] = None
    address: Annotated[str | None, Meta(description="Its page on the web.", examples=["https://example.com"])] = None
    is_bundled: Annotated[bool, Meta(description="It comes with Duka.")] = False
    wishes: Annotated[list[str], Meta(description="What it works with where that is on.", examples=[["console"]])] = []
    conflicts: Annotated[list[str], Meta(description="What it cannot be on beside.", examples=[[]])] = []
    hosts: Annotated[list[str], Meta(examples=[["api.safaricom.co.ke"]])] = []
    pictures: list[PictureOut] = []


def _deploying(data: PlanIn | ApplyIn) -> Any:
    """The action, which is one for the deployment: each is of one plugin."""
    for name in ("also", "along"):
        if getattr(data, name):
            raise Invalid.at(f"/{name}", "Only to enable or disable")
    return data.action


async def plan_for_deployment(scene: Scene, name: Code, data: PlanIn) -> Plan:
    """What it would do to the deployment."""
    action: Any = _deploying(data)
    await scene.pause()
    return await apart(
        scene.deployment, lambda own: plan_deployment(own, name, action, archive=data.archive, serving=True)
    )


async def apply_to_deployment(scene: Scene, name: Code, data: ApplyIn) -> PluginOut:
    """Carry it out."""
    action: Any = _deploying(data)
    actor, enabled = scene.standing.actor, scene.standing.enabled
    origin = Origin("plugins.apply_to_deployment", scene.visit.request_id, scene.address)
    key = scene.key
    await scene.pause()
    said: dict[str, Any] = {"hash_": data.hash, "archive": data.archive, "serving": True}
    said |= {"actor": actor, "origin": origin}

    async def carry_out(own: Deployment) -> tuple[bytes, bool]:
        def encode(done: Carried) -> bytes:
            return msgspec.json.encode(_out(done, enabled))

        async def alone(was_begun: bool) -> Carried:
            return await carry_out_alone(own, name, action, was_begun=was_begun, **said)

        if key is None:
            return encode(await carry_out_plan(own, name, action, **said)), False
        return await carry_out_once(own, key, alone, encode)

    answer, scene.is_replay = await apart(scene.deployment, carry_out)
    return msgspec.json.decode(answer, type=PluginOut)


def _out(done: Carried, enabled: frozenset[str]) -> PluginOut:
    plan, made = done.plan, done.uninstalled.archive if done.uninstalled else None
    state: State = "enabled" if plan.plugin in enabled else "available"
    tables = {name: said.rows for name, said in made.manifest.tables.items()} if made else {}
    return PluginOut(
        plan.plugin,
        plan.title,
        "",
        plan.version,
        "uninstalled" if plan.action == "uninstall" else state,
        plan.stands_on,
        plan.needed_by,
        migrated=done.migrated,
        archive=ArchiveOut(made.path, made.bytes, made.sha256, tables) if made else None,
        restart=plan.restart,
    )


_REFUSALS = (PluginFault, PlanStale, RevisionFailed, Busy, FileFault, NotEmpty, UnknownTables, ArchiveStale, Conflict)
_plans = flow("POST", "/plugins/{name}/plan", permission=OPERATOR, longest_s=LONGEST_S)(plan_for_deployment)
_applies = flow(
    "POST", "/plugins/{name}/apply", permission=OPERATOR, errors=_REFUSALS, longest_s=LONGEST_S, keyed=True
)(apply_to_deployment)
PLANS: dict[str, Route] = dict.fromkeys(get_args(Deploying), _plans)
APPLIES: dict[str, Route] = dict.fromkeys(get_args(Deploying), _applies)
