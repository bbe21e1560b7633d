"""A simulator that people use at its page and that the conformance kit drives: what every such one does alike."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from plugins.payments.testing.simulator import Call, Payer, Said, Simulator, Way, Word
from plugins.payments.testing.simulator.clock import Clock
from plugins.payments.testing.simulator.steering import Diary
from plugins.payments.testing.simulator.web import Reply, Served


class Known(Protocol):
    """What a simulator knows, as far as it is alike for all. is_driven: whether a kit says what payers do."""

    clock: Clock
    diary: Diary
    is_driven: bool


class ServedSimulator(Served, Simulator):
    """By itself it goes by scenarios, its page and its clock.

    Driven (`next`, `send`), the kit's ledger says what payers do, and notices wait for `deliver`.

    now: a test's clock, which then decides when things happen (`advance`); without it time passes by itself. Whoever
    subclasses it sets `state`.
    """

    state: Known

    def __init__(self, now: Callable[[], dt.datetime] | None) -> None:
        super().__init__()
        self._runs_by_itself = now is None
        if now is not None:
            self.clock = now

    def now(self) -> dt.datetime:
        """The time by the clock that is set by now."""
        return self.clock()

    @property
    def time(self) -> Clock:
        """The state's clock."""
        return self.state.clock

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await Served.__call__(self, scope, receive, send)

    async def serve(self, call: Call) -> Said:
        """Answer one call, as `asked`."""
        reply = await self.asked(call.method, call.path, call.headers, call.query, call.json())
        return Said(reply.status, reply.body)

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        await self.time.advance(seconds)

    def be_driven(self) -> None:
        """Have a kit say what payers do from now on."""
        self.state.is_driven = True

    def woken(self) -> None:
        """Let time pass by itself, unless a test or a kit has it."""
        if self.send is not None:
            self.be_driven()
        if self._runs_by_itself and not self.state.is_driven:
            self.time.start()

    def note_call(self, method: str, path: str, body: Any, status: int) -> None:
        """Keep a call, redacted."""
        self.state.diary.note_call(self.time.now(), method, path, body, status)

    async def asked(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call of the provider's; driven, by the kit's ledger."""
        if not self.state.is_driven:
            return await self.answered(method, path, headers, query, body)
        self.calls.append(Call(method, path, query, headers, msgspec.json.encode(body)))
        return await self.answered_as_driven(method, path, headers, query, body)

    @abstractmethod
    async def answered(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call by what is known here."""

    @abstractmethod
    async def answered_as_driven(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call by what the kit's ledger says of payers and money."""

    def next(self, *, payer: Payer = "pays", way: Way = "good", word: Word = "once") -> None:
        """What becomes of the next request, its call, and the word of it."""
        self.be_driven()
        super().next(payer=payer, way=way, word=word)
