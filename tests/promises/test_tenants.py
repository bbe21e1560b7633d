"""P20: to one business, what another has looks like what nobody has, by every road there is."""

from __future__ import annotations

import time

from kernel.testing.box import Box
from tests.promises.prober import EVERYBODY, Prober, all_spots


async def test_first(box: Box) -> None:
    begun = time.monotonic()
    prober = await Prober.ready(box)
    print("filled", time.monotonic() - begun)
    begun = time.monotonic()
    spots = all_spots(box.app.routes)
    print(len(spots), len({str(s) for s in spots}))
    await prober.probe(spots, ("owner",), 1)
    print(prober.probes, prober.sent, time.monotonic() - begun)
    print("accepted", *sorted(prober.accepted), sep="\n  ")
    print(*prober.findings, sep="\n")
