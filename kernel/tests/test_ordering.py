"""In which order plugins answer hooks, and what happens when they contradict one another."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from kernel.ordering import Circle, Edge, dependencies, sort, turns
from kernel.plugin import Plugin


def plugins(**said: dict[str, Any]) -> dict[str, Plugin]:
    return {name: Plugin(name, "1.0", name, name, **how) for name, how in said.items()}


def order(manifests: dict[str, Plugin]) -> list[str]:
    return sort(manifests, turns(manifests))


def test_what_a_plugin_declares_moves_it_and_nobody_else() -> None:
    manifests = plugins(apple={}, berry={"before": ("apple",)}, cherry={"after": ("date", "absent")}, date={})
    assert order(manifests) == ["berry", "apple", "date", "cherry"]


def test_the_order_does_not_depend_on_the_order_of_discovery() -> None:
    manifests = plugins(aa={"after": ("cc",)}, bb={"depends": ("dd",)}, cc={"before": ("bb",)}, dd={})
    found = {tuple(order(dict(some))) for some in itertools.permutations(manifests.items())}
    assert found == {("cc", "aa", "dd", "bb")}


def test_a_contradiction_names_each_step_and_who_said_it() -> None:
    manifests = plugins(aa={"before": ("bb",)}, bb={"before": ("cc",)}, cc={}, dd={"after": ("cc",)})
    assert order(manifests) == ["aa", "bb", "cc", "dd"]
    manifests |= plugins(cc={"before": ("aa",)})
    with pytest.raises(Circle, match=r"aa after cc \(before of cc\)") as caught:
        order(manifests)
    assert caught.value.members == {"aa", "bb", "cc"}
    assert [edge.earlier for edge in caught.value.path[:-1]] == [edge.later for edge in caught.value.path[1:]]


def test_a_declaration_about_an_absent_plugin_says_nothing() -> None:
    assert dependencies(plugins(aa={"optional": ("zz",), "depends": ("yy",)})) == []
    assert dependencies(plugins(aa={"depends": ("bb",)}, bb={})) == [Edge("bb", "aa", "depends", "aa")]


@pytest.mark.parametrize("wrong", [{"before": ("Upper",)}, {"after": ("me",)}, {"fiscal": ("other_table",)}])
def test_a_manifest_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="plugin me"):
        plugins(me=wrong)
