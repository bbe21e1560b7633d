"""HookSet: the hooks of one set of plugins, each answer timed, checked, and dealt with by its hook's policy."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, Final, Generic, NoReturn, ParamSpec, TypeVar

import pluggy

from kernel.errors import DukaError, Failure, PluginFailed, RunAgain
from kernel.hooks.answering import Answering
from kernel.hooks.policies import PROJECT, Policy, policy_of
from kernel.hooks.shapes import Fits, shape_of
from kernel.logs import on_behalf_of

log = logging.getLogger("duka.hooks")
P = ParamSpec("P")
R = TypeVar("R")

Pair = tuple[str, str]
"""A plugin and a hook."""
Passes = Callable[[BaseException, str], bool]
"""Whether an error in an answer is none of the plugin's doing, such as a database that is away. Takes `failing` too."""
NOBODY: Final[frozenset[Pair]] = frozenset()


class HookFault(Exception):
    """A spec or an answer breaks the contract: unknown name, wrong arguments, async where sync is due."""


class LeftOut(RunAgain):
    """A plugin's answer failed in a hook that does without: the deed runs again, and does without."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.plugin} in {failure.hook}: {failure.words}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """What one plugin said."""

    plugin: str
    value: R


@dataclass(slots=True)
class Spent:
    """How often a plugin's answers to one hook were called, their seconds of wall time, and how many failed."""

    calls: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    failures: int = 0

    def add(self, seconds: float) -> None:
        """Count one call."""
        self.calls += 1
        self.seconds += seconds
        self.slowest_s = max(self.slowest_s, seconds)


Meter = dict[Pair, Spent]
"""(plugin, hook) → what its answers have cost in this process."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A spec as it is called: its policy, and what its answers must look like."""

    policy: Policy
    fits: Fits
    is_inside: bool
    """Whether answers run inside a unit of work that is not theirs."""


