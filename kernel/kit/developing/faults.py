"""What went wrong in a plugin, and the place in its own files."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Trouble(msgspec.Struct, frozen=True):
    """What went wrong, in words; where: "listeners.py:14 in price_line", with the line of code, in the plugin."""

    words: str
    where: str = ""
    code: str = ""

    def lines(self) -> list[str]:
        """In words, the place below."""
        return [self.words, *([f"  {self.where}"] if self.where else []), *([f"    {self.code}"] if self.code else [])]


def trouble_in(source: Path, error: BaseException) -> Trouble:
    """What an error says, and the last of the plugin's own lines that led to it. source: the folder of its code."""
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    for one in _causes(error):
        if isinstance(one, SyntaxError) and one.filename and _is_below(source, one.filename):
            return Trouble(
                f"{type(one).__name__}: {one.msg}", f"{_short(source, one.filename)}:{one.lineno}", _text(one)
            )
        frames = [frame for frame in traceback.extract_tb(one.__traceback__) if _is_below(source, frame.filename)]
        if frames:
            last = frames[-1]
            code = (last.line or linecache.getline(last.filename, last.lineno or 0)).strip()
            return Trouble(words, f"{_short(source, last.filename)}:{last.lineno} in {last.name}", code)
    return Trouble(words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def _is_below(source: Path, file: str) -> bool:
    return Path(file).resolve().is_relative_to(source.resolve())


def _short(source: Path, file: str) -> str:
    return str(Path(file).resolve().relative_to(source.resolve().parent))


def _text(error: SyntaxError) -> str:
    return (error.text or "").strip()
