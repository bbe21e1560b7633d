"""Plugins that each break one rule for what stands in the console."""

from __future__ import annotations

from typing import Final

RULES: Final = "keeps_the_rules_of_those_it_stands_on"
_MANIFEST: Final = 'optional=("console>=0.1",), permissions=(Permission("{name}.see", "See things"),)'
_UI: Final = '{% import "console/ui.html" as ui with context %}'
_Broken = tuple[dict[str, str], str, str, str]


def _offering(hook: str, offer: str, content: str = "<h1>Things</h1>", **more: str) -> dict[str, str]:
    """A plugin that puts one thing into the console, with one template of some content."""
    return {
        "with_console.py": f"""
            from kernel.hooks import answers
            from plugins.console.api import {offer.partition("(")[0]}

            async def read(seen, *given):
                "Nothing."
                return {{}}

            @answers
            def {hook}():
                "One thing."
                return ({offer},)
        """,
        "templates/console/it.html": "{% extends layout %}{% block content %}" + content + "{% endblock %}",
        **more,
    }


def _page(name: str, content: str, words: str, rule: str = RULES) -> _Broken:
    """A plugin with a page of some content. words: what is said of it."""
    offer = f'Page("/it", "console/it.html", "Things", "{name}.see", read)'
    return _offering("console_pages", offer, content), _MANIFEST, rule, words


BROKEN_PAGES: Final[dict[str, _Broken]] = {
    "inline": _page(
        "inline",
        '<p style="color: red">Things</p>',
        "templates/console/it.html: it has a style in the page; write a rule in static/",
    ),
    "misspelt": _page(
        "misspelt",
        _UI + '{{ ui.heading("Things") }}',
        "ui.heading: console/ui.html has no such macro; it has",
    ),
    "torn": _page("torn", "{% if %}", "templates/console/it.html, line 1: Expected an expression"),
    "unshown": _page(
        "unshown",
        "{{ no_such_name }}",
        "page /unshown/it: it cannot be shown (500)",
        "what_it_gives_those_it_stands_on_works",
    ),
    "unpainted": (
        _offering("console_cards", 'Card("it", "Things", "console/that.html", read)'),
        _MANIFEST,
        RULES,
        "Card it: there is no templates/console/that.html",
    ),
    "undeclared": (
        _offering("console_pages", 'Page("/it", "console/it.html", "Things", "undeclared.look", read)'),
        _MANIFEST,
        RULES,
        "Page /it: no plugin declares the permission 'undeclared.look'",
    ),
    "nowhere": (
        _offering("console_nav", 'Nav("trade", "Things", "/nowhere/it", "layers")'),
        _MANIFEST,
        RULES,
        "Nav Things: it leads to /nowhere/it, where no page is; a page of yours is at /nowhere<path>",
    ),
    "placeless": (
        _offering("console_blocks", 'Block("catalog.products.side", "it", "console/it.html", read)'),
        _MANIFEST,
        RULES,
        "Block it: no page names a place 'catalog.products.side' for it; catalog names catalog.product",
    ),
    "aimless": (
        _offering("console_actions", 'Action("catalog.product", "it", "Things", "/catalog/products/{product}")'),
        _MANIFEST,
        RULES,
        "Action it: it leads to /catalog/products/{product}; catalog.product gives id",
    ),
    "halfsaid": (
        _offering(
            "console_cards",
            'Card("it", "Things", "console/it.html", read)',
            "{{ _('Nobody') }}",
            **{"locale/sw.json": '{"words": {"Things": "Vitu"}}'},
        ),
        _MANIFEST,
        RULES,
        "locale/sw.json: no words for 'Nobody' (1 in all)",
    ),
}
"""As `tests.broken_plugins.BROKEN`."""
