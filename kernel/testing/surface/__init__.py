"""What plugin authors may rely on, as text: `python -m kernel.testing.surface`.

`PRESENT` is written from the source beside the reference pages; `PROMISED` is the same text of the last release. The
command fails where the first is not what the source says, or where the source breaks what the second promises without
a version that may. What counts as breaking is in `comparing`; the promise in words is docs/compatibility.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kernel import VERSION
from kernel.testing.surface.collecting import collect
from kernel.testing.surface.comparing import breaks, may_break
from kernel.testing.surface.text import parse, version_of, written

__all__ = ["PRESENT", "PROMISED", "broken_promises", "present_text"]

PRESENT: Final = Path("docs/reference/public-surface.txt")
PROMISED: Final = Path("docs/reference/promised-surface.txt")


def present_text() -> str:
    """The surface as the source has it."""
    return written(collect(), VERSION)


def broken_promises(promised: str, present: str) -> list[str]:
    """What a text promises and another breaks though its version may not: one sentence each."""
    if may_break(version_of(promised), version_of(present)):
        return []
    return breaks(parse(promised), parse(present))
