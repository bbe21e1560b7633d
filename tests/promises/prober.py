"""The prober of promise P20, on two shops with one or two of everything."""

from __future__ import annotations

from typing import Self

from kernel.testing.box import Box
from kernel.testing.probing import prober
from kernel.testing.probing.prober import EVERYBODY, MINE, THEIRS, Told
from tests.promises.filling import MARKS, Filling
from tests.promises.rows import read_rows

__all__ = ["EVERYBODY", "MINE", "THEIRS", "Prober", "Told"]


class Prober(prober.Prober):
    """Probes two shops that hold everything there is."""

    @classmethod
    async def ready(cls, box: Box) -> Self:
        """Fill both businesses and read what they have."""
        own = await Filling(box, MINE).fill()
        await Filling(box, THEIRS).fill()
        return cls(box, own, await read_rows(box, MINE), await read_rows(box, THEIRS), mark=MARKS[THEIRS])
