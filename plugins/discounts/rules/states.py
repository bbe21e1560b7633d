"""The states of a promotion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from plugins.discounts.schemas.promotions import State

Action = Literal["activate", "end"]

TRANSITIONS: Final[Mapping[tuple[State, Action], State]] = {
    ("draft", "activate"): "active",
    ("draft", "end"): "ended",
    ("active", "end"): "ended",
}
"""State and step → the state after it. Nothing leads back: what sales refer to stays what it was."""


def after(state: str, action: Action) -> State | None:
    """The state after a step; None where it cannot be taken."""
    return next((then for (now, step), then in TRANSITIONS.items() if (now, step) == (state, action)), None)
