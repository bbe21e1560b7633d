"""The languages in which problems are told: English in the code, others from catalogues of the kernel and of plugins.

A catalogue is `locale/<language>.json`: `{"titles": {"<code>": "…"}, "details": {"<English>": "…"}, "words":
{"<English>": "…"}}`; the words are those of pages, and a detail may have places (`Only {left} are left`). What it does
not hold is told in English; a title belongs to the plugin that owns the code, and the kernel's own cannot be replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from kernel.errors import DukaError, Fault
from kernel.web.sentences import Sentences

SOURCE = "en"
FOLDER = Path(__file__).parent / "locale"
"""The kernel's own catalogues."""
_RANGE = re.compile(
    r"\s*([a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_LONGEST = 200


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of one language: title by code; details and words of pages by the English they stand for."""

    titles: dict[str, str] = {}
    details: dict[str, str] = {}
    words: dict[str, str] = {}

    def with_more(self, other: Catalogue) -> Catalogue:
        """This one, filled up by another."""
        return Catalogue(
            {**other.titles, **self.titles}, {**other.details, **self.details}, {**other.words, **self.words}
        )


class Told(msgspec.Struct, frozen=True):
    """A problem's words, and the languages they are in."""

    title: str
    detail: str
    faults: tuple[Fault, ...]
    languages: str


class Languages:
    """The catalogues of a deployment. folders: `locale/` of the kernel first, then of the plugins in plan order."""

    def __init__(self, folders: Iterable[Path] = (FOLDER,)) -> None:
        self.catalogues: dict[str, Catalogue] = {}
        for folder in folders:
            for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
                read = msgspec.json.decode(file.read_bytes(), type=Catalogue)
                self.catalogues[file.stem] = self.catalogues.get(file.stem, Catalogue()).with_more(read)

        self.sentences = {language: Sentences(one.details) for language, one in self.catalogues.items()}

    def best(self, accept: str | None) -> str:
        """The language that an Accept-Language asks for first; English where it asks for none that is known."""
        return _best(accept[:_LONGEST], (SOURCE, *self.catalogues)) if accept else SOURCE

    def tell(self, error: DukaError, accept: str | None) -> Told:
        """An error's words in the language asked for, as far as its catalogue goes."""
        language = self.best(accept)
        catalogue = self.catalogues.get(language)
        if catalogue is None:
            return Told(error.title, error.detail, error.faults, SOURCE)
        said = self.sentences[language].said
        title = catalogue.titles.get(error.code, error.title)
        detail = title if error.detail == error.title else said(error.detail)
        faults = tuple(msgspec.structs.replace(one, detail=said(one.detail)) for one in error.faults)
        english = [error.title, error.detail, *(one.detail for one in error.faults if one.detail)]
        told = [title, detail, *(one.detail for one in faults if one.detail)]
        missing = sum(one == other for one, other in zip(english, told, strict=True))
        spoken = {len(told): SOURCE, 0: language}.get(missing, f"{language}, {SOURCE}")
        return Told(title, detail, faults, spoken)


@lru_cache(512)
def _best(accept: str, known: tuple[str, ...]) -> str:
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept.split(",")):
        found = _RANGE.fullmatch(part)
        weight = float(found[2] or 1) if found else 0.0
        if found and weight:
            language = found[1].lower().partition("-")[0]
            wanted.append((-weight, place, SOURCE if language == "*" else language))
    return next((language for _, _, language in sorted(wanted) if language in known), SOURCE)
