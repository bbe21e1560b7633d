"""P20: to one business, what another has looks like what nobody has, by every road there is."""

from __future__ import annotations

import time

from kernel.testing.box import Box
from tests.promises.prober import EVERYBODY, Prober
from tests.promises.spots import *


async def test_first(box: Box) -> None:
    begun = time.monotonic()
    prober = await Prober.ready(box)
    print("filled", time.monotonic() - begun, sorted(prober.theirs.empty))
    for name, spots in [("ids", id_spots), ("naming", naming_spots), ("words", word_spots)]:
        begun = time.monotonic()
        some = spots(box.app.routes)
        await prober.probe(some, ("owner",), 1)
        print(name, len(some), prober.probes, prober.sent, time.monotonic() - begun)
    print("accepted", *sorted(s for s in prober.accepted if not s.startswith("GET")), sep="\n  ")
    print(*prober.findings, sep="\n")
