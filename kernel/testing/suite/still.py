"""Rules about what a plugin declares; none needs a database. Each yields findings that say what to do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from kernel.app import build
from kernel.auth.rights.permissions import PERMISSIONS
from kernel.db import Base
from kernel.db.personal import faults as unclassed
from kernel.jobs.handlers import Handler
from kernel.personal import tables_of, unreached
from kernel.registry import Loaded, Registry, functions_of
from kernel.testing.conformance import check_plugin
from kernel.testing.filling import testing_of
from kernel.testing.probing.bodies import example, metas, plain_body
from kernel.web import IN_PERSON, OPERATOR, PUBLIC, SIGNED_IN, TILL, Route

SPECIAL: Final = {PUBLIC, SIGNED_IN, IN_PERSON, TILL, OPERATOR}
SECTIONS: Final = ("When:", "Answer:", "Errors:", "Since:", "Not for:")


def routes_of(plugin: Loaded) -> list[Route]:
    """A plugin's routes as they are mounted, but for those of operators, which no business switches."""
    return [one for one in build.routes_of(plugin) if one.permission != OPERATOR]


def own_tables(plugin: Loaded) -> list[sa.Table]:
    """The tables that a plugin's models define."""
    found = [
        mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith(f"{plugin.package}.") and isinstance(mapper.local_table, sa.Table)
    ]
    return sorted(dict.fromkeys(found), key=lambda one: one.name)


def anatomy(plugin: Loaded) -> Iterator[str]:
    """Files, imports, docstrings, sizes: what `python -m kernel.testing.conformance` says."""
    yield from map(str, check_plugin(plugin.package, plugin.folder))


def prefixes(plugin: Loaded) -> Iterator[str]:
    """Tables, jobs and permissions bear the plugin's name, so that no two plugins meet."""
    for table in own_tables(plugin):
        if not table.name.startswith(f"{plugin.name}_"):
            yield f"table {table.name}: call it {plugin.name}_{table.name.partition('_')[2] or table.name}"
        if "business_id" not in table.c and not table.info.get("global"):
            yield f"table {table.name}: inherit kernel.db.Owned, so that each row is one business's"
    for handler in functions_of(plugin.jobs, Handler):
        if not handler.name.startswith(f"{plugin.name}."):
            yield f"job {handler.name}: call it {plugin.name}.{handler.name.rpartition('.')[2]}"
    for permission in plugin.manifest.permissions:
        if not permission.words.strip():
            yield f"permission {permission.name}: say in words what it lets a person do"


def routes(plugin: Loaded, registry: Registry) -> Iterator[str]:
    """Each route asks for a permission that exists, is described, and its types say what a valid body is."""
    stands_on = registry.needed_by(plugin.name)
    known = {one.name for one in (*PERMISSIONS, *registry.permissions(stands_on))} | SPECIAL
    for route in build.routes_of(plugin):
        where = f"{route.method} {route.path}"
        if route.permission not in known:
            whose = f"neither {plugin.name} nor what it stands on declares the permission {route.permission!r}"
            yield f"{where}: {whose}; add it to PLUGIN.permissions"
        if route.permission in (PUBLIC, SIGNED_IN) and route.kind not in ("query", "stream") and route.raw is None:
            yield f"{where}: it writes, so it asks for a permission of yours, not {route.permission!r}"
        if not route.summary:
            yield f"{where}: give {route.function.__name__} a docstring; its first line is the summary in OpenAPI"
        yield from _body(route, where)


def hooks_called(plugin: Loaded) -> Iterator[str]:
    """Each hook that the plugin calls says when, what is answered, what errors mean, since when, and when not."""
    for name, spec in vars(plugin.hooks or object).items():
        if inspect.isfunction(spec) and hasattr(spec, "duka_spec"):
            missing = [one for one in SECTIONS if one not in (spec.__doc__ or "")]
            if missing:
                yield f"hook {name}: its docstring lacks {', '.join(missing)}; see those of plugins/sales/hooks.py"


def settings(plugin: Loaded) -> Iterator[str]:
    """Settings are refused when misspelt, have titles, and their defaults pass their own types."""
    kind = plugin.settings
    if kind is None:
        return
    config = kind.__struct_config__
    if not config.forbid_unknown_fields or not config.frozen:
        yield f"settings {kind.__name__}: declare it with frozen=True, forbid_unknown_fields=True"
    for one in msgspec.structs.fields(kind):
        if not any(meta.title or meta.description for meta in metas(one.type)):
            yield f"settings {kind.__name__}.{one.name}: title it for the form, Annotated[…, Meta(title=…)]"
        try:
            value = default_of(one)
            msgspec.convert(msgspec.to_builtins(value), one.type)
        except msgspec.ValidationError as fault:
            yield f"settings {kind.__name__}.{one.name}: its default is refused by its own type: {fault}"


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """A value that a setting may have: its default, or for one without a default what its type gives as example."""
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return example(field.type, field.name, {}, "t0000001")


def stood_on(plugin: Loaded, registry: Registry) -> list[Loaded]:
    """The plugin and those it names in its manifest, as far as they are installed."""
    return registry.in_order({plugin.name, *plugin.manifest.requirements(), *plugin.manifest.wishes()})


def rules_of_others(plugin: Loaded, registry: Registry) -> Iterator[str]:
    """What those ask for on whom it stands: `rules_for(plugin, registry)` of their `testing.py`."""
    for other in stood_on(plugin, registry):
        rules = getattr(testing_of(other), "rules_for", None)
        yield from rules(plugin, registry) if rules is not None else ()


def personal_data(plugin: Loaded, registry: Registry) -> Iterator[str]:
    """Every column says what it holds of people."""
    every = tables_of(registry)
    own = {table.name for table in own_tables(plugin)}
    for said in (*unclassed(every), *unreached(every)):
        if said.partition(".")[0] in own:
            yield f"{said}; declare it in models.py with info=personal(…), names(…) or impersonal(…)"


def _body(route: Route, where: str) -> Iterator[str]:
    if route.body is None:
        return
    try:
        said: Any = plain_body(route, {}, "t0000001")
        msgspec.convert(said, route.body, strict=False)
    except (AssertionError, msgspec.ValidationError, LookupError, TypeError) as fault:
        said = str(fault) or "no value fits"
        yield f"{where}: no valid body follows from its types ({said}); give Meta(examples=…) to what is restricted"
