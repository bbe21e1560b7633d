"""What a spec declares of its answers: what a failing one means, how long one may take, what one must look like."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, overload

import pluggy

F = TypeVar("F", bound=Callable[..., Any])

PROJECT: Final = "duka"
Failing = Literal["refuse", "skip"]
Check = Callable[[Any, Mapping[str, Any]], str | None]
"""Takes an answer and the arguments of the call; returns in words what is wrong with the answer, or None."""

ASK_MS: Final = 500
"""What a synchronous answer may take where its spec says nothing."""
TELL_MS: Final = 3_000
"""What an asynchronous answer may take where its spec says nothing; longer than a statement waits for a lock."""

_marker = pluggy.HookspecMarker(PROJECT)
answers = pluggy.HookimplMarker(PROJECT)
"""Marks a function in `listeners.py` or `with_<other>.py` as the answer to the hook of the same name."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a hook's failing answer means, and its time budget.

    failing: `refuse` undoes the deed, and the caller is told which plugin failed; `skip` leaves the plugin's answers to
    this hook out of the deed, and the rest goes on. An answer fails when it raises anything but a DukaError, takes
    longer than `budget_ms`, says what `check` or the spec's annotation does not allow, or reaches for the transaction.
    """

    failing: Failing = "refuse"
    budget_ms: int = ASK_MS
    check: Check | None = None


@overload
def spec(function: F, /) -> F: ...
@overload
def spec(
    *,
    failing: Failing = "refuse",
    budget_ms: int | None = None,
    check: Check | None = None,
    warn_on_impl: Warning | None = None,
) -> Callable[[F], F]: ...
def spec(
    function: Any = None,
    /,
    *,
    failing: Failing = "refuse",
    budget_ms: int | None = None,
    check: Check | None = None,
    warn_on_impl: Warning | None = None,
) -> Any:
    """Mark a function in `hooks.py` as a hook that its plugin calls; bare, its policy is to refuse.

    budget_ms: without it 500 for a synchronous hook, 3,000 for an asynchronous one. warn_on_impl: who answers
    is warned with it when it is loaded (see `kernel.deprecation.notice`). Raises ValueError for nonsense.
    """
    if failing not in ("refuse", "skip") or (budget_ms is not None and budget_ms <= 0):
        raise ValueError("failing is 'refuse' or 'skip', and budget_ms more than 0")

    def mark(hook: F) -> F:
        allowed = budget_ms or (TELL_MS if inspect.iscoroutinefunction(hook) else ASK_MS)
        marked: F = _marker(hook, warn_on_impl=warn_on_impl)
        marked.duka_policy = Policy(failing, allowed, check)  # type: ignore[attr-defined]
        return marked

    return mark if function is None else mark(function)


def policy_of(hook: Callable[..., Any]) -> Policy:
    """The policy of a spec."""
    found: Policy = getattr(hook, "duka_policy", Policy())
    return found
