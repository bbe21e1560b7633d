"""Settings of plugins: what there is to set, what is set, and setting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.auth.businesses.switching import installed
from kernel.db.tables import BusinessPlugin
from kernel.errors import Invalid, NotFound
from kernel.registry import Loaded
from kernel.web import command, query
from kernel.web.decode import convert
from kernel.wire import Code, Name, Page, Reply, Request
from kernel.work import Work
from kernel.work.configuring import STORED, SettingsMissing, Stored, as_struct, sealed, secret_names, stored_in

MANAGE = "settings.manage"


class SettingsOut(Struct, frozen=True):
    """What a plugin lets the business set. `schema` describes `values`; secrets are never among them.

    secrets: name of each secret → whether it is set. missing: settings without a default that have no value yet.
    """

    plugin: Code
    title: Name
    values: Annotated[dict[str, Any], Meta(examples=[{"points_per_unit": 1}])]
    secrets: Annotated[dict[str, bool], Meta(examples=[{"consumer_secret": True}])]
    missing: list[str]
    schema: Annotated[dict[str, Any], Meta(description="JSON Schema.", examples=[{"type": "object"}])]


class SettingsPatch(Request, frozen=True):
    """What changes: name → value; null takes a value back to its default."""

    values: Annotated[dict[str, Any], Meta(max_length=200, examples=[{"points_per_unit": 2}])]


@query("/settings", permission=MANAGE)
async def list_settings(work: Work) -> Page[SettingsOut]:
    """The settings of every plugin that has some, switched on or not."""
    return Page(
        [
            _out(work, one, await _stored(work, one.name))
            for one in work.deployment.registry.in_order()
            if one.settings is not None
        ]
    )


@query("/settings/{plugin}", permission=MANAGE)
async def get_settings(work: Work, plugin: Code) -> Reply[SettingsOut]:
    """The settings of one plugin."""
    one = _with_settings(work, plugin)
    stored = await _stored(work, plugin)
    return Reply(_out(work, one, stored), version=stored.version)


@command("PATCH", "/settings/{plugin}", permission=MANAGE)
async def change_settings(work: Work, plugin: Code, data: SettingsPatch) -> Reply[SettingsOut]:
    """Change settings of a plugin; it may be off still. They act at the next request, everywhere."""
    one = _with_settings(work, plugin)
    stored = await _held(work, plugin)
    work.check_version(stored.version)
    after = Stored(_merged(work, one, stored.values, data.values), stored.version + 1)
    here = sa.and_(BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == plugin)
    said = {"settings": dict(after.values), "settings_version": after.version}
    await work.execute(sa.update(BusinessPlugin).where(here).values(**said))
    work.audit(subject=f"plugin:{plugin}", settings=sorted(data.values))
    return Reply(_out(work, one, after), version=after.version)


def _with_settings(work: Work, plugin: str) -> Loaded:
    one = installed(work.deployment.registry, plugin).plugins[plugin]
    if one.settings is None:
        raise NotFound(f"{one.manifest.title} has nothing to set")
    return one


async def _stored(work: Work, plugin: str) -> Stored:
    return stored_in(await work.fetch(STORED, plugin=plugin))


async def _held(work: Work, plugin: str) -> Stored:
    """What is stored, held to the end of the deed; a row is made for a plugin that was never on."""
    await work.write()
    here = sa.and_(BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == plugin)
    columns = (BusinessPlugin.settings, BusinessPlugin.settings_version)
    found = (await work.execute(sa.select(*columns).where(here).with_for_update())).one_or_none()
    if found is not None:
        return Stored(found.settings or {}, found.settings_version)
    row = {"business_id": work.business_id, "plugin": plugin, "state": "disabled", "changed_at": work.now}
    await work.execute(sa.insert(BusinessPlugin).values(**row))
    return Stored({}, 0)


def _merged(work: Work, one: Loaded, stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored with what is given, checked as a whole. Raises Invalid at the setting that is wrong."""
    kind, secrets = one.settings, secret_names(one.settings or Struct)
    assert kind is not None  # noqa: S101 - `_with_settings` has looked
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    if unknown := sorted(given.keys() - fields.keys()):
        raise Invalid.at(f"/values/{unknown[0]}", f"{one.manifest.title} has no such setting", code="unknown")
    after = dict(stored)
    for name, value in given.items():
        after.pop(name, None)
        if value is None:
            continue
        convert(value, fields[name].type, f"/values/{name}")
        hidden = name in secrets
        after[name] = sealed(work.deployment.secrets, work.business_id, one.name, name, value) if hidden else value
    if not [name for name, field in fields.items() if field.required and name not in after]:
        try:
            as_struct(work.deployment.secrets, work.business_id, one.name, kind, Stored(after, 0))
        except SettingsMissing as fault:  # what the plugin's own check says of the whole
            raise Invalid.at("/values", str(fault.__cause__)) from fault
    return after


def _out(work: Work, one: Loaded, stored: Stored) -> SettingsOut:
    kind = one.settings or Struct
    fields, secrets = msgspec.structs.fields(kind), secret_names(kind)
    values = {
        field.name: stored.values[field.name] if field.name in stored.values else _default(field)
        for field in fields
        if field.name not in secrets and (field.name in stored.values or not field.required)
    }
    missing = [field.name for field in fields if field.required and field.name not in stored.values]
    is_set = {name: name in stored.values for name in sorted(secrets)}
    return SettingsOut(one.name, one.manifest.title, values, is_set, missing, msgspec.json.schema(kind))


def _default(field: Any) -> Any:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return msgspec.to_builtins(value)
