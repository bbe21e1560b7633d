"""The hook bus: pluggy declares, checks and orders; one HookSet per set of enabled plugins.

Three kinds of hook, told apart by how they are called:

- **ask**: synchronous and pure; every answer is data.
- **tell**: asynchronous, inside the caller's transaction; an error undoes everything. Awaited one at a time, in order.
- **offer**: contributes objects, collected once per set.

The plugin that calls a hook owns its spec, in its `hooks.py`. Answers run in plan order: a plugin after those it stands
on, then by name. Each answer comes back with the name of the plugin that gave it.
"""

from __future__ import annotations

import functools
import inspect
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import pluggy

from kernel.logs import on_behalf_of
from kernel.plugin import CatchUp, Consequence, Obligation

P = ParamSpec("P")
R = TypeVar("R")

PROJECT = "duka"
spec = pluggy.HookspecMarker(PROJECT)
"""Marks a function in `hooks.py` as a hook that its plugin calls."""
answers = pluggy.HookimplMarker(PROJECT)
"""Marks a function in `listeners.py` or `with_<other>.py` as the answer to the hook of the same name."""


class HookFault(Exception):
    """A spec or an answer breaks the contract: unknown name, wrong arguments, async where sync is due."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """What one plugin said."""

    plugin: str
    value: R


@dataclass(slots=True)
class Spent:
    """How often a plugin's answers to one hook were called, and their seconds of wall time."""

    calls: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    failures: int = 0

    def add(self, seconds: float) -> None:
        """Count one call."""
        self.calls += 1
        self.seconds += seconds
        self.slowest_s = max(self.slowest_s, seconds)


Meter = dict[tuple[str, str], Spent]
"""(plugin, hook) → what its answers have cost in this process."""


