"""What a page says to its reader: its texts, without code and what is marked as English, such as guides."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.testing.box import Box
from kernel.testing.probing.rows import tables

SAID: Final = frozenset({"aria-label", "alt", "placeholder", "title", "data-label", "data-confirm", "data-pick-hint"})
"""Attributes that readers see, or hear."""
UNSPOKEN: Final = frozenset({"code", "pre", "script", "style", "datalist"})
VOID: Final = frozenset({"input", "br", "img", "hr", "link", "meta", "use", "line", "rect", "wbr"})
_ENGLISH: Final = re.compile(r"\b[A-Za-z]?[a-z]+ [a-z]{2,}\b")
"""Two words one after the other, the second without a capital: no name, no code and no unit."""


@dataclass
class Spoken(HTMLParser):
    """The texts of a page, each once."""

    texts: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SAID and value:
                self.texts[value.strip()] = None
        if tag not in VOID:
            self._open.append((tag, tag in UNSPOKEN or dict(attrs).get("lang") == "en"))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if (text := " ".join(data.split())) and not any(is_unspoken for _, is_unspoken in self._open):
            self.texts[text] = None


def spoken(page: str) -> list[str]:
    """The texts of a page."""
    found = Spoken()
    found.feed(page)
    return list(found.texts)


def is_english(text: str) -> bool:
    """Whether a text is English and nothing else, as far as letters tell."""
    return text.isascii() and _ENGLISH.search(text) is not None


async def typed_in(box: Box) -> str:
    """All texts that stand in the database, one below another: what shops typed in is nobody's to translate."""
    engine, found = create_async_engine(box.deployment.settings.url), set[str]()
    try:
        async with engine.connect() as connection:
            for table in tables(box.deployment.registry):
                for row in await connection.execute(sa.select(table)):
                    found |= {text for value in row for text in _texts(value)}
    finally:
        await engine.dispose()
    return "\n".join(found)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [" ".join(value.split())]
    return [json.dumps(value, default=str, ensure_ascii=False)] if isinstance(value, dict | list) else []
