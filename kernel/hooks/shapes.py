"""What a spec's annotation says of its answers, as a check: of None, classes, unions and sequences of them."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

Fits = Callable[[Any], bool]


def shape_of(spec: Callable[..., Any]) -> Fits:
    """Whether a value is what a spec's answer may be. A spec that returns None alone takes no answer."""
    return _fits(get_type_hints(spec).get("return", Any))


def _fits(said: Any) -> Fits:
    origin, arguments = get_origin(said), get_args(said)
    if said is None:
        said = type(None)
    if origin in (Union, types.UnionType):
        one_of = [_fits(one) for one in arguments]
        return lambda value: any(fits(value) for fits in one_of)
    if origin in (Sequence, list, tuple):
        return _sequence(_fits(next((one for one in arguments if one is not Ellipsis), Any)))
    return _is(origin or said)


def _is(kind: Any) -> Fits:
    """Of this class; a number exactly so, since True is an int. Of what is no class, anything."""
    if getattr(kind, "_is_protocol", False):
        wanted = sorted(name for name in vars(kind) if not name.startswith("_"))
        return lambda value: all(hasattr(value, name) for name in wanted)
    if kind in (int, float):
        return lambda value: type(value) is kind
    return (lambda value: isinstance(value, kind)) if isinstance(kind, type) else (lambda value: True)


def _sequence(fits: Fits) -> Fits:
    """A list or tuple, nothing that might be read only once or be endless."""
    return lambda value: type(value) in (list, tuple) and all(map(fits, value))
