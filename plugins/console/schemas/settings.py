"""What a business keeps of its first steps: only what nothing else tells."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Step = Literal["business", "country", "apps", "place", "products", "people"]
"""The steps of setting a business up, in their order. Which of them are done is read from what there is."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the console keeps for a business."""

    left_out: Annotated[tuple[Step, ...], Meta(max_length=6, title="First steps that were left out")] = ()
    is_put_away: Annotated[bool, Meta(title="First steps are put away")] = False
