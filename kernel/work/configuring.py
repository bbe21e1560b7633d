"""What a business has set for its plugins: validated by the plugin's Struct, secrets sealed, read once a process."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec
import sqlalchemy as sa

from kernel import sealing
from kernel.db import Configured, Prepared, Rows
from kernel.db.tables import Business, BusinessPlugin
from kernel.errors import Conflict
from kernel.wire import SECRET

S = TypeVar("S", bound=msgspec.Struct)
_SEALED = "sealed"
STORED = Configured(
    sa.select(BusinessPlugin.settings, BusinessPlugin.settings_version).where(
        BusinessPlugin.business_id == sa.bindparam("business_id"),
        BusinessPlugin.plugin == sa.bindparam("plugin"),
    )
)
RECONFIGURED = Prepared(
    sa.update(Business)
    .where(Business.id == sa.bindparam("business_id"))
    .values(configuration=Business.configuration + 1)
)
"""That what the business has set is no longer what it was."""


class SettingsMissing(Conflict):
    """A plugin needs settings that nobody has filled in."""

    code, title = "settings-missing", "The plugin lacks settings"


class Stored(NamedTuple):
    """What is stored for a plugin: plain values by name, a secret as `{"sealed": …}`."""

    values: Mapping[str, Any]
    version: int


def stored_in(rows: Rows) -> Stored:
    """The row, or nothing set."""
    return Stored(rows[0].settings or {}, rows[0].settings_version) if rows else Stored({}, 0)


def as_struct(secrets: Sequence[str], business: uuid.UUID, plugin: str, kind: type[S], stored: Stored) -> S:
    """The settings as the plugin declares them. Raises SettingsMissing, SealBroken."""
    plain = {name: _opened(secrets, business, plugin, name, value) for name, value in stored.values.items()}
    known = {name: plain[name] for name in kind.__struct_fields__ if name in plain}
    try:
        return msgspec.convert(known, kind)
    except msgspec.ValidationError as fault:
        raise SettingsMissing(f"{plugin}: {fault}") from fault


def sealed(secrets: Sequence[str], business: uuid.UUID, plugin: str, name: str, text: str) -> dict[str, str]:
    """A secret as it is stored."""
    return {_SEALED: base64.b64encode(sealing.seal(secrets, *_whose(business, plugin, name), text)).decode()}


def resealed(secrets: Sequence[str], purpose: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some stored values that are sealed under a former key, under the present one. Raises SealBroken."""
    found = {}
    for name, value in values.items():
        fresh = sealing.reseal(secrets, purpose, base64.b64decode(value[_SEALED])) if _is_sealed(value) else None
        if fresh is not None:
            found[name] = {_SEALED: base64.b64encode(fresh).decode()}
    return found


def without_secrets(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What is stored for a plugin, to be taken to another deployment: what is sealed here could not be opened there."""
    return None if values is None else {name: value for name, value in values.items() if not _is_sealed(value)}


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


def _opened(secrets: Sequence[str], business: uuid.UUID, plugin: str, name: str, value: Any) -> Any:
    if _is_sealed(value):
        return sealing.unseal(secrets, *_whose(business, plugin, name), base64.b64decode(value[_SEALED]))
    return value


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_SEALED}


SETTING = "setting"
"""What settings are sealed for."""


def _whose(business: uuid.UUID, plugin: str, name: str) -> tuple[str, str]:
    return SETTING, f"{business}/{plugin}/{name}"
