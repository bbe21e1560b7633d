"""One running Duka: its settings, database, plugins, clock and secret."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from kernel.db import Database
from kernel.hooks import Strikes
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.work.admission import Admission
from kernel.work.commits import Commits
from kernel.work.recalling import Recalled

Clock = Callable[[], dt.datetime]
WRITERS = 4


def system_clock() -> dt.datetime:
    """The server's time, UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass
class Deployment:
    """What every deed stands on.

    jobs_due: set after a commit that left a job, so that the loop wakes at once.
    to_seal: businesses in which deeds were done since their audit rows were last sealed.
    writers: how many deeds of this process may be in their write phase at once. More would only queue for the same
    locks and the same event loop, each holding its locks longer (measured: bench/checkout at 16 clients).
    visitors: how many requests of this process may be past the gate at once; the others wait there, holding nothing,
    until they are told to come again.
    keys_in_use: idempotency keys, in their scope, of deeds that this process is doing now: a second request with such a
    key is told at once to come again, and takes no place of a visitor or writer to wait in.
    commits: wakes who waits for news of a business. ending: set once this process was told to stop.
    streams: how many streams of events each person, key or till has open.
    recalled: what deeds have read of the businesses' configuration.
    strikes: failures of plugins' answers that are not written down yet.
    heeded: the deployment's epoch up to which this process knows what is installed.
    discovered: every plugin whose code is here, where some of them were uninstalled; see `kernel.work.heeding`.
    """

    settings: Settings
    database: Database
    registry: Registry
    secret: str = field(repr=False)
    clock: Clock = system_clock
    keys_in_use: set[Hashable] = field(default_factory=set)
    jobs_due: asyncio.Event = field(default_factory=asyncio.Event)
    visitors: Admission = field(default_factory=Admission)
    to_seal: set[uuid.UUID] = field(default_factory=set)
    commits: Commits = field(default_factory=Commits)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    streams: Counter[str] = field(default_factory=Counter)
    recalled: Recalled = field(default_factory=Recalled)
    strikes: Strikes = field(default_factory=Strikes)
    writers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WRITERS))
    heeded: int = 0
    discovered: Registry | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret key, then the former ones: they open what was sealed under them."""
        return (self.secret, *self.settings.former_secret_keys)

    @property
    def found(self) -> Registry:
        """Every plugin whose code is here, those that were uninstalled too."""
        return self.discovered or self.registry
