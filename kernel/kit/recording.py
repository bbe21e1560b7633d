"""A recorded document as a test: Python as ruff writes it, with nothing in it that names a person."""

from __future__ import annotations

import keyword
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from kernel.app.recording import Recording, Thing
from kernel.db import CONFIGURATION, Base
from kernel.db.personal import INFO, Impersonal
from kernel.kit.faults import KitFault
from kernel.kit.source import Code, assigned, call, literal
from kernel.registry import Registry
from kernel.work import Work
from kernel.work.configuring import STORED, secret_names, stored_in
from kernel.work.levels import levels_of, whole

MOST_ROWS: Final = 200
SHOPS: Final = {"KE": "mama-njeri", "IN": "sharma-kirana"}
"""Region → the shop of `box` that stands in it."""
_OWN: Final = frozenset({"box", "cart", "answer", "picked", "only", "insert", "set_up", "dt", "SHOP", "WANTED"})


class Around(msgspec.Struct, frozen=True):
    """What was on and how it was set, beside the document itself. rows: table → what stood in it."""

    plugins: list[str]
    settings: dict[str, dict[str, Any]]
    rows: dict[str, list[dict[str, Any]]]


async def around(work: Work, recording: Recording) -> Around:
    """What else the document may have come from: settings, and the configuration of plugins that record nothing."""
    registry = work.deployment.registry
    settings = {}
    for one in registry.in_order(work.standing.enabled):
        if one.settings is not None:
            stored = whole(await work.recall(STORED, stored_in, plugin=one.name), levels_of(one.settings))
            hidden = secret_names(one.settings)
            if said := {name: value for name, value in stored.values.items() if name not in hidden}:
                settings[one.name] = said
    rows = {}
    for name in sorted(recording.plugins & work.standing.enabled):
        if name not in _recorders(registry):
            for table in _configuration(registry, name):
                rows[table.name] = await _rows(work, table)
    plugins = [one.name for one in registry.in_order(work.standing.enabled)]
    return Around(plugins, settings, {name: some for name, some in rows.items() if some})


def written(recording: Recording, beside: Around) -> str:
    """The test. Raises KitFault where no shop of the kit stands in the region."""
    if recording.shop.region not in SHOPS:
        raise KitFault(f"the shops of the kit stand in {', '.join(SHOPS)}, and this one in {recording.shop.region}")
    replay = recording.whole()
    title = replay.title
    imports: dict[str, set[str]] = {"kernel.testing.box": {"Box"}, "kernel.testing.replaying": {"only", "picked"}}
    steps = [Code(call("only", [Code("box"), beside.plugins], {"shop": Code("SHOP")}, 4, "await "))]
    if recording.at is not None:
        steps.insert(0, Code(f"    box.clock.now = {literal(recording.at)}"))
    steps += _settings(beside, imports)
    steps += _things(recording, beside, imports)
    steps += _inserted(recording, beside, imports)
    body = {"location_id": Code("str(await box.location(shop=SHOP))"), **replay.body}
    steps.append(Code(assigned("cart", body, 4)))
    post = f'    answer = await box.client("owner", SHOP).post({literal(replay.path)}, cart)'
    steps += [Code(post), Code("    assert answer.status_code == 201, answer.text")]
    steps.append(Code("    assert picked(answer.json(), WANTED) == WANTED"))
    moments = "import datetime as dt\n" if any("dt." in one for one in steps) else ""
    ids = "from uuid import UUID\n" if any("UUID(" in one for one in steps) else ""
    head = [
        f'"""{title[:1].upper()}{title[1:]}, as it was recorded: made again it comes to the same."""',
        "from __future__ import annotations",
        (moments + "from typing import Any\n" + ids).rstrip(),
        "\n".join(f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(imports.items())),
        assigned("SHOP", SHOPS[recording.shop.region], 0)
        + "\n"
        + assigned("WANTED", replay.wanted, 0, ": dict[str, Any]"),
    ]
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    test = "\n".join([f"async def test_{name}_comes_to_the_same(box: Box) -> None:", *steps])
    return "\n\n".join(head) + f"\n\n\n{test}\n"


