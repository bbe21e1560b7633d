"""Templates: those of each plugin below its name, so that none can take the place of another's."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from kernel.web import digest_of_scripts
from plugins.console.schemas import Action, Column, Filter, Refused, Seen
from plugins.console.services import charting
from plugins.console.services.at_place import BY_PLACE
from plugins.console.services.composing import Composed, columns_of
from plugins.console.services.listings import Shown, shown_of
from plugins.console.services.showing import LANGUAGES, RIGHT_TO_LEFT, Showing

log = logging.getLogger("duka.console")
SLOW_S: Final = 0.15
"""A block that is not there by then loads after the page."""
LOOKED_S: Final = 1.0
"""So long a file is taken to be as it was when it was last looked at."""
KINDS: Final[Mapping[type, str]] = {
    **{str: "text", bool: "yes or no", int: "number", list: "list", type(None): "nothing just now"}
}


class Environment(jinja2.Environment):
    """Jinja with one habit more: of a dictionary `a.items` is its key, and of its methods only `get` is known."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of a dictionary, or an attribute of anything else."""
        if (type(obj) is dict or isinstance(obj, Mapping)) and attribute != "get":  # asked thousands of times a page
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


def environment_of(folders: Mapping[str, Path]) -> Environment:
    """The templates of all plugins: `<plugin>/<file below its templates/>`. folders: where each plugin's files are."""
    loaders = {name: jinja2.FileSystemLoader(folder / "templates") for name, folder in folders.items()}
    made = Environment(
        loader=jinja2.PrefixLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        enable_async=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
    )
    files = Static(folders)
    made.globals["static"], made.globals["script"] = files.address, files.script
    made.globals |= {"languages": LANGUAGES, "chart_of": charting.chart_of}
    made.filters["exact"] = charting.exact
    made.filters["trend"] = charting.trend
    return made


