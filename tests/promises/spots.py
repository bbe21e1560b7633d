"""Every place of every route where an id may stand, with what the bodies of bundled plugins need."""

import tests.promises.bodies  # noqa: F401 - says what types cannot
from kernel.testing.probing.spots import (
    Call,
    Spot,
    fresh_token,
    id_spots,
    lists_of,
    naming_spots,
    plain_call,
    word_spots,
)

__all__ = [
    "Call",
    "Spot",
    "fresh_token",
    "id_spots",
    "lists_of",
    "naming_spots",
    "plain_call",
    "word_spots",
]
