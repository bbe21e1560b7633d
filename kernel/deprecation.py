"""How something public goes: it works and warns for two minor versions, saying what to use instead, then it is gone.

    @deprecated("work.recall", since="0.3")
    def remember(work): ...

A hook of ours: `@spec(warn_on_impl=notice("the hook sale_done", instead="sale_completed", since="0.3"))`; whoever
answers it is warned when the plugin is loaded. A parameter or a value: `warn(…)` where it is used. A name that moved:
`__getattr__ = moved(__name__, {"Old": "kernel.work:New"}, since="0.3")`.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from packaging.version import Version
from typing_extensions import deprecated as _pep_702

T = TypeVar("T", bound=Callable[..., Any])

__all__ = ["Deprecated", "deprecated", "gone_in", "moved", "notice", "warn"]

MINORS: Final = 2
"""How many minor versions something still works after the one that first warns."""


class Deprecated(DeprecationWarning):
    """Something public still works and will go. Turn it into an error in your tests to find all of it."""


def gone_in(since: str) -> str:
    """The first version without what is deprecated since a version, both as `major.minor`.

    While Duka is 0.x, two minor versions later. From 1.0 on nothing goes but with a major version; the last two minor
    versions before it, at least, must have warned.
    """
    version = Version(since)
    if version.release[:2] != tuple(int(part) for part in since.split(".")) or len(since.split(".")) != 2:
        raise ValueError(f"since={since!r}: write the version that first warns as major.minor")
    return f"0.{version.minor + MINORS}" if version.major == 0 else f"{version.major + 1}.0"


def notice(what: str, *, instead: str, since: str) -> Deprecated:
    """The warning itself: what goes, what to use instead (a name, or how to do without), and when it goes."""
    return Deprecated(f"{what} is deprecated since Duka {since} and goes with {gone_in(since)}; use {instead}")


def warn(what: str, *, instead: str, since: str, depth: int = 2) -> None:
    """Warn whoever called the caller of this; `depth` counts frames up from here to the line to be named."""
    warnings.warn(notice(what, instead=instead, since=since), stacklevel=depth + 1)


def deprecated(instead: str, *, since: str) -> Callable[[T], T]:
    """Mark a public function, method or class: each call, and each class made of it, warns."""

    def mark(thing: T) -> T:
        said = str(notice(f"{thing.__module__}.{thing.__qualname__}", instead=instead, since=since))
        marked: T = _pep_702(said, category=Deprecated)(thing)
        return marked

    return mark


def moved(module: str, names: Mapping[str, str], *, since: str) -> Callable[[str], Any]:
    """Make a module's `__getattr__` that still finds names which moved: old name → `module:name` of today."""

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, new = names[name].partition(":")
        warn(f"{module}.{name}", instead=f"{home}.{new}", since=since)
        return getattr(importlib.import_module(home), new)

    return find
