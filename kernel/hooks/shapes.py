"""What a spec's annotation says of its answers, as a check: of classes, unions and sequences of them.

None is never asked about where a spec allows anything else: it is no answer.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

Fits = Callable[[Any], bool]


def shape_of(spec: Callable[..., Any]) -> Fits:
    """Whether a value is what a spec's answer may be. A spec that returns None alone takes no answer."""
    return _fits(get_type_hints(spec).get("return", Any))


def _fits(said: Any) -> Fits:
    kinds = [type(None) if one is None else one for one in _arms(said)]
    kinds = [one for one in kinds if one is not type(None)] or kinds
    if all(isinstance(one, type) and one not in (Any, int, float) and not _is_protocol(one) for one in kinds):
        classes = tuple(kinds)
        return lambda value: isinstance(value, classes)
    ways = [_of(one) for one in kinds]
    return ways[0] if len(ways) == 1 else lambda value: any(fits(value) for fits in ways)


def _arms(said: Any) -> Sequence[Any]:
    return get_args(said) if get_origin(said) in (Union, types.UnionType) else (said,)


def _of(kind: Any) -> Fits:
    """Of one class; a number exactly so, since True is an int. Of what is no class, anything."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Sequence, list, tuple):
        return _sequence(next((one for one in arguments if one is not Ellipsis), Any))
    kind = origin or kind
    if _is_protocol(kind):
        wanted = sorted(name for name in vars(kind) if not name.startswith("_"))
        return lambda value: all(hasattr(value, name) for name in wanted)
    if kind in (int, float):
        return lambda value: type(value) is kind
    is_class = isinstance(kind, type) and kind is not Any
    return (lambda value: isinstance(value, kind)) if is_class else (lambda value: True)


def _sequence(item: Any) -> Fits:
    """A list or tuple, nothing that might be read only once or be endless."""
    fits = _fits(item)

    def fit(value: Any) -> bool:
        if type(value) is not list and type(value) is not tuple:
            return False
        items: Iterable[Any] = value
        for one in items:  # noqa: SIM110 - on the way of every priced line
            if not fits(one):
                return False
        return True

    return fit


def _is_protocol(kind: Any) -> bool:
    return bool(getattr(kind, "_is_protocol", False))
