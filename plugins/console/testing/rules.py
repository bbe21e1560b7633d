"""The rules for what plugins put into the console, for the suite that every plugin goes through. None needs a database.

Each finding says where and what to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Final

import jinja2

from kernel.auth.rights.permissions import PERMISSIONS
from kernel.hooks import Answer
from kernel.registry import Loaded, Registry
from plugins.console import hooks
from plugins.console.schemas import SECTIONS, Action, Block, Card, Column, Filter, Find, Listing, Nav, Notice, Page
from plugins.console.services.composing import pattern_of
from plugins.console.services.rendering import environment_of
from plugins.console.services.showing import LANGUAGES
from plugins.console.testing.reading import Template, places_of, read, templates_of

OFFERS: Final[Mapping[str, type]] = {
    "console_nav": Nav,
    "console_pages": Page,
    "console_cards": Card,
    "console_blocks": Block,
    "console_columns": Column,
    "console_filters": Filter,
    "console_actions": Action,
    "console_finds": Find,
    "console_notices": Notice,
}
PLACED: Final = {Block: "slot", Column: "columns", Filter: "filters", Action: "actions"}
CONSOLE: Final = "console"
SOURCE: Final = "en"
FILTERS: Final = frozenset(environment_of({}).filters)
_ICON: Final = re.compile(r'<symbol id="([^"]+)"')


def rules_for(plugin: Loaded, registry: Registry) -> Iterator[str]:
    """What is wrong with the pages of a plugin, and with what it puts on those of others."""
    offered, faults = _offered(plugin, registry)
    yield from faults
    texts = templates_of(plugin.folder)
    written: dict[str, Template] = {}
    for path, text in texts.items():
        try:
            written[path] = read(text)
        except jinja2.TemplateSyntaxError as fault:
            yield f"templates/{path}, line {fault.lineno}: {fault.message}"
    for path, one in written.items():
        yield from (f"templates/{path}: {said}" for said in _of_template(one, registry))
    for one in offered:
        yield from (f"{_called(one)}: {said}" for said in _of_offer(one, plugin, registry, texts, offered))
    yield from _half_translated(plugin, registry, words_said(offered, written.values()))


def words_missing(plugin: Loaded, registry: Registry, language: str) -> list[str]:
    """The English that a plugin's pages say, and for which nobody has words in a language."""
    offered, _ = _offered(plugin, registry)
    said = words_said(offered, (read(text) for text in templates_of(plugin.folder).values()))
    return sorted(said - _known_words(registry, language))


def words_said(offered: Iterable[Any], written: Iterable[Template]) -> set[str]:
    """The English of templates and of titles."""
    titles = {one.title for one in offered if getattr(one, "title", "")}
    chosen = [one for one in offered if isinstance(one, Filter)]
    titles |= {words for one in chosen for words in (one.empty, *(words for _, words in one.choices))}
    titles |= {heading.title for one in offered if isinstance(one, Page) and one.lists for heading in one.lists.columns}
    return titles.union(*(one.words for one in written))


def _offered(plugin: Loaded, registry: Registry) -> tuple[list[Any], list[str]]:
    """What the plugin answers to the console's hooks, and which of its answers cannot be taken."""
    every = registry.hooks_for(registry.plugins)
    found: list[Any] = []
    faults: list[str] = []
    for name, kind in OFFERS.items():
        if plugin.name not in every.listeners(name):
            continue
        answers: Sequence[Answer[Any]] = every.offers(getattr(hooks, name))
        mine = [answer.value for answer in answers if answer.plugin == plugin.name]
        if not mine:
            faults.append(f"{name}: it answers with nothing, or fails; `duka dev` shows each answer")
        for one in (one for value in mine for one in value):
            if isinstance(one, kind):
                found.append(one)
            else:
                faults.append(f"{name}: {one!r} is no {kind.__name__} of plugins.console.api")
    return found, faults


def _called(one: Any) -> str:
    return f"{type(one).__name__} {getattr(one, 'path', '') or getattr(one, 'name', '') or one.title}"


def _of_template(one: Template, registry: Registry) -> Iterator[str]:
    yield from (f"it has {said}" for said in one.forbidden)
    yield from (f"there is no filter {name!r}" for name in sorted(one.filters - FILTERS))
    for address in sorted(one.statics):
        owner, _, rest = address.partition("/")
        if owner not in registry.plugins or not (registry.plugins[owner].folder / "static" / rest).is_file():
            yield f"static({address!r}) names no file; write it below static/ and name it <plugin>/<file>"
    for alias, macro in sorted(one.macros):
        source = one.imported.get(alias)
        if source is not None and macro not in (known := _macros(source, registry)):
            yield f"{alias}.{macro}: {source} has no such macro; it has {', '.join(sorted(known))}"