def _things(recording: Recording, beside: Around, imports: dict[str, set[str]]) -> list[Code]:
    taken, lines = {*_OWN, *(step.builder.partition(":")[2] for step in recording.steps)}, list[Code]()
    used = {id(one) for one in _used(recording, beside)}
    for step in recording.steps:
        step.thing.expression = _variable(step.name, taken)
    for step in recording.steps:
        module, _, builder = step.builder.partition(":")
        imports.setdefault(module, set()).add(builder)
        options = {
            key: Code(value.expression) if isinstance(value, Thing) else value for key, value in step.options.items()
        }
        options = {key: value for key, value in options.items() if value != "None"} | {"shop": Code("SHOP")}
        start = f"{step.thing.expression} = await " if id(step.thing) in used else "await "
        lines.append(Code(call(builder, [Code("box"), *map(_named, step.arguments)], options, 4, start)))
    return lines


def _named(value: Any) -> Any:
    """A thing by its name in the test."""
    return Code(value.expression) if isinstance(value, Thing) else value


def _used(recording: Recording, beside: Around) -> Iterator[Thing]:
    """The things that something else in the test names."""
    for value in _parts(
        [[*step.arguments, step.options] for step in recording.steps] + [recording.whole().body, beside.rows]
    ):
        if isinstance(value, Thing):
            yield value
        elif isinstance(value, uuid.UUID) and (thing := recording.known(value)):
            yield thing


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _parts(one)
    else:
        yield value


def _settings(beside: Around, imports: dict[str, set[str]]) -> list[Code]:
    if beside.settings:
        imports["kernel.testing.replaying"].add("set_up")
    return [
        Code(call("set_up", [Code("box"), plugin, values], {"shop": Code("SHOP")}, 4, "await "))
        for plugin, values in beside.settings.items()
    ]


def _inserted(recording: Recording, beside: Around, imports: dict[str, set[str]]) -> list[Code]:
    if beside.rows:
        imports["kernel.testing.replaying"].add("insert")
    lines = []
    for table, rows in beside.rows.items():
        told = [{name: _known(recording, value) for name, value in row.items()} for row in rows]
        lines.append(Code(call("insert", [Code("box"), table, told], {"shop": Code("SHOP")}, 4, "await ")))
    return lines


def _known(recording: Recording, value: Any) -> Any:
    """An id of what the test makes, by its name there."""
    thing = recording.known(value) if isinstance(value, uuid.UUID) else None
    return Code(thing.expression) if thing and thing.expression else value


def _variable(name: str, taken: set[str]) -> str:
    bare = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "it"
    bare = f"the_{bare}" if bare[0].isdigit() or keyword.iskeyword(bare) else bare
    found, number = bare, 2
    while found in taken:
        found, number = f"{bare}_{number}", number + 1
    taken.add(found)
    return found


def _recorders(registry: Registry) -> set[str]:
    return {name for name in registry.plugins if registry.hooks_of(name).listeners("recorded")}


def _configuration(registry: Registry, plugin: str) -> list[sa.Table]:
    package = f"{registry.plugins[plugin].package}."
    tables = [
        mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith(package) and isinstance(mapper.local_table, sa.Table)
    ]
    marks = CONFIGURATION.items()
    return sorted((one for one in tables if marks <= one.info.items()), key=lambda one: one.name)


async def _rows(work: Work, table: sa.Table) -> list[dict[str, Any]]:
    """What stands in a table of configuration, without what may name a person."""
    kept = [
        one
        for one in table.c
        if one.name != "business_id" and isinstance(one.info.get(INFO, Impersonal("")), Impersonal)
    ]
    found = await work.execute(sa.select(*kept).where(table.c.business_id == work.business_id).limit(MOST_ROWS))
    return [{name: value for name, value in row.items() if value is not None} for row in found.mappings()]