class HookSet:
    """The hooks of one set of plugins, and who answers them.

    specs: modules that hold marked specs. listeners: (plugin name, module) in plan order. tripped: answers left out of
    hooks that may do without. titles: plugin → what people call it. passes: errors that are none of a plugin's doing.
    Raises HookFault when an answer fits no spec.
    """

    def __init__(
        self,
        specs: Sequence[ModuleType],
        listeners: Sequence[tuple[str, ModuleType]],
        meter: Meter | None = None,
        *,
        tripped: frozenset[Pair] = NOBODY,
        titles: Mapping[str, str] | None = None,
        passes: Passes | None = None,
    ) -> None:
        self._pm = pluggy.PluginManager(PROJECT)
        self._offers: dict[str, list[Answer[Any]]] = {}
        self._meter: Meter = {} if meter is None else meter
        self._tripped, self._titles, self._passes = tripped, titles or {}, passes
        self._specs: dict[str, Callable[..., Any]] = {}
        self._asked: dict[str, _Asked] = {}
        for module in specs:
            marked = _marked(module, "duka_spec")
            if marked:
                self._pm.add_hookspecs(module)
            self._specs |= marked
            self._asked |= {name: _read(function) for name, function in marked.items()}
        for number, (plugin, module) in reversed(list(enumerate(listeners))):
            self._register(plugin, module, number)

    def ask(self, hook: Callable[P, R | None], *args: P.args, **kwargs: P.kwargs) -> list[Answer[R]]:
        """Ask every enabled plugin; returns the answers that are not None, in plan order. Keywords only.

        A failing answer raises LeftOut or PluginFailed, as the hook's policy says.
        """
        if args:
            raise HookFault(f"{hook.__name__}: hooks take keyword arguments only")
        name = hook.__name__
        result: list[Answer[R]] = getattr(self._pm.hook, name)(**kwargs)
        for answer in result:
            self._check(name, answer.plugin, answer.value, kwargs)
        return result

    async def tell(
        self, hook: Callable[P, Coroutine[Any, Any, R | None]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Answer[R]]:
        """Await every enabled plugin's answer in turn; the first error ends it and is raised, a failure as in `ask`."""
        if args:
            raise HookFault(f"{hook.__name__}: hooks take keyword arguments only")
        pending: list[Answer[Coroutine[Any, Any, R | None]]] = getattr(self._pm.hook, hook.__name__)(**kwargs)
        heard: list[Answer[R]] = []
        try:
            for said in pending:
                value = await self._timed(hook.__name__, said.plugin, said.value)
                if value is not None:
                    self._check(hook.__name__, said.plugin, value, kwargs)
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

    async def _timed(self, hook: str, plugin: str, answer: Coroutine[Any, Any, R | None]) -> R | None:
        asked = self._asked[hook]
        answering = Answering(plugin, hook)
        limit = asyncio.timeout(asked.policy.budget_ms / 1000)
        start = time.perf_counter()
        try:
            with on_behalf_of(plugin):
                if asked.is_inside:
                    with answering:
                        async with limit:
                            value = await answer
                else:
                    async with limit:
                        value = await answer
        except (Exception, asyncio.CancelledError, SystemExit) as error:
            seconds = self._spend(plugin, hook, start)
            if isinstance(error, asyncio.CancelledError) and _is_given_up():
                raise
            if answering.tried:
                self._fail(hook, plugin, f"tried to {answering.tried}", error)
            if limit.expired():
                self._fail(hook, plugin, _late(seconds, asked.policy), error)
            if answering.is_spoilt and asked.policy.failing == "skip" and isinstance(error, DukaError):
                self._fail(hook, plugin, "refused because a statement of its had failed", error)
            self._judge(hook, plugin, error)
        seconds = self._spend(plugin, hook, start)
        if answering.tried:
            self._fail(hook, plugin, f"tried to {answering.tried}")
        if answering.is_spoilt:
            self._fail(hook, plugin, "went on after a statement of its had failed")
        if seconds * 1000 > asked.policy.budget_ms:
            self._fail(hook, plugin, _late(seconds, asked.policy))
        return value

    def _spend(self, plugin: str, hook: str, start: float) -> float:
        seconds = time.perf_counter() - start
        self._meter.setdefault((plugin, hook), Spent()).add(seconds)
        return seconds

    def _check(self, hook: str, plugin: str, value: Any, arguments: Mapping[str, Any]) -> None:
        """Hold an answer against what the spec says of it."""
        asked = self._asked[hook]
        try:
            if not asked.fits(value):
                complaint: str | None = f"answered a {type(value).__name__}, which is no answer to it"
            else:
                complaint = asked.policy.check(value, arguments) if asked.policy.check else None
        except Exception as error:  # a stranger's object may raise whatever is asked of it
            self._fail(hook, plugin, "answered what cannot be read", error)
        if complaint:
            self._fail(hook, plugin, complaint)

    def _judge(self, hook: str, plugin: str, error: BaseException) -> NoReturn:
        """An error of an answer: as it is where it was raised on purpose or is not the plugin's; else a failure."""
        if isinstance(error, DukaError | RunAgain):
            raise error
        if self._passes is not None and self._passes(error, self._asked[hook].policy.failing):
            raise error
        self._fail(hook, plugin, f"raised {type(error).__name__}", error)

    def _fail(self, hook: str, plugin: str, words: str, cause: BaseException | None = None) -> NoReturn:
        """Deal with a failing answer as the hook's policy says."""
        failing = self._asked[hook].policy.failing
        self._meter.setdefault((plugin, hook), Spent()).failures += 1
        log.error("plugin %s failed in %s (%s): %s", plugin, hook, failing, words, exc_info=cause)
        failure = Failure(plugin, hook, failing, words)
        if failing == "skip":
            raise LeftOut(failure) from cause
        raise PluginFailed(failure, self._titles.get(plugin, plugin)) from cause

    def _register(self, plugin: str, module: ModuleType, number: int) -> None:
        stamped = SimpleNamespace()
        for name, function in _marked(module, "duka_impl").items():
            self._check_signature(plugin, name, function)
            if (plugin, name) in self._tripped and self._asked[name].policy.failing == "skip":
                continue
            setattr(stamped, name, self._stamp(plugin, name, function))
        try:
            self._pm.register(stamped, f"{plugin}#{number}")
            self._pm.check_pending()
        except pluggy.PluginValidationError as fault:
            raise HookFault(f"{plugin}: {fault}") from fault

    def _check_signature(self, plugin: str, name: str, function: Callable[..., Any]) -> None:
        if name not in self._specs:
            raise HookFault(f"{plugin}: no enabled plugin has a hook called {name!r}")
        wanted = inspect.iscoroutinefunction(self._specs[name])
        if inspect.iscoroutinefunction(function) != wanted:
            raise HookFault(f"{plugin}: the answer to {name} must be {'async def' if wanted else 'def'}")

    def _stamp(self, plugin: str, hook: str, function: Callable[..., Any]) -> Callable[..., Answer[Any] | None]:
        """Wrap an answer so that it carries its plugin's name, and is timed. pluggy still sees its own arguments."""
        spent = self._meter.setdefault((plugin, hook), Spent())
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            def told(*args: Any) -> Answer[Any]:
                return Answer(plugin, function(*args))

            return told

        policy = self._asked[hook].policy
        budget_s = policy.budget_ms / 1000

        @functools.wraps(function)
        def asked(*args: Any) -> Answer[Any] | None:
            start = time.perf_counter()
            try:
                value = function(*args)
            except (Exception, asyncio.CancelledError, SystemExit) as error:
                spent.add(time.perf_counter() - start)
                self._judge(hook, plugin, error)
            seconds = time.perf_counter() - start
            spent.add(seconds)
            if seconds > budget_s:
                self._fail(hook, plugin, _late(seconds, policy))
            return None if value is None else Answer(plugin, value)

        return asked


def _read(spec: Callable[..., Any]) -> _Asked:
    """Answers that are given no unit of work, such as those that fill a demo, may open their own."""
    try:
        fits = shape_of(spec)
    except NameError as fault:
        raise HookFault(f"{spec.__module__}: the annotations of {spec.__name__} name what is not imported") from fault
    is_inside = "work" in inspect.signature(spec).parameters
    return _Asked(policy_of(spec), fits, is_inside)


def _marked(module: ModuleType, mark: str) -> dict[str, Callable[..., Any]]:
    return {name: thing for name, thing in vars(module).items() if inspect.isfunction(thing) and hasattr(thing, mark)}


def _late(seconds: float, policy: Policy) -> str:
    return f"took {seconds * 1000:,.0f} ms, and may take {policy.budget_ms:,}"


def _is_given_up() -> bool:
    """Whether somebody else has cancelled what is running, rather than the answer itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
