from __future__ import annotations

import types
import warnings

import pytest

from kernel import money
from kernel.deprecation import Deprecated, deprecated, gone_in, moved, notice, warn
from kernel.hooks import HookSet, answers, spec


@deprecated("kernel.money.round_ratio", since="0.3")
def halved(value: int) -> int:
    return value // 2


@deprecated("a session of its own", since="0.3")
async def awaited() -> str:
    return "there"


@deprecated("kernel.wire.Page", since="0.3")
class Sheet:
    pass


def test_what_is_deprecated_works_and_says_what_to_use_and_when_it_goes() -> None:
    with pytest.warns(Deprecated) as told:
        assert halved(8) == 4
    assert str(told[0].message) == (
        f"{__name__}.halved is deprecated since Duka 0.3 and goes with 0.5; use kernel.money.round_ratio"
    )
    assert told[0].filename == __file__


async def test_coroutines_and_classes_can_be_deprecated_too() -> None:
    with pytest.warns(Deprecated, match="use a session of its own"):
        assert await awaited() == "there"
    with pytest.warns(Deprecated, match=r"kernel\.wire\.Page"):
        Sheet()
    with pytest.warns(Deprecated, match=r"kernel\.wire\.Page"):
        type("Wider", (Sheet,), {})


def test_who_answers_a_deprecated_hook_is_warned_when_it_is_loaded() -> None:
    hooks, listeners = types.ModuleType("hooks"), types.ModuleType("listeners")

    @spec(warn_on_impl=notice("the hook sale_done", instead="sale_completed", since="0.3"))
    def sale_done(number: int) -> int | None:
        """Told of a sale."""

    @answers
    def answer(number: int) -> int:
        return number + 1

    answer.__name__ = "sale_done"
    vars(hooks)["sale_done"], vars(listeners)["sale_done"] = sale_done, answer
    with pytest.warns(Deprecated, match="the hook sale_done is deprecated since Duka 0.3 and goes with 0.5"):
        made = HookSet([hooks], [("till", listeners)])
    assert [one.value for one in made.ask(sale_done, number=1)] == [2]


def test_a_name_that_moved_is_still_found_where_it_was() -> None:
    find = moved("kernel.old", {"half": "kernel.money:round_ratio"}, since="0.3")
    with pytest.warns(Deprecated, match=r"kernel\.old\.half .* use kernel\.money\.round_ratio"):
        assert find("half") is money.round_ratio
    with pytest.raises(AttributeError, match="no attribute 'third'"):
        find("third")


def test_a_parameter_warns_at_the_line_that_gives_it() -> None:
    def price(amount: int, exact: bool | None = None) -> int:
        if exact is not None:
            warn("price(exact=…)", instead="round_ratio on the answer", since="0.9")
        return amount

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        price(1)
        price(1, exact=True)
    assert [one.filename for one in told] == [__file__]
    assert "goes with 0.11" in str(told[0].message)


@pytest.mark.parametrize(("since", "gone"), [("0.1", "0.3"), ("0.9", "0.11"), ("1.4", "2.0")])
def test_it_goes_after_two_minor_versions_and_from_one_on_with_a_major(since: str, gone: str) -> None:
    assert gone_in(since) == gone


@pytest.mark.parametrize("since", ["1", "0.3.1", "soon"])
def test_a_version_that_is_no_minor_version_is_refused(since: str) -> None:
    with pytest.raises(ValueError, match=r"since=|Invalid version"):
        deprecated("anything", since=since)(lambda: None)
