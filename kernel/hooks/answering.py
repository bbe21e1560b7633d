"""Whose answer is running: what is the kernel's own is refused while one does, to it and to every task it starts."""

from __future__ import annotations

import contextvars
from types import TracebackType


class NotYours(RuntimeError):
    """An answer to a hook reached for what is the kernel's: ending the transaction, or opening another."""


class Answering:
    """Within this, a plugin's answer to a hook is running inside a unit of work.

    tried: what it reached for. is_spoilt: a statement of its has failed, and with it the transaction.
    """

    __slots__ = ("_token", "hook", "is_spoilt", "plugin", "tried")

    def __init__(self, plugin: str, hook: str) -> None:
        self.plugin, self.hook = plugin, hook
        self.tried, self.is_spoilt = "", False

    def __enter__(self) -> Answering:
        self._token = _now.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        _now.reset(self._token)
        if (outer := _now.get()) is not None and (self.tried or self.is_spoilt):
            outer.tried, outer.is_spoilt = outer.tried or self.tried, True


_now: contextvars.ContextVar[Answering | None] = contextvars.ContextVar("duka_answering", default=None)


def refuse_to_answers(what: str) -> None:
    """Raise NotYours where an answer is running, and remember that it tried. what: such as "commit the transaction"."""
    answering = _now.get()
    if answering is not None:
        answering.tried = what
        raise NotYours(f"{answering.plugin} tried to {what} in {answering.hook}; only the kernel does that")


def note_failed_statement() -> None:
    """A statement failed: where an answer is running, whatever it makes of that, the transaction is spoilt."""
    answering = _now.get()
    if answering is not None:
        answering.is_spoilt = True


def is_answering() -> bool:
    """Whether a plugin's answer is running in this context."""
    return _now.get() is not None
