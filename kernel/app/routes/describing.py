"""What a plugin says of itself: its documentation, and what its package tells of who made it."""

from __future__ import annotations

import io
import logging
from functools import lru_cache
from importlib.metadata import PackageMetadata, entry_points
from pathlib import Path

from msgspec import structs
from PIL import Image

from kernel.app.pages import digest_of
from kernel.app.routes.deployed_plugins import PictureOut, PluginOut, PluginWhole
from kernel.registry import BUNDLED, GROUP, Loaded, Registry

log = logging.getLogger("duka.plugins")
LONGEST = 20_000
MOST_BYTES = 40 * 1024
"""Of a picture."""


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
        pictures=_pictures(one) if said.state not in ("uninstalled", "quarantined") else [],
    )


def _pictures(one: Loaded) -> list[PictureOut]:
    """Those that are there and are what they say; one that is not keeps nobody from the rest."""
    found = ((picture_of(one.folder / "static" / said.file), said) for said in one.manifest.pictures)
    return [
        PictureOut(f"/static/{one.name}/{said.file}?v={read[0]}", said.words, *read[1:]) for read, said in found if read
    ]


@lru_cache(200)
def picture_of(file: Path) -> tuple[str, int, int] | None:
    """The digest of a picture, its width and height."""
    if not file.is_file() or file.stat().st_size > MOST_BYTES:
        log.warning("the picture %s is missing, or larger than %d bytes", file, MOST_BYTES)
        return None
    content = file.read_bytes()
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "WEBP")) as image:
            return digest_of(content), image.width, image.height
    except (OSError, ValueError) as fault:
        log.warning("the picture %s cannot be read: %s", file, fault)
        return None


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