class HookSet:
    """The hooks of one set of plugins, and who answers them.

    specs: modules that hold marked specs. listeners: (plugin name, module) in plan order.
    Raises HookFault when an answer fits no spec.
    """

    def __init__(
        self, specs: Sequence[ModuleType], listeners: Sequence[tuple[str, ModuleType]], meter: Meter | None = None
    ) -> None:
        self._pm = pluggy.PluginManager(PROJECT)
        self._offers: dict[str, list[Answer[Any]]] = {}
        self._meter: Meter = {} if meter is None else meter
        self._specs: dict[str, Callable[..., Any]] = {}
        for module in specs:
            marked = _marked(module, "duka_spec")
            if marked:
                self._pm.add_hookspecs(module)
            self._specs |= marked
        for number, (plugin, module) in reversed(list(enumerate(listeners))):
            self._register(plugin, module, number)

    def ask(self, hook: Callable[P, R | None], *args: P.args, **kwargs: P.kwargs) -> list[Answer[R]]:
        """Ask every enabled plugin; returns the answers that are not None, in plan order. Keywords only."""
        if args:
            raise HookFault(f"{hook.__name__}: hooks take keyword arguments only")
        result: list[Answer[R]] = getattr(self._pm.hook, hook.__name__)(**kwargs)
        return result

    async def tell(
        self, hook: Callable[P, Coroutine[Any, Any, R | None]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Answer[R]]:
        """Await every enabled plugin's answer in turn; the first error ends it and is raised."""
        if args:
            raise HookFault(f"{hook.__name__}: hooks take keyword arguments only")
        pending: list[Answer[Coroutine[Any, Any, R | None]]] = getattr(self._pm.hook, hook.__name__)(**kwargs)
        heard: list[Answer[R]] = []
        try:
            for said in pending:
                value = await self._timed(hook.__name__, said.plugin, said.value)
                if value is not None:
                    heard.append(Answer(said.plugin, value))
        finally:
            for said in pending:
                said.value.close()  # those an error kept from running; the others have ended
        return heard

    def offers(self, hook: Callable[[], R | None]) -> list[Answer[R]]:
        """What the enabled plugins contribute; collected once per set."""
        if hook.__name__ not in self._offers:
            self._offers[hook.__name__] = list(self.ask(hook))
        return self._offers[hook.__name__]

    def listeners(self, hook: str) -> list[str]:
        """The plugins that answer a hook, in the order they run."""
        caller = getattr(self._pm.hook, hook)
        return [str(impl.plugin_name).partition("#")[0] for impl in reversed(caller.get_hookimpls())]

    def specs(self) -> dict[str, Callable[..., Any]]:
        """Every hook that can be called: name → its spec."""
        return dict(self._specs)

    async def _timed(self, hook: str, plugin: str, answer: Awaitable[R]) -> R:
        spent = self._meter.setdefault((plugin, hook), Spent())
        start = time.perf_counter()
        try:
            with on_behalf_of(plugin):
                return await answer
        except BaseException:
            spent.failures += 1
            raise
        finally:
            spent.add(time.perf_counter() - start)

    def _register(self, plugin: str, module: ModuleType, number: int) -> None:
        stamped = SimpleNamespace()
        for name, function in _marked(module, "duka_impl").items():
            self._check(plugin, name, function)
            setattr(stamped, name, _stamp(plugin, function, self._meter))
        try:
            self._pm.register(stamped, f"{plugin}#{number}")
            self._pm.check_pending()
        except pluggy.PluginValidationError as fault:
            raise HookFault(f"{plugin}: {fault}") from fault

    def _check(self, plugin: str, name: str, function: Callable[..., Any]) -> None:
        if name not in self._specs:
            raise HookFault(f"{plugin}: no enabled plugin has a hook called {name!r}")
        wanted = inspect.iscoroutinefunction(self._specs[name])
        if inspect.iscoroutinefunction(function) != wanted:
            raise HookFault(f"{plugin}: the answer to {name} must be {'async def' if wanted else 'def'}")


def _marked(module: ModuleType, mark: str) -> dict[str, Callable[..., Any]]:
    return {name: thing for name, thing in vars(module).items() if inspect.isfunction(thing) and hasattr(thing, mark)}


def _stamp(plugin: str, function: Callable[..., Any], meter: Meter) -> Callable[..., Answer[Any] | None]:
    """Wrap an answer so that it carries its plugin's name, and is timed. pluggy still sees its own arguments."""
    spent = meter.setdefault((plugin, function.__name__), Spent())
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        def told(*args: Any) -> Answer[Any]:
            return Answer(plugin, function(*args))

        return told

    @functools.wraps(function)
    def asked(*args: Any) -> Answer[Any] | None:
        start = time.perf_counter()
        try:
            value = function(*args)
        except BaseException:
            spent.failures += 1
            spent.add(time.perf_counter() - start)
            raise
        spent.add(time.perf_counter() - start)
        return None if value is None else Answer(plugin, value)

    return asked


class Invariant(Protocol):
    """One thing that is always true of the stored data: a query that returns the rows that break it."""

    @property
    def name(self) -> str:
        """What must hold, as a sentence."""

    @property
    def broken_rows(self) -> str:
        """SQL for both databases; every row it returns is a fault."""


@spec
def invariants() -> Sequence[Invariant] | None:
    """Offer what must always hold of this plugin's tables.

    When: `duka check`, the tests after each race, and the nightly check collect them.
    Answer: invariants; each query runs without a business set and returns the rows that break it, at most a few.
    Errors: a query that fails is reported as broken. Since: 0.1.
    Not for: checks of one request's input; refuse those where they arise.
    """


@spec
async def switched_on(work: Any) -> None:
    """Set up the first data of a plugin that has just been switched on for a business.

    When: in the deed that enables the plugin or makes the business; told to that plugin alone, with `work` inside the
    business. It is told again when the plugin is enabled again, so add only what is missing.
    Answer: nothing; write through `work`. Errors: the plugin stays off. Since: 0.1.
    Not for: migrations, or slow work (declare a job).
    """


@spec
async def catching_up(work: Any) -> CatchUp | None:
    """Say what of the past your plugin would make good if it were switched on now.

    When: a plan to enable the plugin is made; told to that plugin alone, read only. Make it good in `switched_on`, or
    in jobs that it declares.
    Answer: what and how much; None where nothing was missed. Errors: no plan is made. Since: 0.1.
    Not for: the first data of a business that has none yet.
    """


@spec
async def obligations(work: Any) -> Sequence[Obligation] | None:
    """Say what your plugin has begun for the business and must end.

    When: a plan to disable the plugin is made or applied, and while one waits; told to that plugin alone, read only.
    Answer: what is open; nothing, or a count of 0, where all is ended. Errors: the plugin stays on. Since: 0.1.
    Not for: data that merely exists; disabling a plugin loses none.
    """


@spec
async def consequences(work: Any, after: Any, hooks: frozenset[str]) -> Sequence[Consequence] | None:
    """Say what past documents would have come to with another set of plugins.

    When: a plan to enable or disable a plugin is made. `after` is the same unit of work with the set as it would be;
    `hooks` are those that the plugin answers: look only if one of yours is among them. Read only.
    Answer: what would have changed; None where it cannot. Errors: no plan is made. Since: 0.1.
    Not for: guesses about the future.
    """


@spec
async def rehearsed(work: Any, most: int) -> Sequence[Consequence] | None:
    """Say what past documents come to with the code and the rows that are there, beside what they came to.

    When: `duka plugin rehearse`, in a copy of the database that the pending migrations have been run on. Read only.
    Answer: the newest `most` documents, and each that differs; None where there are none. Errors: told to the operator.
    Since: 0.1.
    Not for: anything while shops sell.
    """


@spec
async def location_added(work: Any, location_id: uuid.UUID, kind: str) -> None:
    """Make what your plugin keeps for every location.

    When: in the deed that adds a storefront or a warehouse to a business.
    Answer: nothing; write through `work`. Errors: the location is not added. Since: 0.1.
    Not for: locations that exist already when your plugin is switched on (see `switched_on`).
    """


@spec
async def register_known(work: Any, location_id: uuid.UUID, register_id: uuid.UUID) -> bool | None:
    """Say whether a register is yours and stands at a location.

    When: in the deed that registers a device as a till of a location and names a register.
    Answer: True if it is an active register of that location; None otherwise. If nobody answers True, the register is
    refused. Errors: the till is not registered. Since: 0.1.
    Not for: changing the register; read only.
    """


@spec
async def erasing_person(work: Any, kind: str, person_id: uuid.UUID) -> None:
    """Refuse to lose a person while something of yours is open, or take them out of where no column says they stand.

    When: in the deed that erases one of the business's people, before anything is changed; told to every installed
    plugin, switched on or not. What columns declare is erased by the kernel; files and the like are yours.
    Answer: nothing; raise `StillOpen` and say what is open. Errors: nobody is erased. Since: 0.1.
    Not for: rows whose columns declare what they hold (see `kernel.db.personal`).
    """


@spec
async def seed_demo(demo: Any) -> None:
    """Fill a demo business with this plugin's believable data.

    When: `duka seed` and the first `duka run --demo`, once per demo business, in plan order, outside any transaction.
    Answer: nothing; write through your own use cases with `async with demo.work() as work`.
    Errors: stop the seeding; the business is left out. Since: 0.1.
    Not for: data every business needs: that belongs to a migration or to your settings' defaults.
    """
