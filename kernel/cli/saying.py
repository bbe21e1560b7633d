"""What commands print: words for people, with --json one document for programs; progress apart, to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

import click
import msgspec

F = TypeVar("F", bound=Callable[..., Any])
LINE_EVERY_S = 5.0
"""Between two lines of progress where nobody watches; on a terminal one line is written over."""
_REWRITE_EVERY_S = 0.1


def json_option(command: F) -> F:
    """Give a command the option --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def say(as_json: bool, facts: Any, words: Iterable[str]) -> None:
    """Print facts as JSON, or the words for them line by line."""
    if as_json:
        click.echo(msgspec.json.encode(facts).decode())
        return
    for line in words:
        click.echo(line)


class Progress:
    """How far a long command is: `progress("restoring", 1000, 50000)` says that a thousand more rows are done.

    total: of how many, where that is known; an estimate may be exceeded.
    """

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._what, self._done = "", 0
        self._said_at = self._began_at = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def __call__(self, what: str, more: int, total: int | None = None) -> None:
        """Count, and say so if it is time."""
        if what != self._what:
            self._what, self._done = what, 0
        self._done += more
        now = time.monotonic()
        if now - self._said_at >= (_REWRITE_EVERY_S if self._on_terminal else LINE_EVERY_S):
            self._said_at = now
            self._say(total)

    def clear(self) -> None:
        """Wipe the line that is written over."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._shown = False

    def _say(self, total: int | None) -> None:
        of = f" of {total:,}" if total and total >= self._done else ""
        line = f"{self._what}: {self._done:,}{of} rows, {time.monotonic() - self._began_at:.0f} s"
        if self._on_terminal:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
            self._shown = True
        else:
            click.echo(line, err=True)
