"""Finds plugins, orders them, and builds the hooks of each set. One that fails to load is set aside with its reason.

Plugins come through the entry point group `duka.plugins`, the bundled ones too. What a plugin has is found by file
name: hooks, models, routes, listeners, with_<other>, jobs, site.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from kernel import VERSION, hooks
from kernel.db.faults import is_databases_own
from kernel.db.sides import side_columns, subjects_of
from kernel.errors import PluginFault
from kernel.hooks import HookSet, Meter, Pair
from kernel.ordering import Circle, dependencies, sort, turns
from kernel.plugin import Limit, Permission, Plugin

log = logging.getLogger("duka.registry")
GROUP = "duka.plugins"
BUNDLED = "plugins"


@dataclass(frozen=True)
class Loaded:
    """A plugin whose code is in memory. released: the version of the distribution that it was loaded from."""

    manifest: Plugin
    package: str
    folder: Path
    hooks: ModuleType | None = None
    listeners: ModuleType | None = None
    bridges: Mapping[str, ModuleType] = field(default_factory=dict)
    routes: ModuleType | None = None
    jobs: ModuleType | None = None
    site: ModuleType | None = None
    settings: type[msgspec.Struct] | None = None
    extensions: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)
    released: str = ""

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.manifest.name

    @property
    def migrations(self) -> Path:
        """The folder of its revisions."""
        return self.folder / "migrations"


@dataclass(frozen=True)
class SetAside:
    """A plugin that could not be used, and why. path: the plugins over which the reason runs, it first."""

    name: str
    reason: str
    state: str = "quarantined"
    path: tuple[str, ...] = ()


class Registry:
    """The plugins of a deployment, in plan order.

    held_back: those whose code is in memory and that were set aside all the same, since their tables are not ready.
    """

    def __init__(self, loaded: Sequence[Loaded], set_aside: Sequence[SetAside] = ()) -> None:
        self.plugins: dict[str, Loaded] = {one.name: one for one in loaded}
        self.set_aside: dict[str, SetAside] = {one.name: one for one in set_aside}
        self.held_back: dict[str, Loaded] = {}
        self.meter: Meter = {}
        self._sets: dict[tuple[frozenset[str], frozenset[Pair]], HookSet] = {}

    def hooks_for(self, enabled: Iterable[str], tripped: frozenset[Pair] = frozenset()) -> HookSet:
        """The hooks of a set of enabled plugins, without what is tripped; built once and shared by all who have it."""
        wanted = frozenset(enabled).intersection(self.plugins)
        key = (wanted, frozenset(pair for pair in tripped if pair[0] in wanted) if tripped else tripped)
        if key not in self._sets:
            self._sets[key] = self._build(*key)
        return self._sets[key]

    def hooks_of(self, name: str) -> HookSet:
        """Hooks that only one plugin answers, for what concerns it alone; beside whatever others are installed."""
        specs = [hooks, *(one.hooks for one in self.plugins.values() if one.hooks)]
        own = self.plugins[name]
        modules = (own.listeners, *(own.bridges[other] for other in sorted(own.bridges)))
        return self._hook_set(specs, [(name, module) for module in modules if module], frozenset())

    def in_order(self, names: Iterable[str] | None = None) -> list[Loaded]:
        """Plugins in plan order: each after those it stands on, then by name."""
        wanted = self.plugins.keys() if names is None else set(names)
        return [one for name, one in self.plugins.items() if name in wanted]

    def in_turn(self, names: Iterable[str]) -> list[Loaded]:
        """Plugins in the order in which they answer hooks. Raises PluginFault when they contradict one another."""
        manifests = {one.name: one.manifest for one in self.in_order(names)}
        try:
            return [self.plugins[name] for name in sort(manifests, turns(manifests))]
        except Circle as circle:
            raise PluginFault(str(circle)) from circle

    def permissions(self, names: Iterable[str] | None = None) -> list[Permission]:
        """The permissions that plugins declare, in plan order."""
        return [permission for one in self.in_order(names) for permission in one.manifest.permissions]

    def limits(self, names: Iterable[str] | None = None) -> list[Limit]:
        """The limits that plugins declare, in plan order."""
        return [limit for one in self.in_order(names) for limit in one.manifest.limits]

    def needed_by(self, name: str) -> list[str]:
        """The plugin and all it stands on, in plan order. Raises PluginFault when there is no such plugin."""
        wanted: set[str] = set()
        self._gather(name, wanted, ())
        return [one.name for one in self.in_order(wanted)]

    def standing_on(self, name: str, among: Iterable[str]) -> list[str]:
        """Which of some plugins need this one, directly or not."""
        return [other for other in among if other != name and name in self.needed_by(other)]

    def extension(self, subject: str, plugin: str) -> type[msgspec.Struct] | None:
        """The Struct by which a plugin reads its part of `ext` on a subject such as `sales.cart`."""
        one = self.plugins.get(plugin)
        return one.extensions.get(subject) if one else None

    def plugin_of_settings(self, kind: type[msgspec.Struct]) -> str:
        """The plugin that declares a Struct as its settings. Raises LookupError."""
        for one in self.plugins.values():
            if one.settings is kind:
                return one.name
        raise LookupError(f"{kind.__module__}.{kind.__qualname__} is no plugin's settings")

    def extensions_of(self, subject: str) -> list[type[msgspec.Struct]]:
        """The Structs by which plugins read their parts of `ext` on a subject."""
        return [one.extensions[subject] for one in self.plugins.values() if subject in one.extensions]

    def _gather(self, name: str, wanted: set[str], path: tuple[str, ...]) -> None:
        if name not in self.plugins:
            said = self.set_aside[name].reason if name in self.set_aside else "it is not installed"
            raise PluginFault(f"{' → '.join((*path, name))}: {said}")
        if name in wanted:
            return
        wanted.add(name)
        for need in self.plugins[name].manifest.requirements():
            self._gather(need, wanted, (*path, name))

    def _in_some_turn(self, enabled: frozenset[str]) -> list[Loaded]:
        """As `in_turn`; a contradiction that came with new code must not keep anybody from selling."""
        try:
            return self.in_turn(enabled)
        except PluginFault:
            log.exception("plugins contradict one another; they answer in the order of what they stand on")
            return self.in_order(enabled)

    def _build(self, enabled: frozenset[str], tripped: frozenset[Pair]) -> HookSet:
        specs: list[ModuleType] = [hooks]
        listeners: list[tuple[str, ModuleType]] = []
        for one in self._in_some_turn(enabled):
            if one.hooks:
                specs.append(one.hooks)
            if one.listeners:
                listeners.append((one.name, one.listeners))
            listeners += [(one.name, one.bridges[other]) for other in sorted(one.bridges.keys() & enabled)]
        return self._hook_set(specs, listeners, tripped)

    def _hook_set(
        self, specs: Sequence[ModuleType], listeners: Sequence[tuple[str, ModuleType]], tripped: frozenset[Pair]
    ) -> HookSet:
        titles = {one.name: one.manifest.title for one in self.plugins.values()}
        return HookSet(specs, listeners, self.meter, tripped=tripped, titles=titles, passes=is_databases_own)


def discover(only: Iterable[str] | None = None) -> Registry:
    """Load every plugin of the entry point group. What fails is set aside, with those that need it.

    only: names to look at, for tests. Raises PluginFault when a foreign distribution claims a name under `plugins/`.
    """
    found, aside = _manifests(only)
    _refuse_misfits(found, aside)
    loaded: list[Loaded] = []
    released = released_versions()
    for name in _plan_order({name: manifest for name, (manifest, _) in found.items()}, aside):
        manifest, package = found[name]
        if missing := [need for need in manifest.requirements() if need in aside]:
            aside[name] = SetAside(name, f"needs {missing[0]}, which was set aside", path=(name, missing[0]))
            continue
        try:
            one = load(manifest, package, {one.name for one in loaded} | (found.keys() - aside.keys()))
            one = replace(one, released=released.get(name, ""))
            _check_hooks(Registry([*loaded, one]), one)
            _check_begins(one)
            loaded.append(one)
        except Exception as fault:  # a stranger's module may raise anything; the deployment must still start
            aside[name] = SetAside(name, f"{type(fault).__name__}: {fault}")
    return Registry(loaded, tuple(aside.values()))


def released_versions() -> dict[str, str]:
    """Plugin → the version of the distribution that offers it on this machine now, loaded or not."""
    return {point.name: point.dist.version for point in entry_points(group=GROUP) if point.dist}


def owner_of(table: str, plugins: Iterable[str]) -> str | None:
    """The plugin whose table it is by its name: the longest that it begins with."""
    return max((name for name in plugins if table.startswith(f"{name}_")), key=len, default=None)


def load(manifest: Plugin, package: str, present: Iterable[str]) -> Loaded:
    """Import the modules a plugin has, by file name. Raises whatever they raise."""
    folder = _folder(package)
    others = set(present)
    if "models" in _modules(folder):
        importlib.import_module(f"{package}.models")
    bridges = {
        other: importlib.import_module(f"{package}.{module}")
        for module in _modules(folder)
        if module.startswith("with_") and (other := module.removeprefix("with_")) in others
    }
    schemas = _optional(package, folder, "schemas")
    extensions: Mapping[str, type[msgspec.Struct]] = getattr(schemas, "EXTENSIONS", {})
    _check_sides(manifest.name, extensions)
    return Loaded(
        manifest,
        package,
        folder,
        hooks=_optional(package, folder, "hooks"),
        listeners=_optional(package, folder, "listeners"),
        bridges=bridges,
        routes=_optional(package, folder, "routes"),
        jobs=_optional(package, folder, "jobs"),
        site=_optional(package, folder, "site"),
        settings=_named(package, manifest.settings),
        extensions=extensions,
    )


def _check_sides(plugin: str, extensions: Mapping[str, type[msgspec.Struct]]) -> None:
    """Raise PluginFault unless each side table has the fields of the Struct for its subject as columns."""
    for subject, table in subjects_of(plugin).items():
        kind = extensions.get(subject)
        fields = set(kind.__struct_fields__) if kind is not None else set()
        if kind is None or {column.name for column in side_columns(table)} != fields:
            raise PluginFault(f"{table.name}: its columns must be the fields of EXTENSIONS[{subject!r}]")


def _check_hooks(registry: Registry, one: Loaded) -> None:
    """Raise HookFault unless every answer fits a hook of what the plugin says it stands on."""
    needed = registry.needed_by(one.name)
    registry.hooks_for(needed)
    for other in one.bridges.keys() & registry.plugins.keys():
        registry.hooks_for([*needed, *registry.needed_by(other)])


def _check_begins(one: Loaded) -> None:
    """Raise PluginFault for a command that the manifest names and the plugin does not have."""
    if missing := [name for name in one.manifest.begins if not hasattr(one.routes, name)]:
        raise PluginFault(f"its manifest says that {', '.join(missing)} begins something, and it has no such route")


def _manifests(only: Iterable[str] | None) -> tuple[dict[str, tuple[Plugin, str]], dict[str, SetAside]]:
    found: dict[str, tuple[Plugin, str]] = {}
    aside: dict[str, SetAside] = {}
    wanted = None if only is None else set(only)
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        if wanted is not None and point.name not in wanted:
            continue
        _refuse_squatter(point)
        try:
            manifest = point.load()
        except Exception as fault:  # as in discover
            aside[point.name] = SetAside(point.name, f"{type(fault).__name__}: {fault}")
            continue
        if not isinstance(manifest, Plugin) or manifest.name != point.name:
            aside[point.name] = SetAside(point.name, "its entry point does not lead to a manifest of the same name")
        elif point.name in found:
            raise PluginFault(f"two distributions offer a plugin called {point.name!r}")
        else:
            found[point.name] = (manifest, point.module)
    return found, aside


def _refuse_squatter(point: EntryPoint) -> None:
    ours = point.dist is not None and point.dist.name == "duka-erp"
    if point.module.split(".")[0] in (BUNDLED, "kernel") and not ours:
        raise PluginFault(f"a foreign distribution puts {point.module!r} under {BUNDLED}/; remove it")


def _refuse_misfits(found: dict[str, tuple[Plugin, str]], aside: dict[str, SetAside]) -> None:
    for name, (manifest, _) in found.items():
        if Version(VERSION) not in SpecifierSet(manifest.kernel):
            aside[name] = SetAside(name, f"needs kernel {manifest.kernel}, this is {VERSION}")
        for need, versions in manifest.requirements().items():
            if need not in found:
                aside.setdefault(name, SetAside(name, f"needs {need}, which is not installed", path=(name, need)))
            elif Version(found[need][0].version) not in versions:
                said = f"needs {need}{versions}, found {found[need][0].version}"
                aside.setdefault(name, SetAside(name, said, path=(name, need)))


def _plan_order(manifests: Mapping[str, Plugin], aside: dict[str, SetAside]) -> list[str]:
    """Each after what it stands on or wishes for, then by name; the members of a circle are set aside."""
    fit = dict(manifests)
    while True:
        try:
            return [name for name in sort(fit, dependencies(fit)) if name not in aside]
        except Circle as circle:
            for name in circle.members:
                aside[name] = SetAside(name, f"dependencies run in a circle: {circle}", path=circle.path_from(name))
                del fit[name]


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise PluginFault(f"{package} is not a package")
    return Path(next(iter(found.submodule_search_locations)))


def _modules(folder: Path) -> list[str]:
    return [module.name for module in pkgutil.iter_modules([str(folder)])]


def _optional(package: str, folder: Path, name: str) -> ModuleType | None:
    return importlib.import_module(f"{package}.{name}") if name in _modules(folder) else None


def _named(package: str, path: str) -> type[msgspec.Struct] | None:
    if not path:
        return None
    module, _, name = path.partition(":")
    found: type[msgspec.Struct] = getattr(importlib.import_module(f"{package}.{module}"), name)
    return found


def functions_of(module: ModuleType | None, kind: type[Any]) -> list[Any]:
    """The objects of a kind that a module (and, if it is a package, its submodules) defines, in order of definition."""
    if module is None:
        return []
    found: dict[int, Any] = {}
    modules = [module]
    if hasattr(module, "__path__"):
        names = [info.name for info in pkgutil.iter_modules(module.__path__, module.__name__ + ".")]
        modules += [importlib.import_module(name) for name in names]
    for one in modules:
        for thing in vars(one).values():
            if isinstance(thing, kind):
                found[id(thing)] = thing
    return list(found.values())
