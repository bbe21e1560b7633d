"""The hook bus: order, stamps, and what a wrong answer is told."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from kernel.errors import Failure, PluginFailed
from kernel.hooks import Answer, HookFault, HookSet, answers, spec


def module(name: str, *functions: Callable[..., Any]) -> ModuleType:
    made = ModuleType(name)
    for function in functions:
        setattr(made, function.__name__, function)
    return made


@spec
def price(cart: str, line: int) -> int | None:
    """Ask for a price."""


@spec
async def sold(work: Any, sale: str) -> str | None:
    """Tell of a sale."""


@spec
def gateways() -> list[str] | None:
    """Offer gateways."""


SPECS = [module("hooks", price, sold, gateways)]


def priced(value: int | None) -> ModuleType:
    @answers
    def price(line: int) -> int | None:
        return None if value is None else value * line

    return module("listeners", price)


def hearing(heard: list[str], name: str, *, fails: bool = False) -> ModuleType:
    @answers
    async def sold(work: Any, sale: str) -> str | None:
        await asyncio.sleep(0)
        heard.append(f"{name} {sale}")
        if fails:
            raise LookupError(name)
        return None if name == "silent" else name

    return module("listeners", sold)


def test_answers_come_in_plan_order_with_the_names_of_those_who_gave_them() -> None:
    hooks = HookSet(SPECS, [("b", priced(2)), ("a", priced(None)), ("c", priced(5))])
    assert hooks.ask(price, cart="x", line=10) == [Answer("b", 20), Answer("c", 50)]
    assert hooks.listeners("price") == ["b", "a", "c"]


def test_a_plugin_may_answer_a_hook_in_two_modules() -> None:
    hooks = HookSet(SPECS, [("a", priced(1)), ("a", priced(2)), ("b", priced(3))])
    assert hooks.ask(price, cart="x", line=1) == [Answer("a", 1), Answer("a", 2), Answer("b", 3)]
    assert hooks.listeners("price") == ["a", "a", "b"]


async def test_tells_are_awaited_one_at_a_time_in_order() -> None:
    heard: list[str] = []
    hooks = HookSet(SPECS, [(name, hearing(heard, name)) for name in ("b", "silent", "a")])
    assert await hooks.tell(sold, work=None, sale="s1") == [Answer("b", "b"), Answer("a", "a")]
    assert heard == ["b s1", "silent s1", "a s1"]


async def test_the_first_error_ends_a_tell_and_leaves_no_coroutine_waiting() -> None:
    heard: list[str] = []
    listeners = [("a", hearing(heard, "a")), ("b", hearing(heard, "b", fails=True)), ("c", hearing(heard, "c"))]
    hooks = HookSet(SPECS, listeners)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a coroutine that is never awaited warns
        with pytest.raises(PluginFailed) as told:
            await hooks.tell(sold, work=None, sale="s1")
    assert heard == ["a s1", "b s1"]
    assert isinstance(told.value.__cause__, LookupError)
    assert told.value.failure == Failure("b", "sold", "refuse", "raised LookupError")


async def test_a_tell_that_is_cancelled_leaves_no_coroutine_waiting() -> None:
    begun = asyncio.Event()

    @answers
    async def sold_slowly(work: Any) -> None:
        begun.set()
        await asyncio.sleep(60)

    sold_slowly.__name__ = "sold"
    slow = ModuleType("listeners")
    slow.sold = sold_slowly  # type: ignore[attr-defined]
    heard: list[str] = []
    hooks = HookSet(SPECS, [("a", slow), ("b", hearing(heard, "b"))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task = asyncio.create_task(hooks.tell(sold, work=None, sale="s1"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert heard == []


def test_an_error_of_an_ask_is_told_with_the_name_of_the_plugin() -> None:
    @answers
    def price(line: int) -> int:
        raise ZeroDivisionError

    hooks = HookSet(SPECS, [("a", priced(1)), ("b", module("listeners", price))])
    with pytest.raises(PluginFailed, match="b failed"):
        hooks.ask(sold_by_name("price"), cart="x", line=1)


def sold_by_name(name: str) -> Callable[..., Any]:
    found: Any = {"price": price, "sold": sold, "gateways": gateways}[name]
    return found  # type: ignore[no-any-return]


def test_offers_are_collected_once() -> None:
    calls: list[int] = []

    @answers
    def gateways() -> list[str]:
        calls.append(1)
        return ["cash"]

    hooks = HookSet(SPECS, [("a", module("listeners", gateways))])
    assert hooks.offers(sold_by_name("gateways")) == hooks.offers(sold_by_name("gateways")) == [Answer("a", ["cash"])]
    assert calls == [1]


def test_a_misspelt_hook_is_refused_with_the_plugins_name() -> None:
    @answers
    def pryce(line: int) -> int:
        return line

    with pytest.raises(HookFault, match=r"stall: .*'pryce'"):
        HookSet(SPECS, [("stall", module("listeners", pryce))])


def test_an_unknown_argument_is_refused() -> None:
    @answers
    def price(lines: int) -> int:
        return lines

    with pytest.raises(HookFault, match=r"stall: (?s:.)*lines"):
        HookSet(SPECS, [("stall", module("listeners", price))])


def test_a_synchronous_answer_to_a_tell_is_refused_and_the_other_way_round() -> None:
    @answers
    def sold(sale: str) -> str:
        return sale

    with pytest.raises(HookFault, match="sold must be async def"):
        HookSet(SPECS, [("stall", module("listeners", sold))])

    @answers
    async def price(line: int) -> int:
        return line

    with pytest.raises(HookFault, match="price must be def"):
        HookSet(SPECS, [("stall", module("listeners", price))])


async def test_hooks_take_keywords_only() -> None:
    hooks = HookSet(SPECS, [])
    with pytest.raises(HookFault, match="keyword"):
        hooks.ask(price, "x", 1)
    with pytest.raises(HookFault, match="keyword"):
        await hooks.tell(sold, None, "s1")


def test_functions_that_are_not_marked_answer_nothing() -> None:
    def price(line: int) -> int:
        return line

    hooks = HookSet(SPECS, [("a", module("listeners", price))])
    assert hooks.ask(sold_by_name("price"), cart="x", line=1) == []


async def test_what_answers_cost_is_measured() -> None:
    meter: dict[tuple[str, str], Any] = {}
    heard: list[str] = []
    hooks = HookSet(SPECS, [("a", priced(1)), ("b", hearing(heard, "b"))], meter)
    hooks.ask(price, cart="x", line=1)
    hooks.ask(price, cart="x", line=1)
    await hooks.tell(sold, work=None, sale="s1")
    assert {key: spent.calls for key, spent in meter.items()} == {("a", "price"): 2, ("b", "sold"): 1}
    assert meter["b", "sold"].seconds > 0


def test_an_answer_keeps_its_own_signature() -> None:
    """pluggy hands an answer only the arguments that it names."""
    assert list(inspect.signature(vars(priced(1))["price"]).parameters) == ["line"]
    assert HookSet(SPECS, [("a", priced(3))]).ask(price, cart="unused", line=2) == [Answer("a", 6)]
