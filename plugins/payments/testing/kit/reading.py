"""Reading: whatever a provider writes is read, and never trusted further than it goes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from plugins.payments.schemas.gateways import GatewayFact, Notice
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Due, path_of

MUTATIONS = 300


class Reading:
    """Cases 26, 46 to 48, 76, 77."""

    async def test_46_to_48_whatever_is_changed_in_a_notice_it_is_read_without_a_fault(self, stage: Stage) -> None:
        """Keys dropped, values of other types, long texts, junk: only facts of a known shape come out."""
        await stage.ask()
        [due, *_] = stage.simulator.due
        config, chance = await stage.config(), random.Random(7)  # noqa: S311 - to change bodies
        said = json.loads(due.body)
        for _ in range(MUTATIONS):
            body = json.dumps(_changed(said, chance)).encode()
            facts = stage.gateway.read(config, _notice(stage, due, body))
            assert all(isinstance(fact, GatewayFact) for fact in facts)
            assert all(fact.amount is None or type(fact.amount) is int for fact in facts)
            assert all(fact.key for fact in facts), "a fact has no key"
        for body in (due.body[:7], b"", b"\xff", b"[]", b"1", b"{}"):
            stage.gateway.read(config, _notice(stage, due, body))
        await stage.hear()

    async def test_47_a_word_that_nobody_knows_moves_no_money(self, stage: Stage) -> None:
        """Kept raw, and asked about."""
        await stage.ask()
        [due, *_] = stage.simulator.due
        config = await stage.config()
        said = json.loads(due.body)
        texts = [path for path, value in _leaves(said) if isinstance(value, (str, int)) and not isinstance(value, bool)]
        for path in texts:
            strange = _with(said, path, "SOMETHING_NEW")
            for fact in stage.gateway.read(config, _notice(stage, due, json.dumps(strange).encode())):
                assert fact.kind != "captured" or fact.amount is None or fact.amount <= stage.last().paid
        await stage.hear()

    @pytest.mark.parametrize("said", ["", "x", "0", "+", "07123", "٠٧١٢٣٤٥٦٧٨", "0712 345 678 910 11", "\x00"])
    async def test_76_what_is_no_phone_is_refused(self, stage: Stage, said: str) -> None:
        """By a ValueError in words."""
        if not stage.gateway.methods[0].takes_phone:
            pytest.skip("it asks for no phone")
        with pytest.raises(ValueError, match=r"\w"):
            stage.gateway.phone(said, stage.box.shops[stage.shop].region)

    async def test_77_references_are_legal_and_differ(self, stage: Stage) -> None:
        """As long as the provider takes them, of its letters."""
        capabilities = stage.gateway.capabilities
        for _ in range(5):
            await stage.ask()
            await stage.hear()
        references = [pay.reference for pay in stage.simulator.ledger.values()]
        assert len(set(references)) == 5
        assert all(0 < len(one) <= capabilities.reference_most for one in references)
        assert all(set(one) <= set(capabilities.reference_letters) for one in references)


def _notice(stage: Stage, due: Due, body: bytes) -> Notice:
    headers = {name.lower(): value for name, value in due.headers.items()}
    return Notice(
        method=due.method, headers=headers, query={}, body=body, address=path_of(due.address), at=stage.box.clock()
    )


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in _leaves(one, (*path, key))]
    if isinstance(value, list):
        return [leaf for place, one in enumerate(value) for leaf in _leaves(one, (*path, place))]
    return [(path, value)]


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with one leaf changed."""
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict):
        return {name: _with(one, tuple(rest), new) if name == key else one for name, one in value.items()}
    return [_with(one, tuple(rest), new) if place == key else one for place, one in enumerate(value)]


def _changed(value: Any, chance: random.Random) -> Any:
    """A copy with something wrong in it."""
    leaves = _leaves(value)
    path, _ = chance.choice(leaves)
    strange: list[Any] = [
        None,
        "",
        0,
        -1,
        1.5,
        True,
        [],
        {},
        "x" * 10_000,
        "٣",
        10**30,
        [[]],
        {"a": {}},
        "1e9",
        "NaN",
        "\x00",
    ]
    cut = path[: chance.randint(1, len(path))]
    return _with(value, cut, chance.choice(strange))
