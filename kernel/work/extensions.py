"""`ext`: what plugins add to another plugin's things, decoded raw and read by the Struct of an enabled plugin."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from kernel.db.sides import side_tables
from kernel.errors import Invalid
from kernel.wire import invalid
from kernel.work.fields import keep_unheld, refuse_unheld
from kernel.work.unit import Work


def read_ext(
    work: Work, subject: str, ext: Mapping[str, msgspec.Raw], pointer: str = "/ext"
) -> dict[str, msgspec.Struct]:
    """Plugin → its part of `ext` on a subject such as `sales.cart`. Raises Invalid where one is off or takes none.

    A field that needs a permission is refused to those who do not hold it, as everywhere: raises Forbidden.
    """
    read: dict[str, msgspec.Struct] = {}
    for plugin, raw in ext.items():
        kind = work.deployment.registry.extension(subject, plugin) if work.enabled(plugin) else None
        if kind is None:
            raise Invalid.at(f"{pointer}/{plugin}", "No plugin that is on takes this", code="unknown")
        try:
            read[plugin] = msgspec.json.decode(raw, type=kind)
        except msgspec.ValidationError as fault:
            raise invalid(str(fault), f"{pointer}/{plugin}") from fault
        refuse_unheld(msgspec.json.decode(raw), kind, work.actor.may, f"{pointer}/{plugin}")
    return read


def reread_ext(work: Work, subject: str, stored: Mapping[str, Any]) -> dict[str, msgspec.Struct]:
    """The same of what was stored; what no plugin that is on can read any more is left out."""
    read: dict[str, msgspec.Struct] = {}
    for plugin, part in stored.items():
        kind = work.deployment.registry.extension(subject, plugin) if work.enabled(plugin) else None
        with contextlib.suppress(msgspec.ValidationError):
            if kind is not None:
                read[plugin] = msgspec.convert(part, kind)
    return read


def changed_ext(
    work: Work, subject: str, former: Mapping[str, Any], given: Mapping[str, msgspec.Raw], pointer: str = "/ext"
) -> dict[str, Any]:
    """What is stored once the parts of some plugins are given anew; the others stay.

    Of a part that is given, a field that the caller may not set stays as it was. Raises as `read_ext`.
    """
    read = read_ext(work, subject, given, pointer)
    fresh = stored_ext(read, subject)
    for plugin, part in read.items():
        if plugin in fresh:
            keep_unheld(fresh[plugin], former.get(plugin, {}), type(part), work.actor.may)
    return {**{plugin: part for plugin, part in former.items() if plugin not in read}, **fresh}


def stored_ext(read: Mapping[str, msgspec.Struct], subject: str = "") -> dict[str, Any]:
    """What was read, as it is stored and answered. subject: leave out what plugins keep on its side."""
    apart = side_tables(subject) if read else {}
    return {plugin: msgspec.to_builtins(value) for plugin, value in read.items() if plugin not in apart}