class Static:
    """Addresses of static files that change as the files change, so that browsers may keep them for good."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._known: dict[str, tuple[float, int, str]] = {}

    def address(self, path: str) -> str:
        """The address of `<plugin>/<file below its static/>`; a page names some a hundred times, so one looks once."""
        looked, changed, address = self._known.get(path, (-LOOKED_S, -1, ""))
        now = time.monotonic()
        if now - looked < LOOKED_S:
            return address
        plugin, _, rest = path.partition("/")
        file = self._folders[plugin] / "static" / rest
        if (at := file.stat().st_mtime_ns) != changed:
            address = f"/static/{path}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
        self._known[path] = (now, at, address)
        return address

    def script(self, path: str) -> str:
        """The address of a script that imports others beside it or below: it changes as any of them does."""
        plugin, _, rest = path.partition("/")
        return f"/static/{plugin}/~{digest_of_scripts(self._folders[plugin] / 'static')}/{rest}"


class Rendering:
    """Renders for one request."""

    def __init__(
        self,
        environment: Environment,
        composed: Composed,
        seen: Seen,
        *,
        proof: str,
        path: str,
        now: dt.datetime,
        theme: str = "",
    ) -> None:
        self.environment, self.composed, self.seen = environment, composed, seen
        business = seen.business or {}
        self.showing = Showing(
            seen.language, business.get("region", ""), business.get("zone", "UTC"), business.get("currency", "")
        )
        self.now, self.path = now, path
        self._common: dict[str, Any] = {
            **{"seen": seen, "me": seen.me, "business": seen.business, "may": seen.may, "has": seen.has},
            **{"proof": proof, "path": path, "now": now, "theme": theme, "_": self.word, "language": seen.language},
            **{"direction": "rtl" if seen.language in RIGHT_TO_LEFT else "ltr", "new_key": lambda: str(uuid.uuid4())},
            **{"slot": self.slot, "columns": self.columns, "actions": self.actions, "query": seen.query},
            **{"filters": self.filters},
            **{
                "money": self.showing.money,
                "figure": self.showing.figure,
                "number": self.showing.number,
                "percent": self.showing.percent,
            },
            **{"region_name": self.showing.region},
            **{"day": self.showing.day, "weekday": self.showing.weekday, "moment": self.showing.moment},
            **{"clock": self.showing.clock, "ago": lambda value: self.showing.ago(value, now)},
            **{"where_is": lambda subject: composed.where_is(subject, seen)},
            **{"with_query": self.with_query, "has_slots": self.has_slots, "may_send": self.may_send},
            **{"listing": seen.listing, "headings": self.headings, "comma": self.showing.comma},
            **{"unfit": {}, "unfit_told": []},
        }

    def word(self, english: str, **given: Any) -> str:
        """Words of pages, or of what the API told, in the reader's language; `{name}` in them is filled in."""
        said = self.seen.word(english)
        return said.format(**given) if given else said

    async def page(self, template: str, layout: str, **context: Any) -> str:
        """A page, or a part of one, in a layout of the console."""
        found = self.environment.get_template(template)
        return await found.render_async({**self._common, "layout": f"console/{layout}.html", **context})

    async def slot(self, name: str, **given: Any) -> Markup:
        """All blocks of a slot. given: what the slot promises."""
        blocks = self.composed.in_slot(self.composed.blocks, name, self.seen)
        parts = await asyncio.gather(*(self._block(plugin, block, given) for plugin, block in blocks))
        if self.has_slots:
            parts.insert(0, await self.page("console/slot.html", "bare", name=name, kinds=kinds_of(given)))
        return Markup("".join(parts))  # noqa: S704 - each part was escaped as it was rendered

    async def columns(self, slot: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The columns that plugins add to a table, with their values."""
        found = await columns_of(self.composed, slot, self.seen, rows)
        if self.has_slots:
            found.append((Column(slot, "slot", slot, _nothing), ["–"] * len(rows)))
        return found

    def filters(self, slot: str) -> list[Filter]:
        """The choices that plugins add above a list."""
        found = [one for _, one in self.composed.in_slot(self.composed.filters, slot, self.seen)]
        if self.has_slots:
            found.append(Filter(slot, "slot", slot, "slots", (("1", slot),), slot))
        return found

    def headings(self, added: Sequence[tuple[Column, Sequence[str]]] = ()) -> list[Shown]:
        """The columns of the page's list as the reader has them. added: what `columns` told. Raises LookupError."""
        if self.seen.listing is None:
            raise LookupError("this page is for no list: name one in its Page, as `lists`")
        owners = {id(column): plugin for plugin, column in self.composed.columns}
        named = {f"{owners.get(id(one), 'console')}.{one.name}": (one, values) for one, values in added}
        return [replace(one, title=self.word(one.title)) for one in shown_of(self.seen.listing, named)]

    def actions(self, slot: str, **given: Any) -> list[tuple[Action, str]]:
        """The buttons that plugins add to a page, with where they lead."""
        found = self.composed.in_slot(self.composed.actions, slot, self.seen)
        shown = [(action, action.to.format(**given)) for _, action in found]
        if self.has_slots:
            title = f"{slot} ({', '.join(given)})" if given else slot
            shown.append((Action(slot, "slot", title, self.path), f"{self.path}{self.with_query()}"))
        return shown

    def may_send(self, to: str) -> bool:
        """Whether the reader may write to a path of the API at all: who was let in only to look may not, but for their
        own account."""
        support = self.seen.me["support"]
        return not (support and support["read_only"]) or to.startswith("/auth/")

    @property
    def has_slots(self) -> bool:
        """Whether the page shows the places it has for others: `?slots=1`, for who may turn apps on."""
        may = self.seen.may("plugins.manage") or self.seen.may("operator")
        return may and self.seen.query.get("slots") == "1"

    async def block(self, plugin: str, name: str, given: Mapping[str, Any]) -> str:
        """One block by itself, however long it takes. Raises LookupError."""
        for owner, block in self.composed.blocks:
            if (owner, block.name) == (plugin, name) and self.seen.may(block.permission):
                return await self._shown(plugin, block, given)
        raise LookupError(name)

    async def _block(self, plugin: str, block: Any, given: Mapping[str, Any]) -> str:
        try:
            async with asyncio.timeout(SLOW_S):
                return await self._shown(plugin, block, given)
        except TimeoutError:
            return await self.page("console/later.html", "bare", plugin=plugin, name=block.name, given=_ids(given))

    async def _shown(self, plugin: str, block: Any, given: Mapping[str, Any]) -> str:
        try:
            read = await block.read(self.seen, given) if block.read else {}
            return await self.page(f"{plugin}/{block.template}", "bare", **{**given, **read})
        except TimeoutError:
            raise
        except Refused as refused:
            return "" if refused.status in (403, 404) else await self.page("console/failed.html", "bare", plugin=plugin)
        except Exception:  # a piece of somebody else's never keeps a page from being shown
            log.exception("block %s of %s could not be shown", block.name, plugin)
            return await self.page("console/failed.html", "bare", plugin=plugin)

    def with_query(self, **changed: Any) -> str:
        """The query string of this page with some names changed, or left out where None."""
        said = {**self.seen.query, **changed}
        return "?" + "&".join(
            f"{jinja2.filters.do_urlencode(name)}={jinja2.filters.do_urlencode(str(value))}"
            for name, value in said.items()
            if value not in (None, "") or (name == BY_PLACE and value == "")  # all places, said aloud
        )


def kinds_of(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a slot gives, as authors read it: name, with its keys one below another, and the kind of each."""
    found: list[tuple[str, str]] = []
    for name, value in given.items():
        found += [(f"{name}.{key}", _kind(held)) for key, held in value.items()] if isinstance(value, Mapping) else []
        found += [(name, _kind(value))] if not isinstance(value, Mapping) else []
    return found


def _kind(value: Any) -> str:
    return KINDS.get(type(value), "object")


async def _nothing(_seen: Seen, _rows: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    return ()


def _ids(given: Mapping[str, Any]) -> dict[str, str]:
    """What a block that loads later is asked for again by: the ids of what it was given."""
    return {name: str(value["id"]) for name, value in given.items() if isinstance(value, Mapping) and "id" in value}
