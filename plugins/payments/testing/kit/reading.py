"""Reading: whatever a provider writes is read, and never trusted further than it goes."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.schemas.told import Subject
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Due

MUTATIONS: Final = 300
STRANGE: Final[Sequence[Any]] = (
    None, "", 0, -1, 1.5, True, [], {}, "x" * 10_000, "٣", 10**30, [[]], {"a": {}}, "1e9", "NaN", "\x00",
)  # fmt: skip
NEW: Final = "SOMETHING_NEW"
PHONES: Final[Mapping[str, tuple[str, ...]]] = {
    "KE": ("0712345678", "0712 345 678", "+254712345678", "254712345678", "+254-712-345-678", "(0712)-345.678"),
    "IN": ("9812345678", "98123 45678", "+919812345678", "919812345678", "+91-98123-45678"),
}
"""One phone of a region, written in the ways that people write it."""
NO_PHONES: Final = ("", "x", "0", "+", "07123", "٠٧١٢٣٤٥٦٧٨", "0712 345 678 910 11", "+12025550123", "\x00")


class Reading:
    """Cases 26, 47, 48, 76, 77; 46, which word means what, each gateway proves of its own."""

    async def test_26_an_amount_is_the_same_however_it_is_written(self, stage: Stage) -> None:
        """As a number, with a fraction of nothing, as a text: the same minor units, or no money at all."""
        await stage.ask()
        [due, *_] = stage.simulator.due
        said, paid, read = json.loads(due.body), stage.last().paid, 0
        for path, value in _leaves(said):
            whole = _whole(value)
            if whole is None or whole not in (paid, paid // 100):
                continue
            for written in (whole, float(whole), str(whole), f"{whole}.00"):
                facts = await _read(stage, due, _with(said, path, written))
                assert all(fact.amount == paid for fact in facts if fact.kind == "captured"), written
                read += any(fact.kind == "captured" for fact in facts)
        assert read, "no notice of money says how much"
        await stage.hear()

    async def test_47_a_word_that_nobody_knows_moves_no_money(self, stage: Stage) -> None:
        """Whatever word of bad news is another one: it brings no money. The new word is kept as it came."""
        await stage.ask(payer="declines")
        [due, *_] = stage.simulator.due
        said, kept = json.loads(due.body), False
        for path, value in _leaves(said):
            if not isinstance(value, (str, int)) or isinstance(value, bool):
                continue
            for new in (NEW, 987_654):
                facts = await _read(stage, due, _with(said, path, new))
                assert not any(fact.kind in ("captured", "settled", "authorised") for fact in facts), path
                kept = kept or any(fact.kind == "unknown" and fact.code == NEW for fact in facts)
        assert kept, "a word that is new is no fact of the kind unknown, with the word as its code"
        await stage.hear()

    async def test_48_whatever_is_changed_in_a_notice_it_is_read_without_a_fault(self, stage: Stage) -> None:
        """Keys dropped, values of other types, long texts, junk: only facts of a known shape come out. Order and
        things beside make no difference.
        """
        await stage.ask()
        [due, *_] = stage.simulator.due
        chance = random.Random(7)  # noqa: S311 - to change bodies
        said, paid = json.loads(due.body), stage.last().paid
        for _ in range(MUTATIONS):
            facts = await _read(stage, due, _changed(said, chance))
            assert all(isinstance(fact, GatewayFact) for fact in facts)
            assert all(fact.amount is None or type(fact.amount) is int for fact in facts)
            assert all(fact.key for fact in facts), "a fact has no key"
        plain = await _read(stage, due, said)
        assert [fact.amount for fact in plain if fact.kind == "captured"] == [paid]
        assert await _read(stage, due, _turned(said)) == plain
        config = await stage.config()
        twice = due.body.replace(b"{", b'{"twice": 1, "twice": 2, ', 1)
        for body in (twice, due.body[:7], b"", b"\xff", b"[]", b"1", b"{}"):
            stage.gateway.read(config, stage.notice(due, body))
        await stage.hear()

    async def test_76_phones_are_written_in_one_way_or_refused(self, stage: Stage) -> None:
        """However a payer's phone is typed it comes to the same; what is none is refused by a ValueError in words."""
        if not stage.gateway.methods[0].takes_phone:
            pytest.skip("it asks for no phone")
        region = stage.box.shops[stage.shop].region
        [phone] = {stage.gateway.phone(said, region) for said in PHONES[region]}
        assert stage.gateway.phone(phone, region) == phone
        for said in NO_PHONES:
            with pytest.raises(ValueError, match=r"\w"):
                stage.gateway.phone(said, region)

    async def test_77_references_are_legal_and_differ(self, stage: Stage) -> None:
        """As long as the provider takes them, of its letters, whatever the document is called."""
        capabilities = stage.gateway.capabilities
        for number in ("B-1", "B-1", "ÄÖ-ब्याज-77", "b" * 60, "🙂"):
            payment = await stage.ask(subject=Subject("bill", uuid.uuid4(), number))
            await stage.hear()
            await stage.pass_by(minutes=3)
            assert await stage.state(payment) == ("captured", stage.amount)
        references = [pay.reference for pay in stage.simulator.ledger.values()]
        assert len(set(references)) == 5
        assert all(0 < len(one) <= capabilities.reference_most for one in references)
        assert all(set(one) <= set(capabilities.reference_letters) for one in references)


async def _read(stage: Stage, due: Due, said: Any) -> Sequence[GatewayFact]:
    return stage.gateway.read(await stage.config(), stage.notice(due, json.dumps(said).encode()))


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
    path, _ = chance.choice(_leaves(value))
    return _with(value, path[: chance.randint(1, len(path))], chance.choice(STRANGE))


def _turned(value: Any) -> Any:
    """A copy whose keys stand in the other order, with one more in each object."""
    if isinstance(value, dict):
        return {"more_beside": "x", **{key: _turned(one) for key, one in reversed(value.items())}}
    return [_turned(one) for one in value] if isinstance(value, list) else value


def _whole(value: Any) -> int | None:
    """A number, or a text of one, that is whole."""
    try:
        return None if isinstance(value, bool) or float(value) % 1 else int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
