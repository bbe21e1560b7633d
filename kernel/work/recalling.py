"""What is configured, kept in the process: rates, promotions, places; read once, true until somebody changes them.

A table of configuration says so in its `info`. A deed that writes to one raises the business's configuration version in
the same transaction. The gate reads that version in the snapshot that all reads of the request share, so what was kept
under a version is what the snapshot would answer: nothing is stale, and no process has to be told of a change.
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable
from typing import Any

from kernel.work.standing import Epochs

MOST_BUSINESSES, MOST_ANSWERS = 500, 200
"""Kept in one process: so many businesses, the longest kept going first, and so many answers of each."""


class Recalled:
    """Answers by business, of the epochs in which they were read."""

    def __init__(self) -> None:
        self._kept: dict[uuid.UUID, tuple[Epochs, dict[Hashable, Any]]] = {}

    def find(self, business: uuid.UUID, epochs: Epochs, asked: Hashable) -> Any | None:
        """What was answered in these epochs; None where nothing is kept."""
        kept = self._kept.get(business)
        if kept is None or kept[0] != epochs:
            return None
        return kept[1].get(asked)

    def keep(self, business: uuid.UUID, epochs: Epochs, asked: Hashable, answer: Any) -> None:
        """Keep an answer; those of other epochs of the business are forgotten."""
        known, answers = self._kept.pop(business, (epochs, {}))
        if known != epochs or len(answers) >= MOST_ANSWERS:
            answers = {}
        answers[asked] = answer
        self._kept[business] = (epochs, answers)
        if len(self._kept) > MOST_BUSINESSES:
            del self._kept[next(iter(self._kept))]
