"""What a plugin says of itself: its documentation, and what its package tells of who made it."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageMetadata, entry_points

from msgspec import structs

from kernel.app.routes.deployed_plugins import PluginOut, PluginWhole
from kernel.registry import BUNDLED, GROUP, Registry

LONGEST = 20_000


def told_whole(said: PluginOut, registry: Registry) -> PluginWhole:
    """A plugin with its description; of one whose code is not in memory only what is known of it."""
    fields = structs.asdict(said)
    one = registry.plugins.get(said.name)
    if one is None:
        return PluginWhole(**fields)
    page = one.folder / "docs" / "index.md"
    made = _made(one.name)
    return PluginWhole(
        **fields,
        description=page.read_text("utf-8")[:LONGEST] if page.is_file() else "",
        publisher=_first(made, "Author", "Maintainer", "Author-email") if made else None,
        licence=_first(made, "License-Expression", "License") if made else None,
        address=_address(made) if made else None,
        is_bundled=one.package.split(".", 1)[0] == BUNDLED,
        wishes=sorted(one.manifest.wishes()),
        conflicts=sorted(one.manifest.rivals()),
        hosts=list(one.manifest.hosts),
    )


@lru_cache(200)
def _made(name: str) -> PackageMetadata | None:
    """What the package that offers a plugin says of itself."""
    found = [point.dist for point in entry_points(group=GROUP, name=name) if point.dist]
    return found[0].metadata if found else None


def _first(made: PackageMetadata, *names: str) -> str | None:
    told = (made[name] for name in names if name in made)
    return next((one.partition("<")[0].strip()[:200] or None for one in told if one), None)


def _address(made: PackageMetadata) -> str | None:
    """Its home page, or the first address that it names."""
    named = [one.partition(",")[2].strip() for one in made.get_all("Project-URL") or []]
    told = ([made["Home-page"]] if "Home-page" in made else []) + named
    return next((one for one in told if one.startswith("https://")), None)
