"""What a plugin is asked and what it answers: noted around its own functions, from outside.

`Tracer.follow` puts a layer around each answer of a plugin before its hooks are built; nothing of the hooks themselves
is changed. What the answers to one request came to stands in that request's own answer, where its lines name the steps
of their price, so calls are told when the request has been answered.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from kernel.kit.developing.faults import Trouble, trouble_in
from kernel.kit.developing.shortly import asked_shortly, shortly
from kernel.registry import Loaded
from kernel.work import Work


class Change(msgspec.Struct, frozen=True):
    """What an answer did to a price: the figure before and after, and the rule it goes by. line: 0 for no line."""

    line: int
    rule: str
    before: str | None
    after: str


class Call(msgspec.Struct):
    """One question to a plugin. declared: what it wants written. failed: the hook's policy has judged it so."""

    hook: str
    plugin: str
    asked: str
    line: int = 0
    answered: str = ""
    rules: tuple[str, ...] = ()
    ms: float = 0.0
    declared: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()
    failed: Trouble | None = None


class Turn(msgspec.Struct):
    """One request, or what runs without one, with the calls it led to."""

    method: str = ""
    path: str = ""
    status: int = 0
    ms: float = 0.0
    calls: list[Call] = []

    def settle(self, said: Any) -> None:
        """Find in the answer to the request what each call changed."""
        steps = list(_steps(said))
        for call in self.calls:
            call.changed = tuple(
                Change(line, step["rule"], step.get("before"), step["after"])
                for line, step in steps
                if step["plugin"] == call.plugin and step["rule"] in call.rules and call.line in (0, line)
            )


class Tracer:
    """Notes the calls of some plugins. hear: told each turn with calls. source: where the plugins' own lines stand."""

    def __init__(self, hear: Callable[[Turn], None], source: Path) -> None:
        self._hear, self._source = hear, source
        self._turn: contextvars.ContextVar[Turn | None] = contextvars.ContextVar("duka_turn", default=None)
        self.is_on = False

    def follow(self, plugins: Iterable[Loaded]) -> None:
        """Put a layer around the answers of plugins; before their hooks are built."""
        for one in plugins:
            for module in (one.listeners, *one.bridges.values()):
                if module is not None:
                    self._around(one.name, module)

    def hear_failures(self) -> None:
        """Learn from the log which answers were judged as failed, and keep those records out of it: they are told."""
        judge = _Judged(self)
        logger = logging.getLogger("duka.hooks")
        logger.addHandler(judge)
        logger.propagate = False

    def judged(self, plugin: str, hook: str, words: str, error: BaseException | None) -> None:
        """An answer has failed."""
        turn = self._turn.get()
        same = [one for one in (turn.calls if turn else ()) if (one.plugin, one.hook) == (plugin, hook)]
        call = same[-1] if same else Call(hook, plugin, "")
        if call.failed is None:
            found = trouble_in(self._source, error) if error else None
            call.failed = Trouble(words, found.where, found.code) if found else Trouble(words)
        if not same:
            self._note(call)

    @contextmanager
    def turn(self, method: str, path: str) -> Iterator[Turn]:
        """A request: its calls are told together, when it is over."""
        turn = Turn(method, path, calls=[])
        token = self._turn.set(turn)
        begun = time.perf_counter()
        try:
            yield turn
        finally:
            turn.ms = (time.perf_counter() - begun) * 1000
            self._turn.reset(token)
            if turn.calls and self.is_on:
                self._hear(turn)

    def _note(self, call: Call) -> None:
        turn = self._turn.get()
        if turn is not None:
            turn.calls.append(call)
        elif self.is_on:
            self._hear(Turn(calls=[call]))

    def _around(self, plugin: str, module: ModuleType) -> None:
        for name, function in list(vars(module).items()):
            if inspect.isfunction(function) and hasattr(function, "duka_impl") and not hasattr(function, "duka_traced"):
                traced = self._traced(plugin, name, function)
                traced.duka_traced = True  # type: ignore[attr-defined]
                setattr(module, name, traced)

    def _traced(self, plugin: str, hook: str, function: Callable[..., Any]) -> Callable[..., Any]:
        names = tuple(inspect.signature(function).parameters)

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def heard(*args: Any) -> Any:
                with self._call(plugin, hook, dict(zip(names, args, strict=True))) as call:
                    answer = await function(*args)
                    _answered(call, answer)
                    return answer

            return heard

        @functools.wraps(function)
        def asked(*args: Any) -> Any:
            with self._call(plugin, hook, dict(zip(names, args, strict=True))) as call:
                answer = function(*args)
                _answered(call, answer)
                return answer

        return asked

    @contextmanager
    def _call(self, plugin: str, hook: str, arguments: Mapping[str, Any]) -> Iterator[Call]:
        if not self.is_on:
            yield Call(hook, plugin, "")
            return
        call = Call(hook, plugin, asked_shortly(arguments), _line_of(arguments))
        work = next((one for one in arguments.values() if isinstance(one, Work)), None)
        before = _declared(work)
        begun = time.perf_counter()
        try:
            yield call
        except BaseException as error:
            call.answered = f"refused: {error}"
            call.failed = trouble_in(self._source, error)
            raise
        finally:
            call.ms = (time.perf_counter() - begun) * 1000
            call.declared = tuple(f"{what} × {count}" for what, count in sorted((_declared(work) - before).items()))
            self._note(call)


class _Judged(logging.Handler):
    """Hears what the hooks log of failing answers."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__(logging.ERROR)
        self._tracer = tracer

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and len(record.args) == 4:
            plugin, hook, _failing, words = map(str, record.args)
            self._tracer.judged(plugin, hook, words, record.exc_info[1] if record.exc_info else None)


def _answered(call: Call, answer: Any) -> None:
    call.answered = shortly(answer)
    several = answer if isinstance(answer, list | tuple) else [answer]
    call.rules = tuple(str(one.rule) for one in several if hasattr(one, "rule"))


def _line_of(arguments: Mapping[str, Any]) -> int:
    line = getattr(arguments.get("line"), "line", 0)
    return line if isinstance(line, int) else 0


def _declared(work: Work | None) -> Counter[str]:
    """What a unit of work is to write so far: "insert loyalty_point" and how many."""
    found: Counter[str] = Counter()
    if work is not None:
        for table, rows in work.effects.rows.items():
            found[f"insert {table.name}"] += len(rows)
        for tally, keyed in work.effects.changes.items():
            found[f"change {tally.table.name}.{tally.column}"] += len(keyed)
        found["number"] += len(work.effects.numbers)
    return found


def _steps(said: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every step of a price in an answer, with the line it stands on."""
    if isinstance(said, list):
        for one in said:
            yield from _steps(one)
    elif isinstance(said, dict):
        number = said.get("line")
        line = number if isinstance(number, int) else 0
        for name, value in said.items():
            if name == "steps" and isinstance(value, list):
                yield from (
                    (line, one) for one in value if isinstance(one, dict) and {"plugin", "rule", "after"} <= one.keys()
                )
            else:
                yield from _steps(value)