def _of_offer(
    one: Any, plugin: Loaded, registry: Registry, texts: Mapping[str, str], offered: Sequence[Any]
) -> Iterator[str]:
    known = {permission.name for permission in (*PERMISSIONS, *registry.permissions())}
    if one.permission and one.permission != "operator" and one.permission not in known:
        yield f"no plugin declares the permission {one.permission!r}; write it among those of PLUGIN"
    if (template := getattr(one, "template", None)) is not None and template not in texts:
        yield f"there is no templates/{template}"
    if (icon := getattr(one, "icon", "")) and icon not in _icons(registry):
        yield f"there is no icon {icon!r} in the console's static/vendor/icons.svg"
    if isinstance(one, Nav) and one.section not in SECTIONS:
        yield f"there is no section {one.section!r}; choose of {', '.join(SECTIONS)}"
    if isinstance(one, Nav | Card | Notice) and one.to and not _leads(one.to, plugin, registry, offered):
        yield f"it leads to {one.to}, where no page is; a page of yours is at /{plugin.name}<path>"
    if isinstance(one, Page) and one.lists is not None:
        yield from _of_list(one.lists, plugin, offered)
    if type(one) in PLACED:
        yield from _of_place(one, registry)


def _of_list(one: Listing, plugin: Loaded, offered: Sequence[Any]) -> Iterator[str]:
    if not re.fullmatch(rf"{plugin.name}\.[a-z][a-z0-9_]{{0,79}}", one.name):
        yield f"its list is called {one.name!r}; call it {plugin.name}.<things>, as its slot is"
    if sum(isinstance(page, Page) and page.lists is not None and page.lists.name == one.name for page in offered) > 1:
        yield f"two pages are of the list {one.name!r}; each has one of its own"
    for heading in one.columns:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", heading.name):
            yield f"its column {heading.name!r} is no name; use small letters, digits and _"


def _of_place(one: Block | Column | Filter | Action, registry: Registry) -> Iterator[str]:
    kind, owner = PLACED[type(one)], one.slot.partition(".")[0]
    if owner not in registry.plugins:
        return  # of a plugin that is not installed: nobody can say
    places = {one.name: one for one in places_of([registry.plugins[owner].folder]) if one.kind == kind}
    if one.slot not in places:
        near = ", ".join(sorted(places)) or "none"
        yield f"no page names a place {one.slot!r} for it; {owner} names {near}"
    elif isinstance(one, Action):
        wanted = {name for _, name, _, _ in Formatter().parse(one.to) if name is not None}
        if wanted - set(places[one.slot].given):
            yield f"it leads to {one.to}; {one.slot} gives {', '.join(places[one.slot].given) or 'nothing'}"


def _leads(to: str, plugin: Loaded, registry: Registry, offered: Sequence[Any]) -> bool:
    answers = registry.hooks_for(registry.plugins).offers(hooks.console_pages)
    pages = [(answer.plugin, page) for answer in answers for page in answer.value or ()]
    pages += [(plugin.name, page) for page in offered if isinstance(page, Page)]
    path = to.partition("?")[0]
    return any(pattern_of(owner, page).fullmatch(path) for owner, page in pages)


def _half_translated(plugin: Loaded, registry: Registry, said: set[str]) -> Iterator[str]:
    """A language that was begun is to be whole: half a page in each is worse than one in English."""
    for language in sorted(set(LANGUAGES) - {SOURCE}):
        own = plugin.folder / "locale" / f"{language}.json"
        is_begun = own.is_file() and _words_of(own)
        if is_begun and (missing := sorted(said - _known_words(registry, language))):
            few = ", ".join(map(repr, missing[:5]))
            yield f"locale/{language}.json: no words for {few} ({len(missing)} in all)"


def _known_words(registry: Registry, language: str) -> set[str]:
    files = (one.folder / "locale" / f"{language}.json" for one in registry.in_order())
    return {word for file in files if file.is_file() for word in _words_of(file)}


@cache
def _words_of(file: Path) -> frozenset[str]:
    return frozenset(json.loads(file.read_text(encoding="utf-8")).get("words", {}))


def _macros(source: str, registry: Registry) -> set[str]:
    owner, _, path = source.partition("/")
    file = registry.plugins[owner].folder / "templates" / path if owner in registry.plugins else None
    return read(file.read_text(encoding="utf-8")).own_macros if file is not None and file.is_file() else set()


def _icons(registry: Registry) -> set[str]:
    sprite = registry.plugins[CONSOLE].folder / "static" / "vendor" / "icons.svg"
    return set(_ICON.findall(sprite.read_text(encoding="utf-8")))
