"""Settings of plugins: what there is to set, what is set at which level, and setting it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from kernel.app import setting
from kernel.app.setting import Change, Place, SettingLocked
from kernel.auth.models import Location
from kernel.errors import Forbidden
from kernel.registry import Loaded
from kernel.web import OPERATOR, command, query
from kernel.wire import Code, Level, Name, Page, Reply, Request
from kernel.work import Work
from kernel.work.configuring import secret_names
from kernel.work.levels import LEVELS, Levels, Source, Stored, Whole, levels_of, whole

MANAGE = "settings.manage"
DEPLOYMENT = Place("deployment")


class SettingOut(Struct, frozen=True):
    """Where a value comes from. `is_own`: it is set at this level. `above`: what counts without that, null for secrets.

    levels: where it may be set at all. may_change: it may be set at this level, and no operator has locked it.
    """

    source: Source
    is_own: bool
    may_change: bool
    is_locked: bool
    above: Any
    above_source: Source
    levels: list[Level]


class SettingsOut(Struct, frozen=True):
    """What a plugin lets be set, as it counts at a level. `schema` describes `values`; secrets are never among them.

    secrets: name of each secret → whether it is set. missing: settings without a default that have no value yet.
    laid_aside: levels whose values do not fit with the others, and so do not count here; `misfit` says why.
    """

    plugin: Code
    title: Name
    values: Annotated[dict[str, Any], Meta(examples=[{"points_per_unit": 1}])]
    secrets: Annotated[dict[str, bool], Meta(examples=[{"consumer_secret": True}])]
    missing: list[str]
    schema: Annotated[dict[str, Any], Meta(description="JSON Schema.", examples=[{"type": "object"}])]
    level: Level
    location_id: uuid.UUID | None
    fields: Annotated[dict[str, SettingOut], Meta(description="Each setting: where its value comes from.")]
    laid_aside: list[Level]
    misfit: Annotated[str, Meta(examples=[""])]


_Values = Annotated[
    dict[str, Any],
    Meta(
        max_length=200,
        description="Name → value. Null: nothing, where a setting with several levels may be that; else as above.",
        examples=[{"points_per_unit": 2}],
    ),
]
_Reset = Annotated[
    tuple[Code, ...],
    Meta(max_length=200, description="Given back to the level above, whatever `values` says.", examples=[[]]),
]


class SettingsPatch(Request, frozen=True):
    """What changes."""

    values: _Values = {}
    reset: _Reset = ()


class DeploymentSettingsPatch(Request, frozen=True):
    """What changes for all businesses."""

    values: _Values = {}
    reset: _Reset = ()
    locked: Annotated[
        dict[str, bool],
        Meta(max_length=200, description="Name → whether businesses are kept from changing it.", examples=[{}]),
    ] = {}


@query("/settings", permission=MANAGE)
async def list_settings(work: Work) -> Page[SettingsOut]:
    """The settings of every plugin that has some, switched on or not."""
    return await _listed(work, Place())


@query("/settings/{plugin}", permission=MANAGE)
async def get_settings(work: Work, plugin: Code) -> Reply[SettingsOut]:
    """The settings of one plugin."""
    return await _one(work, plugin, Place())


@command("PATCH", "/settings/{plugin}", permission=MANAGE, errors=(SettingLocked,))
async def change_settings(work: Work, plugin: Code, data: SettingsPatch) -> Reply[SettingsOut]:
    """Change settings of a plugin; it may be off still. They act at the next request, everywhere.

    Who works at some locations only changes what is set for those.
    """
    if work.actor.locations is not None:
        raise Forbidden("You work at some locations: change what is set for those")
    return await _change(work, plugin, Place(), Change(data.values, data.reset))


@query("/locations/{location_id}/settings", permission=MANAGE)
async def list_location_settings(work: Work, location_id: uuid.UUID) -> Page[SettingsOut]:
    """The settings of every plugin that lets some be set at a location, as they count there."""
    return await _listed(work, await _at(work, location_id))


@query("/locations/{location_id}/settings/{plugin}", permission=MANAGE)
async def get_location_settings(work: Work, location_id: uuid.UUID, plugin: Code) -> Reply[SettingsOut]:
    """The settings of one plugin as they count at a location."""
    return await _one(work, plugin, await _at(work, location_id))


@command("PATCH", "/locations/{location_id}/settings/{plugin}", permission=MANAGE, errors=(SettingLocked,))
async def change_location_settings(
    work: Work, location_id: uuid.UUID, plugin: Code, data: SettingsPatch
) -> Reply[SettingsOut]:
    """Change what is set at a location. What is not set there is as the business has it."""
    return await _change(work, plugin, await _at(work, location_id), Change(data.values, data.reset))


@query("/operating/settings", permission=OPERATOR)
async def list_deployment_settings(work: Work) -> Page[SettingsOut]:
    """The settings of every plugin that lets operators set some for all businesses."""
    return await _listed(work, DEPLOYMENT)


@query("/operating/settings/{plugin}", permission=OPERATOR)
async def get_deployment_settings(work: Work, plugin: Code) -> Reply[SettingsOut]:
    """What businesses that have set nothing of their own begin with."""
    return await _one(work, plugin, DEPLOYMENT)


@command("PATCH", "/operating/settings/{plugin}", permission=OPERATOR)
async def change_deployment_settings(work: Work, plugin: Code, data: DeploymentSettingsPatch) -> Reply[SettingsOut]:
    """Change what counts where a business has set nothing, and lock what none may change.

    It acts at the next request of every business. Where it does not fit what a business has set, it does not count
    there; what is locked counts everywhere.
    """
    return await _change(work, plugin, DEPLOYMENT, Change(data.values, data.reset, data.locked))


async def _at(work: Work, location_id: uuid.UUID) -> Place:
    """A location where the caller works. Raises NotFound."""
    work.see_location(location_id)
    return Place("location", (await work.get(Location, location_id)).id)


async def _listed(work: Work, place: Place) -> Page[SettingsOut]:
    plugins = [one for one in work.deployment.registry.in_order() if setting.has_settings(one, place.level)]
    return Page([_out(work, one, await setting.stored_of(work, one.name), place) for one in plugins])


async def _one(work: Work, plugin: str, place: Place) -> Reply[SettingsOut]:
    one = setting.settable(work, plugin, place)
    return _reply(work, one, await setting.stored_of(work, plugin), place)


async def _change(work: Work, plugin: str, place: Place, said: Change) -> Reply[SettingsOut]:
    one = setting.settable(work, plugin, place)
    return _reply(work, one, await setting.change(work, one, place, said), place)


def _reply(work: Work, one: Loaded, levels: Levels, place: Place) -> Reply[SettingsOut]:
    return Reply(_out(work, one, levels, place), version=levels.at(*place).version, living=True)


def _out(work: Work, one: Loaded, levels: Levels, place: Place) -> SettingsOut:
    kind = one.settings or Struct
    read = setting.reading(work, one, levels, place)
    aside = read.aside if read else frozenset()
    counts = read.whole if read else whole(levels, levels_of(kind), place.location_id, upto=place.level)
    rest = levels.having(place.level, place.location_id, Stored())
    above = whole(rest, levels_of(kind), place.location_id, aside, place.level)
    secrets = secret_names(kind)
    values = _values(kind, counts)
    return SettingsOut(
        one.name,
        one.manifest.title,
        {name: value for name, value in values.items() if name not in secrets},
        {name: counts.values.get(name) is not None for name in sorted(secrets)},
        setting.is_missing(one, levels, place),
        msgspec.json.schema(kind),
        place.level,
        place.location_id,
        _fields(kind, levels, place, counts, above),
        [level for level in LEVELS if level in aside],
        read.misfit if read else "",
    )


def _fields(kind: type[Struct], levels: Levels, place: Place, counts: Whole, above: Whole) -> dict[str, SettingOut]:
    otherwise, secrets, own = _values(kind, above), secret_names(kind), levels.at(*place).values
    found = {}
    for name, allowed in levels_of(kind).items():
        is_locked = name in levels.locked and "deployment" in allowed
        may_change = place.level in allowed and (not is_locked or place.level == "deployment")
        found[name] = SettingOut(
            counts.sources.get(name, "default"),
            name in own and place.level in allowed,
            may_change,
            is_locked,
            None if name in secrets else otherwise.get(name),
            above.sources.get(name, "default"),
            [level for level in LEVELS if level in allowed],
        )
    return found


def _values(kind: type[Struct], counts: Whole) -> Mapping[str, Any]:
    """What counts, with the defaults; secrets as they are stored."""
    return {
        field.name: counts.values[field.name] if field.name in counts.values else _default(field)
        for field in msgspec.structs.fields(kind)
        if field.name in counts.values or not field.required
    }


def _default(field: Any) -> Any:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return msgspec.to_builtins(value)
