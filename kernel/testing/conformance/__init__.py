"""The anatomy of a plugin, checked: `python -m kernel.testing.conformance [package ...]`.

Plugins are read and never imported, so a broken one is reported too. The rules, one function each, are in
`imports` (what a file may import) and `contents` (what a folder and a file hold).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from kernel.testing.conformance import contents, imports
from kernel.testing.conformance.sources import Checked, Fault, Source, read_manifest, read_sources

__all__ = ["Fault", "check_plugin", "installed_plugins"]

FILE_RULES: Final[tuple[Callable[[Checked, Source], Iterator[Fault]], ...]] = (
    imports.manifest_stands_alone,
    imports.neighbours_by_their_face,
    imports.rules_and_schemas_pure,
    imports.companions_declared,
    contents.short_enough,
    contents.documented,
    contents.tables_prefixed,
)


def check_plugin(package: str, root: Path, plugins: Mapping[str, str] | None = None) -> list[Fault]:
    """Find every fault of the plugin whose import name is `package` and whose folder is `root`.

    plugins: package → plugin name of plugins that do not live below `plugins/`; default: those installed.
    """
    init = root / "__init__.py"
    if not init.is_file():
        return [Fault(init, 1, "is missing: every plugin has one, with a docstring and PLUGIN")]
    manifest, faults = read_manifest(init, default_name=package.rpartition(".")[2])
    known = installed_plugins() if plugins is None else plugins
    plugin = Checked(package, manifest, {**known, package: manifest.name})
    faults += [*contents.names_known(root), *contents.page_written(root)]
    for source in read_sources(root):
        faults += [source] if isinstance(source, Fault) else _file_faults(plugin, source)
    return sorted(set(faults))


def installed_plugins() -> dict[str, str]:
    """Package → plugin name of everything installed in the entry point group `duka.plugins`."""
    return {point.value.partition(":")[0]: point.name for point in entry_points(group="duka.plugins")}


def _file_faults(plugin: Checked, source: Source) -> Iterator[Fault]:
    for rule in FILE_RULES:
        yield from rule(plugin, source)
