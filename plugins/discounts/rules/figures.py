"""Terms between their two forms: texts as they travel, whole numbers as they are stored and calculated with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from kernel.money import BadDecimal, format_amount, format_micro, format_price, parse_amount, parse_micro
from plugins.catalog.api import plain_tags
from plugins.discounts.rules.circumstances import clock
from plugins.discounts.schemas.effects import EffectIn, GoodsIn, LimitsIn, WhenIn
from plugins.discounts.schemas.terms import (
    HUNDRED,
    AmountOff,
    Bundle,
    BuyGet,
    CheapestFree,
    Goods,
    NewPrice,
    PercentOff,
    Terms,
    Tier,
    Tiers,
)

_AMOUNTS: Final = frozenset({"amount", "spend", "least_amount"})
_MICROS: Final = frozenset({"percent", "price", "least", "least_quantity", "most_units"})
_CLOCKS: Final = frozenset({"from_time", "until_time"})


class BadTerms(ValueError):
    """Terms make no sense; the message says why, `pointer` where."""

    def __init__(self, pointer: str, words: str) -> None:
        super().__init__(words)
        self.pointer = pointer


def read_figures(said: Any, exponent: int, pointer: str = "") -> Any:
    """Plain values with numbers in place of texts. Raises `BadTerms` for an amount with too many decimals."""

    def read(name: str, text: str, here: str) -> int:
        try:
            return _read(name, text, exponent)
        except BadDecimal as fault:
            raise BadTerms(here, f"The currency has {exponent} decimals") from fault

    return _walk(said, read, pointer)


def write_figures(stored: Any, exponent: int) -> Any:
    """Plain values with texts in place of numbers."""
    return _walk(stored, lambda name, value, _: _write(name, value, exponent), "")


def terms_said(terms: Terms, exponent: int) -> tuple[EffectIn, GoodsIn | None, WhenIn, LimitsIn]:
    """Terms as they travel: effect, goods, conditions, limits."""
    said = write_figures(msgspec.to_builtins(terms), exponent)
    goods = msgspec.convert(said.get("goods"), GoodsIn | None)
    effect: EffectIn = msgspec.convert(said["effect"], EffectIn)
    when = msgspec.convert(said.get("when", {}), WhenIn)
    return effect, goods, when, msgspec.convert(said.get("limits", {}), LimitsIn)


def plain_terms(terms: Terms) -> Terms:
    """Terms with their tags as catalog keeps them."""
    effect = terms.effect
    if isinstance(effect, BuyGet) and effect.gets is not None:
        effect = replace(effect, gets=_plain(effect.gets))
    return replace(terms, effect=effect, goods=None if terms.goods is None else _plain(terms.goods))


def check_terms(terms: Terms) -> None:
    """Raise `BadTerms` for what the types cannot say."""
    effect = terms.effect
    percent = getattr(effect, "percent", None)
    if percent is not None and not 0 < percent <= HUNDRED:
        raise BadTerms("/effect/percent", "Above 0, and at most 100 percent")
    if isinstance(effect, AmountOff) and not effect.amount:
        raise BadTerms("/effect/amount", "It must take something off")
    if isinstance(effect, NewPrice) and terms.goods is None:
        raise BadTerms("/effect/kind", "A price is set for goods")
    if isinstance(effect, CheapestFree) and effect.free >= effect.count:
        raise BadTerms("/effect/free", "Fewer than the set has")
    if isinstance(effect, Bundle):
        _check_bundle(effect, terms)
    if isinstance(effect, Tiers):
        _check_tiers(effect)
    if terms.goods is not None and not any(msgspec.structs.astuple(terms.goods)):
        raise BadTerms("/goods", "Name a product, a category, a brand or a tag; or leave goods away, for all")
    if terms.when.most_units is not None and not _may_count_units(terms):
        raise BadTerms("/when/most_units", "It is for a percentage, an amount, a price or tiers on goods")
    for name, limit in (("spend", terms.limits.spend), ("most_units", terms.when.most_units)):
        if limit == 0:
            raise BadTerms("/limits/spend" if name == "spend" else "/when/most_units", "More than nothing")


def _plain(goods: Goods) -> Goods:
    return replace(goods, tags=tuple(plain_tags(goods.tags)))


def _may_count_units(terms: Terms) -> bool:
    return isinstance(terms.effect, PercentOff | AmountOff | NewPrice | Tiers) and not terms.is_for_document


def _check_bundle(effect: Bundle, terms: Terms) -> None:
    if (effect.amount is None) == (effect.percent is None):
        raise BadTerms("/effect", "A bundle has an amount or a percentage, not both")
    if terms.goods is not None:
        raise BadTerms("/goods", "A bundle names its goods itself")
    if len({part.product_id for part in effect.parts}) != len(effect.parts):
        raise BadTerms("/effect/parts", "Each product once")


def _check_tiers(effect: Tiers) -> None:
    leasts = [tier.least for tier in effect.tiers]
    if leasts != sorted(set(leasts)) or leasts[0] <= 0:
        raise BadTerms("/effect/tiers", "From the least quantity up, each above the one before")
    for place, tier in enumerate(effect.tiers):
        _check_tier(tier, f"/effect/tiers/{place}")


def _check_tier(tier: Tier, pointer: str) -> None:
    if sum(value is not None for value in (tier.percent, tier.amount, tier.price)) != 1:
        raise BadTerms(pointer, "A percentage, an amount or a price, one of them")
    if tier.percent is not None and not 0 < tier.percent <= HUNDRED:
        raise BadTerms(f"{pointer}/percent", "Above 0, and at most 100 percent")


def _walk(value: Any, change: Callable[[str, Any, str], Any], pointer: str, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _walk(part, change, f"{pointer}/{key}", key) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(part, change, f"{pointer}/{place}") for place, part in enumerate(value)]
    if value is None or name not in _AMOUNTS | _MICROS | _CLOCKS:
        return value
    return change(name, value, pointer)


def _read(name: str, text: str, exponent: int) -> int:
    if name in _AMOUNTS:
        return parse_amount(text, exponent)
    if name in _CLOCKS:
        hours, _, minutes = text.partition(":")
        return int(hours) * 60 + int(minutes)
    return parse_micro(text)


def _write(name: str, value: int, exponent: int) -> str:
    if name in _AMOUNTS:
        return format_amount(value, exponent)
    if name in _CLOCKS:
        return clock(value)
    return format_price(value, exponent) if name == "price" else format_micro(value)


def value_of(terms: Terms, exponent: int) -> str | None:
    """The one figure of a percentage, an amount or a price; None where there are more."""
    effect = terms.effect
    if isinstance(effect, PercentOff):
        return format_micro(effect.percent)
    if isinstance(effect, AmountOff):
        return format_amount(effect.amount, exponent)
    return format_price(effect.price, exponent) if isinstance(effect, NewPrice) else None
