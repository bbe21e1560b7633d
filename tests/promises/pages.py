"""Every page of the console, with addresses that lead to things a filled shop has; and what stands on a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any, Final

from kernel.testing.box import Box
from plugins.console.services.composing import Composed, Placed

IDS: Final[Mapping[str, str]] = {
    "catalog/categories": "category_id",
    "catalog/brands": "brand_id",
    "catalog/imports": "import_id",
    "catalog/price-lists": "price_list_id",
    "inventory/receipts": "receipt_id",
    "inventory/adjustments": "adjustment_id",
}
"""What `{id}` of a page stands for."""
PLAIN: Final[Mapping[str, str]] = {
    **{"slug": "mama-njeri", "name": "discounts", "plugin": "sales", "action": "disable"},
    **{"region": "KE", "gateway": "mpesa", "mode": "live", "line": "1", "step": "apps"},
}
"""Parameters that are no ids."""
SPELT: Final[Mapping[str, str]] = {
    "/operating/apps/{name}/{action}": "/operating/apps/discounts/uninstall",
    "/payments/accounts/new": "/payments/accounts/new?gateway=mpesa",
}
"""Pages that want more than that, or something else."""
ASKS: Final[Mapping[str, str]] = dict.fromkeys(("/setup", "/setup/{step}"), "settings.manage")
"""Pages that ask for a permission once a business is there: they are also for operators who have none."""
LEADS_ON: Final = frozenset({"/setup"})
"""Pages that send their reader on."""


def composed_of(box: Box) -> Composed:
    """All that the installed plugins put into the console."""
    registry = box.deployment.registry
    asked: Any = SimpleNamespace(offers=lambda hook, enabled: registry.hooks_for(enabled).offers(hook))
    return Composed(asked, frozenset(registry.plugins))


def address_of(placed: Placed, own: Mapping[str, str]) -> str:
    """Where a page is, below `/console`. Raises LookupError for a parameter that nothing here stands for."""
    whole = placed.page.path if placed.plugin == "console" else f"/{placed.plugin}{placed.page.path}"
    if whole in SPELT:
        return SPELT[whole]

    def value(found: re.Match[str]) -> str:
        name = IDS.get(whole[1 : found.start() - 1], found[1]) if found[1] == "id" else found[1]
        known = {**own, **PLAIN}
        if name not in known:
            raise LookupError(f"what does {{{found[1]}}} of the page {whole} stand for? Say it in {__name__}")
        return known[name]

    return re.sub(r"{(\w+)}", value, whole)


def permission_of(placed: Placed) -> str:
    """What a page asks for."""
    return ASKS.get(placed.page.path, placed.page.permission) if placed.plugin == "console" else placed.page.permission


@dataclass
class Deed:
    """What a page offers to do by the API, and where it leads then."""

    method: str
    path: str
    then: str = ""


@dataclass
class Walked(HTMLParser):
    """What stands on a page: deeds of the API, links, and pieces that load after it."""

    deeds: list[Deed] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._form: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if "data-put" in said:
            self.deeds.append(Deed(said.get("data-method", "POST"), said["data-put"]))
        if "hx-get" in said:
            loads = said.get("hx-trigger", "").startswith("load")
            is_piece = loads or said["hx-get"].startswith(("/console/card/", "/console/block/"))
            (self.pieces if is_piece else self.links).append(said["hx-get"])
        self.deeds += [
            Deed(name.removeprefix("hx-").upper(), said[name].removeprefix("/console/api/v1"))
            for name in ("hx-post", "hx-put", "hx-patch", "hx-delete")
            if name in said
        ]
        if tag == "form":
            self._form = {"action": said.get("action", ""), "method": said.get("method", "get")}
        elif tag in ("a", "img") and (to := said.get("href") or said.get("src")):
            self.links.append(to)
        elif tag in ("input", "button") and self._form is not None and said.get("name", "").startswith("_"):
            self._form.setdefault(said["name"], said.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag != "form" or self._form is None:
            return
        form, self._form = self._form, None
        if form["method"].lower() == "get" and form["action"]:
            self.links.append(form["action"])
        elif form["action"] == "/console/do":
            self.deeds.append(Deed(form.get("_method", "POST"), form.get("_to", ""), form.get("_then", "")))


def walked(text: str) -> Walked:
    """What stands on a page."""
    walk = Walked()
    walk.feed(text)
    return walk


@dataclass(frozen=True)
class Api:
    """The routes of the API, to be found by the path of a request."""

    routes: list[tuple[str, re.Pattern[str], str]]

    @classmethod
    def of(cls, box: Box) -> Api:
        """Of a deployment."""
        found = [(one.method, _pattern(one.path), one.permission) for one in _plainest(box.app.routes)]
        return cls(found)

    def permission(self, method: str, path: str) -> str | None:
        """What a request below `/api/v1` asks for; None where there is no such route."""
        whole = f"/api/v1{path.partition('?')[0]}"
        return next((needs for way, pattern, needs in self.routes if way == method and pattern.fullmatch(whole)), None)


def _plainest(routes: Iterable[Any]) -> Iterator[Any]:
    yield from sorted(routes, key=lambda one: one.path.count("{"))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
