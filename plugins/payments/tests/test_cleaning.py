"""Whatever a provider says can be stored, or is told apart; no database needed."""

from __future__ import annotations

import datetime as dt
import uuid

from hypothesis import given
from hypothesis import strategies as st

from plugins.payments.api import GatewayFact
from plugins.payments.services.cleaning import MOST_MINOR, split

SHORT = st.text(st.characters(), max_size=8)
TEXTS = SHORT | st.builds(lambda text, times: text * times, SHORT, st.sampled_from([24, 26, 250]))
"""Short ones, and some as long as what is stored or longer, which take no time to make up."""


@given(key=TEXTS, reference=TEXTS, ids=st.dictionaries(TEXTS, TEXTS, max_size=30), refund_id=TEXTS, payer=TEXTS)
def test_any_text_comes_out_fit_to_be_stored(
    key: str, reference: str, ids: dict[str, str], refund_id: str, payer: str
) -> None:
    said = GatewayFact(
        kind="captured", key=key, money_key=key, reference=reference, ids=ids, refund_id=refund_id, payer=payer
    )
    [fact], unsound = split([said])
    texts = [fact.key, fact.money_key or "", fact.reference or "", fact.payer or "", *fact.ids, *fact.ids.values()]
    assert not unsound
    assert all(len(text) <= 200 and "\x00" not in text and text.encode() is not None for text in texts)
    assert len(fact.ids) <= 20
    assert fact.refund_id is None or str(uuid.UUID(fact.refund_id)) == fact.refund_id


@given(st.integers(), st.sampled_from(["KES", "USD", None, "", "kes", "ZZZ"]))
def test_amounts_and_currencies_that_cannot_be_are_told_apart(amount: int, currency: str | None) -> None:
    sound, unsound = split([GatewayFact(kind="captured", key="k", amount=amount, currency=currency)])
    can_be = 0 < amount <= MOST_MINOR and currency in ("KES", "USD", None)
    assert (len(sound), len(unsound)) == ((1, 0) if can_be else (0, 1))


def test_two_names_too_long_stay_two_and_a_time_without_a_zone_is_none() -> None:
    facts = [GatewayFact(kind="captured", key="k" * 300 + end, at=dt.datetime(2026, 1, 1)) for end in "ab"]
    [first, second], _ = split(facts)
    assert first.key != second.key
    assert (first.at, len(first.key)) == (None, 64)
