"""What is set for plugins, at every level: validated by the plugin's Struct, secrets sealed, read once a process."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, get_args, runtime_checkable

import msgspec
import sqlalchemy as sa

from kernel import sealing
from kernel.db import Configured, Json, Prepared, Rows
from kernel.db.tables import Business, BusinessPlugin, DeploymentSetting, Epoch, LocationSetting
from kernel.errors import Conflict
from kernel.wire import SECRET, Level
from kernel.work.levels import Levels, Stored, Whole, levels_of, readings
from kernel.work.standing import NO_BUSINESS

S = TypeVar("S", bound=msgspec.Struct)
_SEALED = "sealed"
_B, _D, _L = BusinessPlugin.__table__.c, DeploymentSetting.__table__.c, LocationSetting.__table__.c
_PLUGIN: sa.BindParameter[str] = sa.bindparam("plugin")
_NOBODY = sa.cast(sa.null(), sa.Uuid())


def _level(said: Level, location: Any, columns: Any, locked: Any = None) -> sa.Select[Any]:
    """What is stored at one level, in the shape of all."""
    return sa.select(
        sa.literal_column(f"'{said}'", sa.Text()).label("level"),
        location.label("location_id"),
        columns.settings,
        columns.settings_version,
        (sa.cast(sa.null(), Json) if locked is None else locked).label("locked"),
    ).where(columns.plugin == _PLUGIN)


STORED = Configured(
    sa.union_all(
        _level("deployment", _NOBODY, _D, _D.locked),
        _level("business", _NOBODY, _B).where(_B.business_id == sa.bindparam("business_id")),
        _level("location", _L.location_id, _L).where(_L.business_id == sa.bindparam("business_id")),
    )
)
"""All levels of a plugin in one statement: as many as there were when only the business had one."""
RECONFIGURED = Prepared(
    sa.update(Business)
    .where(Business.id == sa.bindparam("business_id"))
    .values(configuration=Business.configuration + 1)
)
"""That what the business has set is no longer what it was."""
RECONFIGURED_ALL = Prepared(sa.update(Epoch).where(Epoch.scope == "deployment").values(value=Epoch.value + 1))
"""That what operators have set is no longer what it was, for every business."""


class SettingsMissing(Conflict):
    """A plugin needs settings that nobody has filled in."""

    code, title = "settings-missing", "The plugin lacks settings"


def stored_in(rows: Rows) -> Levels:
    """What is stored at each level."""
    found, locations = Levels(), {}
    for row in rows:
        stored = Stored(row.settings or {}, row.settings_version)
        if row.level == "location":
            locations[row.location_id] = stored
        elif row.level == "business":
            found = found._replace(business=stored)
        else:
            found = found._replace(deployment=stored, locked=frozenset(row.locked))
    return found._replace(locations=locations)


class Sealing(NamedTuple):
    """Whose settings are opened and sealed: the deployment's secrets, a business (`NO_BUSINESS` for none), a plugin."""

    secrets: Sequence[str]
    business: uuid.UUID
    plugin: str

    def owner(self, level: Level, location_id: uuid.UUID | None) -> str:
        """Whose a value is, so that one that is sealed is worth nothing at another place."""
        if level == "deployment":
            return str(NO_BUSINESS)
        return f"{self.business}/{location_id}" if level == "location" else str(self.business)

    def open(self, level: Level, location_id: uuid.UUID | None, name: str, value: Any) -> Any:
        """A value as it was given. Raises SealBroken."""
        if not is_sealed(value):
            return value
        whose = _whose(self.owner(level, location_id), self.plugin, name)
        return sealing.unseal(self.secrets, *whose, base64.b64decode(value[_SEALED]))

    def seal(self, level: Level, location_id: uuid.UUID | None, name: str, text: str) -> dict[str, str]:
        """A secret as it is stored at a level."""
        return sealed(self.secrets, self.owner(level, location_id), self.plugin, name, text)


@runtime_checkable
class Regional(Protocol):
    """Settings of which some depend on the region where the business is."""

    def misfits(self, region: str) -> Mapping[str, str]:
        """Setting → why its value cannot be there, in words for people."""
        ...


class Reading(NamedTuple, Generic[S]):
    """Settings as the plugin declares them, where each value comes from, and what was laid aside for them to fit.

    misfit: why something was laid aside, in the words of the plugin's check.
    """

    struct: S
    whole: Whole
    aside: frozenset[Level]
    misfit: str


def as_struct(
    whose: Sealing, kind: type[S], levels: Levels, location_id: uuid.UUID | None = None, upto: Level = "location"
) -> Reading[S]:
    """The settings as they count at a location, for the business without one. Raises SettingsMissing, SealBroken."""
    fault: msgspec.ValidationError | None = None
    for found, aside in readings(levels, levels_of(kind), location_id, upto):
        plain = {
            name: whose.open(found.sources[name], location_id, name, found.values[name])
            for name in kind.__struct_fields__
            if name in found.values
        }
        try:
            return Reading(msgspec.convert(plain, kind), found, aside, str(fault or ""))
        except msgspec.ValidationError as wrong:
            fault = fault or wrong
    raise SettingsMissing(f"{whose.plugin}: {fault}") from fault


def sealed(secrets: Sequence[str], owner: object, plugin: str, name: str, text: str) -> dict[str, str]:
    """A secret as it is stored. owner: of a business its id."""
    return {_SEALED: base64.b64encode(sealing.seal(secrets, *_whose(owner, plugin, name), text)).decode()}


def resealed(secrets: Sequence[str], purpose: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some stored values that are sealed under a former key, under the present one. Raises SealBroken."""
    found = {}
    for name, value in values.items():
        fresh = sealing.reseal(secrets, purpose, base64.b64decode(value[_SEALED])) if is_sealed(value) else None
        if fresh is not None:
            found[name] = {_SEALED: base64.b64encode(fresh).decode()}
    return found


def without_secrets(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What is stored for a plugin, to be taken to another deployment: what is sealed here could not be opened there."""
    return None if values is None else {name: value for name, value in values.items() if not is_sealed(value)}


@cache
def secret_names(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a Struct that are marked as secret."""
    return frozenset(one.name for one in msgspec.structs.fields(kind) if _is_secret(one.type))


def title_of(field: Any) -> str:
    """What a setting is called: the title of its Meta, else its name in words."""
    for mark in getattr(field.type, "__metadata__", ()):
        if isinstance(mark, msgspec.Meta) and mark.title:
            return mark.title
    words: str = field.name.replace("_", " ")
    return words.capitalize()


def _is_secret(type_: Any) -> bool:
    """Whether an annotation, or any part of it, is marked by `kernel.wire.secret`."""
    marks = getattr(type_, "__metadata__", ())
    if any(isinstance(mark, msgspec.Meta) and (mark.extra or {}).get(SECRET) for mark in marks):
        return True
    return any(_is_secret(part) for part in get_args(type_))


def is_sealed(value: Any) -> bool:
    """Whether a stored value is a secret."""
    return isinstance(value, dict) and value.keys() == {_SEALED}


SETTING = "setting"
"""What settings are sealed for."""


def _whose(owner: object, plugin: str, name: str) -> tuple[str, str]:
    return SETTING, f"{owner}/{plugin}/{name}"
