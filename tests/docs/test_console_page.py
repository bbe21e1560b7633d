"""What docs/plugins/console.md says of slots, macros, names and kinds of fields, held against what there is."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import jinja2

from kernel.app import build
from kernel.registry import Registry
from plugins.console import hooks
from plugins.console.schemas import Seen
from plugins.console.services import forms, rendering
from plugins.console.services.composing import Composed
from plugins.console.testing import Place, places_of
from plugins.console.testing.reading import read

PLUGINS = Path("plugins")
PAGE = Path("docs/plugins/console.md").read_text(encoding="utf-8")
KINDS = {"blocks": "slot", "columns": "columns", "filters": "filters", "buttons": "actions"}
ROW = re.compile(r"^\| `([a-z_.]+)` \| (blocks|columns|filters|buttons) \| (.*) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


def documented(page: str) -> set[Place]:
    """The slots of the page's table."""
    return {
        Place(KINDS[kind], name, tuple(one for one in CODE.findall(gives) if not one.startswith("GET ")))
        for name, kind, gives in ROW.findall(page)
    }


def section(title: str) -> str:
    """A section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def named(title: str) -> set[str]:
    """The names in front of a bracket, or by themselves, that a section says in code."""
    return {re.split(r"[(:]", one)[0] for code in CODE.findall(section(title)) for one in code.split(", ")}


def test_the_table_of_slots_is_what_the_templates_name() -> None:
    there = places_of(folder for folder in sorted(PLUGINS.iterdir()) if folder.is_dir())
    assert documented(PAGE) == there


def test_a_slot_that_is_gone_or_gives_something_else_is_seen() -> None:
    """The twin: the name and what is given are both promised."""
    row = "| `catalog.product` | blocks | `product`, as `GET /catalog/products/{product_id}` answers |"
    assert row in PAGE
    for other in (row.replace("`product`", "`goods`"), row.replace("catalog.product`", "catalog.goods`"), ""):
        assert documented(PAGE.replace(row, other)) != documented(PAGE)


def test_what_slots_give_is_answered_by_routes_there_are(registry: Registry) -> None:
    kernel = Path("kernel/app/routes")
    own = {path for file in kernel.glob("*.py") for path in re.findall(r'@query\("(/[^"]*)"', file.read_text("utf-8"))}
    there = own | {route.path.removeprefix("/api/v1") for one in registry.in_order() for route in build.routes_of(one)}
    said = set(re.findall(r"`GET (\S+)`", section("Slots")))
    assert len(said) > 10
    assert said - there == set()


def test_every_macro_is_on_the_page_and_no_other() -> None:
    there = read((PLUGINS / "console/templates/ui.html").read_text(encoding="utf-8")).own_macros
    assert there - named("Macros") == set()
    assert {one.partition("(")[0] for one in CODE.findall(section("Macros")) if one.endswith(")")} - there == set()


def names_given() -> set[str]:
    """What every template is given, besides what Jinja gives to all."""
    environment, now = rendering.environment_of({}), dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    seen = Seen({"business": None, "permissions": (), "is_operator": False}, {}, {}, "en", None)  # type: ignore[arg-type]
    drawn = rendering.Rendering(environment, Composed.__new__(Composed), seen, proof="", path="/", now=now)
    return (environment.globals.keys() - jinja2.defaults.DEFAULT_NAMESPACE.keys()) | drawn._common.keys()


def test_every_name_that_templates_are_given_is_on_the_page() -> None:
    there = names_given()
    assert {"seen", "money", "slot", "static"} <= there
    assert there - named("What a page is given") == set()


def test_every_hook_is_on_the_page() -> None:
    there = {name for name, one in vars(hooks).items() if hasattr(one, "duka_spec")}
    assert there == {one for one in named("What a plugin offers") if one.startswith("console_")}


def test_every_kind_of_field_is_on_the_page() -> None:
    said = {one.partition(":")[2] for one in CODE.findall(section("Forms")) if re.fullmatch(r"[a-z_]+:[a-z]+", one)}
    assert said == set(forms.KINDS)
