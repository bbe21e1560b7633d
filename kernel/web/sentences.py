"""Sentences with places in them, told in another language: `Only {left} are left` is found by "Only 3 are left".

A place may say what stands in it, so that a short sentence is not found in what another one says: `{left:0} left` takes
a figure, `{code:c} is used up` one word, `It is {state:w}` a text that the catalogue itself has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from string import Formatter
from typing import Final, NamedTuple

LONGEST: Final = 600
"""Letters of the longest text that is looked for."""
DEEPEST: Final = 4
"""So many sentences may stand in one another."""
LEAST: Final = 3
"""Letters that a sentence with places has besides them, so that it is not found in what another sentence says."""


class Sentence(NamedTuple):
    """A sentence taken apart. pieces: what stands around its places, one more than those; names and kinds of these."""

    pieces: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    said: str = ""

    @property
    def letters(self) -> int:
        """How many letters it has besides its places."""
        return sum(letter.isalpha() for piece in self.pieces for letter in piece)


class Sentences:
    """The sentences of one language. told: English, with `{name}` for what is filled in → the same in the language."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._told = told

    def said(self, text: str) -> str:
        """A text in the language; as it is where no sentence fits. What fills a sentence may be one itself."""
        return self._said(text, DEEPEST)

    def _said(self, text: str, depth: int) -> str:
        if text in self._told:
            return self._told[text]
        if not depth or len(text) > LONGEST:
            return text
        for one in self._open:
            given = filling_of(one.pieces, text)
            if given is not None and all(map(self._fits, one.kinds, given)):
                filled = (self._said(value, depth - 1) for value in given)
                return one.said.format(**dict(zip(one.names, filled, strict=True)))
        return text

    def _fits(self, kind: str, value: str) -> bool:
        if kind == "w":
            return value in self._told
        return not kind or (" " not in value if kind == "c" else any(letter.isdigit() for letter in value))

    @cached_property
    def _open(self) -> list[Sentence]:
        """Those with places, what says most of itself first, of such that say as much what has more places."""
        found = [taken_apart(english)._replace(said=said) for english, said in self._told.items()]
        return sorted((one for one in found if one.names), key=lambda one: (-one.letters, -len(one.names)))


def taken_apart(english: str) -> Sentence:
    """A sentence as its pieces and places; a text that is no format is one piece."""
    try:
        parts = list(Formatter().parse(english))
    except ValueError:
        return Sentence((english,), ())
    pieces, names, kinds = [""], list[str](), list[str]()
    for literal, name, kind, _ in parts:
        pieces[-1] += literal
        if name is not None:
            names.append(name)
            kinds.append(kind or "")
            pieces.append("")
    return Sentence(tuple(pieces), tuple(names), tuple(kinds))


def filling_of(pieces: tuple[str, ...], text: str) -> list[str] | None:
    """What stands in the places of a sentence, found from left to right; None where the text is another one.

    Each place takes as little as it can, and something; the time it takes grows with the length of the text alone.
    """
    first, *inner = pieces
    if not text.startswith(first):
        return None
    at, found = len(first), []
    for number, piece in enumerate(inner, start=2):
        is_last = number == len(pieces)
        end = len(text) - len(piece) if is_last else text.find(piece, at + 1)
        if end <= at or not text.endswith(piece if is_last else ""):
            return None
        found.append(text[at:end])
        at = end + len(piece)
    return found if at == len(text) else None


def strays_of(told: Iterable[str]) -> list[str]:
    """The sentences that say too little of themselves to be found by what was made of them."""
    return [english for english in told if (one := taken_apart(english)).names and one.letters < LEAST]
