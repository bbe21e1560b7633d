"""Setting what plugins let be set, at any level: checked as it will be read, sealed where it is secret."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from kernel.auth.businesses.switching import installed
from kernel.auth.models import Location
from kernel.db.tables import BusinessPlugin, DeploymentSetting, LocationSetting
from kernel.errors import Conflict, Fault, Invalid, NotFound
from kernel.registry import Loaded
from kernel.web.decode import convert
from kernel.wire import Level
from kernel.work import Work
from kernel.work.configuring import (
    STORED,
    Reading,
    Regional,
    Sealing,
    SettingsMissing,
    as_struct,
    secret_names,
    stored_in,
)
from kernel.work.levels import Levels, Stored, levels_of, whole


class SettingLocked(Conflict):
    """The operators of the deployment have fixed this for all businesses."""

    code, title = "setting-locked", "The deployment has fixed this setting"


class Place(NamedTuple):
    """Where something is set: a level, and of a location which."""

    level: Level = "business"
    location_id: uuid.UUID | None = None


class Change(NamedTuple):
    """What is to be: values by name, names given back to the level above, names locked or let go (operators only)."""

    values: Mapping[str, Any]
    reset: Sequence[str] = ()
    locked: Mapping[str, bool] = {}


def settable(work: Work, plugin: str, place: Place) -> Loaded:
    """A plugin that has something to set there. Raises NotFound."""
    one = installed(work.deployment.registry, plugin).plugins[plugin]
    if not has_settings(one, place.level):
        where = "" if place.level == "business" else f" at a {place.level}"
        raise NotFound(f"{one.manifest.title} has nothing to set{where}")
    return one


def has_settings(one: Loaded, level: Level) -> bool:
    """Whether a plugin lets something be set at a level; the business sees all there is."""
    if one.settings is None:
        return False
    return level == "business" or any(level in allowed for allowed in levels_of(one.settings).values())


async def stored_of(work: Work, plugin: str) -> Levels:
    """What is stored for a plugin at every level, as this deed sees it."""
    return stored_in(await work.fetch(STORED, plugin=plugin))


def reading(work: Work, one: Loaded, levels: Levels, place: Place) -> Reading[Struct] | None:
    """How the settings are read there; None where one without a default has no value, or nothing fits together."""
    try:
        return as_struct(_whose(work, one), _kind(one), levels, place.location_id, place.level)
    except SettingsMissing:
        return None


async def change(work: Work, one: Loaded, place: Place, said: Change) -> Levels:
    """Change what is set at a place, and nothing if any of it is wrong; returns what is stored then.

    Raises Invalid at the setting that is wrong, SettingLocked, PreconditionFailed, PreconditionRequired.
    """
    await _hold(work, one.name, place)
    before = await stored_of(work, one.name)
    stored = before.at(*place)
    work.check_version(stored.version)
    _check_names(one, before, place, said)
    after = Stored(_values(work, one, place, stored.values, said), stored.version + 1)
    levels = before.having(place.level, place.location_id, after)
    if place.level == "deployment":
        locked = {*before.locked, *(name for name, is_on in said.locked.items() if is_on)}
        levels = levels._replace(
            locked=frozenset(locked.difference(n for n, is_on in said.locked.items() if not is_on))
        )
    await _check_places(work, one, before, levels, place)
    _check_region(work, one, levels, place, said)
    await _write(work, one.name, place, levels)
    facts: dict[str, Any] = {"settings": sorted({*said.values, *said.reset})}
    if said.locked:
        facts["locked"] = dict(sorted(said.locked.items()))
    work.audit(subject=f"plugin:{one.name}", location_id=place.location_id, level=place.level, **facts)
    return levels


def is_missing(one: Loaded, levels: Levels, place: Place) -> list[str]:
    """The settings without a default that have no value there."""
    kind = _kind(one)
    found = whole(levels, levels_of(kind), place.location_id, upto=place.level).values
    return [field.name for field in msgspec.structs.fields(kind) if field.required and field.name not in found]


def _check_names(one: Loaded, levels: Levels, place: Place, said: Change) -> None:
    """Raise Invalid for a name that is not there or not set there, SettingLocked for one that is locked."""
    allowed = levels_of(_kind(one))
    places = [(name, f"/values/{name}") for name in said.values]
    places += [(name, f"/reset/{number}") for number, name in enumerate(said.reset)]
    places += [(name, f"/locked/{name}") for name in said.locked]
    if unknown := sorted(set(places) - {(name, pointer) for name, pointer in places if name in allowed}):
        raise Invalid.at(unknown[0][1], f"{one.manifest.title} has no such setting", code="unknown")
    for name, pointer in places:
        if place.level not in allowed[name]:
            levels_said = " or ".join(sorted(allowed[name]))
            raise Invalid.at(pointer, f"This is set for the {levels_said}", code="level")
        if place.level != "deployment" and name in levels.locked and "deployment" in allowed[name]:
            words = "Fixed for all businesses by the operators of the deployment"
            raise SettingLocked(words, faults=[Fault(pointer, SettingLocked.code, words)])


def _values(work: Work, one: Loaded, place: Place, stored: Mapping[str, Any], said: Change) -> Mapping[str, Any]:
    """What will be stored at the place. Raises Invalid."""
    kind, whose, after = _kind(one), _whose(work, one), dict(stored)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    secrets, allowed = secret_names(kind), levels_of(kind)
    for name in said.reset:
        after.pop(name, None)
    for name, value in said.values.items():
        if name in said.reset:
            continue
        after.pop(name, None)
        if value is None and not (len(allowed[name]) > 1 and _takes_nothing(fields[name].type)):
            continue
        convert(value, fields[name].type, f"/values/{name}")
        hidden = name in secrets and value is not None
        after[name] = whose.seal(*place, name, value) if hidden else value
    return after


async def _check_places(work: Work, one: Loaded, before: Levels, after: Levels, place: Place) -> None:
    """Raise Invalid where what would be read there, or at a location below, does not fit together.

    What was laid aside already may stay so; a change lays nothing aside that counted before.
    """
    below = [Place("location", id_) for id_ in after.locations] if place.level == "business" else []
    for where in (place, *below):
        if is_missing(one, after, where):
            continue
        was = reading(work, one, before, where)
        try:
            found = as_struct(_whose(work, one), _kind(one), after, where.location_id, where.level)
            misfit = found.misfit if found.aside - (was.aside if was else frozenset()) else ""
        except SettingsMissing as fault:  # what the plugin's own check says of the whole
            misfit = str(fault.__cause__)
        if misfit:
            name = (
                ""
                if where == place
                else f"At {(await work.get(Location, where.location_id or work.business_id)).name}: "
            )
            raise Invalid.at("/values", name + misfit)


def _check_region(work: Work, one: Loaded, levels: Levels, place: Place, said: Change) -> None:
    """Raise Invalid at what is set now and does not fit the business's region, as the plugin's Struct says."""
    read = None if place.level == "deployment" else reading(work, one, levels, place)
    if read is None or not isinstance(read.struct, Regional):
        return
    misfits = read.struct.misfits(work.shop.region)
    faults = [Fault(f"/values/{name}", "invalid", words) for name, words in misfits.items() if name in said.values]
    if faults:
        raise Invalid(faults[0].detail, faults=faults)


async def _hold(work: Work, plugin: str, place: Place) -> None:
    """Hold what is stored at the level, and that of the business with what is below it, to the end of the deed."""
    await work.write()
    if place.level == "deployment":
        here = DeploymentSetting.plugin == plugin
        await work.execute(sa.select(DeploymentSetting.plugin).where(here).with_for_update())
        return
    row = sa.and_(BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == plugin)
    held = await work.execute(sa.select(BusinessPlugin.plugin).where(row).with_for_update())
    if held.one_or_none() is None:  # one that was never on
        off = {"business_id": work.business_id, "plugin": plugin, "state": "disabled", "changed_at": work.now}
        await work.execute(sa.insert(BusinessPlugin).values(**off))


async def _write(work: Work, plugin: str, place: Place, levels: Levels) -> None:
    stored = levels.at(*place)
    said: dict[str, Any] = {"settings": dict(stored.values), "settings_version": stored.version}
    table: Any = BusinessPlugin
    key: dict[str, Any] = {"business_id": work.business_id, "plugin": plugin}
    if place.level == "deployment":
        table, key = DeploymentSetting, {"plugin": plugin}
        said["locked"] = sorted(levels.locked)
    elif place.level == "location":
        table, key["location_id"] = LocationSetting, place.location_id
    if place.level != "business" and stored.version == 1:
        await work.execute(sa.insert(table).values(**key, **said))
        return
    here = [getattr(table, name) == value for name, value in key.items()]
    await work.execute(sa.update(table).where(*here).values(**said))


def _takes_nothing(kind: Any) -> bool:
    try:
        msgspec.convert(None, kind)
    except msgspec.ValidationError:
        return False
    return True


def _kind(one: Loaded) -> type[Struct]:
    return one.settings or Struct


def _whose(work: Work, one: Loaded) -> Sealing:
    return Sealing(work.deployment.secrets, work.business_id, one.name)
