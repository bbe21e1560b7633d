"""Markdown of documentation as HTML: headings, paragraphs, lists, tables and code; whatever else it holds is text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

_KINDS: Final = (
    ("head", re.compile(r"#{1,6} ")),
    ("item", re.compile(r"([-*]|\d+\.) ")),
    ("row", re.compile(r"\|")),
    ("text", re.compile(r"\S")),
)
_CODE: Final = re.compile(r"`([^`]+)`")
_STRONG: Final = re.compile(r"\*\*(.+?)\*\*")
_EMPHASIS: Final = re.compile(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])")
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)\s]*\)")
_RULE: Final = re.compile(r"[|:\- ]+")


def html_of(markdown: str, *, without_title: bool = True) -> Markup:
    """Markdown as HTML that holds nothing but text and its own few elements. Links become their words."""
    lines = markdown.replace("\r", "").split("\n")
    if without_title and lines and lines[0].startswith("# "):
        lines = lines[1:]
    return Markup("\n").join(_blocks(lines))


def _blocks(lines: list[str]) -> Iterator[Markup]:
    parts = re.split(r"^```.*$", "\n".join(lines), flags=re.MULTILINE)
    for place, part in enumerate(parts):
        if place % 2:
            yield Markup("<pre>{}</pre>").format(part.strip("\n"))
            continue
        for kind, found in groupby(_joined(part.split("\n")), key=lambda pair: pair[0]):
            yield from _block(kind, [text for _, text in found])


def _joined(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Lines with their kinds, those that go on joined to the one they go on from."""
    kind, held = "", ""
    for line in lines:
        now = next((name for name, pattern in _KINDS if pattern.match(line.lstrip())), "")
        if now == "text" and kind in ("text", "item"):
            held += f" {line.strip()}"
            continue
        if held:
            yield kind, held
        kind, held = now, line.strip()
        if not now:
            yield "", ""
    if held:
        yield kind, held


def _block(kind: str, texts: list[str]) -> Iterator[Markup]:
    if kind == "head":
        yield from (Markup("<h3>{}</h3>").format(_inline(text.lstrip("#").strip())) for text in texts)
    elif kind == "item":
        items = Markup("").join(
            Markup("<li>{}</li>").format(_inline(re.sub(r"^([-*]|\d+\.) ", "", text))) for text in texts
        )
        yield Markup("<ul>{}</ul>").format(items)
    elif kind == "row":
        yield _table([text for text in texts if not _RULE.fullmatch(text)])
    elif kind == "text":
        yield from (Markup("<p>{}</p>").format(_inline(text)) for text in texts)


def _table(rows: list[str]) -> Markup:
    cells = [[_inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows]
    made = [
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<{0}>{1}</{0}>").format("td" if place else "th", cell) for cell in row)
        )
        for place, row in enumerate(cells)
    ]
    return Markup('<div class="d-scroll"><table class="d-table">{}</table></div>').format(Markup("").join(made))


def _inline(text: str) -> Markup:
    said = str(escape(text.replace("\\|", "|")))
    parts = _CODE.split(said)
    told = [
        f"<code>{part}</code>"
        if place % 2
        else _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", _LINK.sub(r"\1", part)))
        for place, part in enumerate(parts)
    ]
    return Markup("".join(told))  # noqa: S704 - the text was escaped before its marks became elements
