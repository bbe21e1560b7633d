"""Forms: what a page's form sends becomes a request to the API, and what the API says becomes what the page does.

The fields of a form bear the names of the API's body, with dots into objects and lists, and how their text is meant:

    name            a text, as it is
    price:opt       left out where it is empty
    note:null       null where it is empty
    limit:int       a whole number        is_open:bool   "on", "true" or "1", else false
    tags:list       lines or commas       lines.0.quantity
    data:json       JSON                  limit:intnull   null where it is empty
    lines:rows      a list though no row of it is sent
    range:group     an object of what is sent below it, null where nothing is
    lines.0.name:row  the row is left out where all fields of it that say so are empty
    at:momentopt    a day and time by the clock of the form's `_zone`; `:momentnull` is null where it is empty

Names that begin with `_` are the form's own: `_method`, `_to` (a path of the API), `_then` (where to go; `{id}` and
other names of the answer are filled in), `_said` (told there), `_key` (Idempotency-Key), `_tag` (If-Match),
`_enter` (the business to go on in, filled in likewise), `_approval`, `_proof`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kernel.errors import BadRequest, MalformedJson, TooDeep

MOST_BYTES: Final = 1_048_576
MOST_FIELDS: Final = 5_000
DEEPEST: Final = 8
DEEPEST_JSON: Final = 32
MOST_IN_LIST: Final = 2_000
METHODS: Final = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_PLACE: Final = re.compile(r"{(\w+)}")
_ROW: Final = re.compile(r"\w+\.[0-9]{1,4}(?=\.)")


def read_form(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form in their order. Raises BadRequest."""
    try:
        return parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict", encoding="utf-8"
        )
    except (ValueError, UnicodeDecodeError) as fault:
        raise BadRequest("The form cannot be read") from fault


def own_of(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The form's own fields, without their stroke."""
    return {name[1:]: value for name, value in fields if name.startswith("_")}


def body_of(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The body that a form's fields make. Raises BadRequest for names that contradict one another."""
    made: dict[str, Any] = {}
    zone = own_of(fields := list(fields)).get("zone", "UTC")
    empty = _empty_rows(fields)
    for name, text in fields:
        if name.startswith("_") or _row_of(name) in empty:
            continue
        path, _, kind = name.partition(":")
        value = _meant(text, kind)
        if kind.startswith("moment") and isinstance(value, str):
            value = _moment(value, zone)
        if value is not _LEFT_OUT:
            _put(made, path[1:].split("/") if path.startswith("/") else path.split("."), value)
    told: dict[str, Any] = _listed(made)
    return told


def _row_of(name: str) -> str:
    """The row that a field stands in: `lines.0` of `lines.0.name:row`; "" for none."""
    found = _ROW.match(name)
    return found[0] if found else ""


def _empty_rows(fields: Iterable[tuple[str, str]]) -> set[str]:
    """The rows whose fields of the kind `row` are all empty."""
    said: dict[str, bool] = {}
    for name, text in fields:
        if name.endswith(":row"):
            said[_row_of(name)] = said.get(_row_of(name), True) and not text.strip()
    return {row for row, is_empty in said.items() if is_empty and row}


def filled(pattern: str, answer: Any) -> str:
    """Where a form leads, with names of the API's answer filled in: `/catalog/products/{id}`."""
    known = answer if isinstance(answer, Mapping) else {}
    return _PLACE.sub(lambda found: quote(str(known.get(found[1], "")), safe="-._~@:"), pattern)


class _LeftOut:
    """Stands for a field that is not sent."""


class _Rows(dict[str, Any]):
    """A list, also where it has no row."""


class _Group(dict[str, Any]):
    """An object that is null where nothing of it is sent."""


_LEFT_OUT: Final = _LeftOut()
_EMPTY: Final[Mapping[str, Any]] = {
    **{"opt": _LEFT_OUT, "null": None, "intopt": _LEFT_OUT, "intnull": None, "json": _LEFT_OUT},
    **{"momentopt": _LEFT_OUT, "momentnull": None},
}
"""What an empty field means."""
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")


def _meant(text: str, kind: str) -> Any:
    text = text.replace("\r\n", "\n")
    is_empty = not text.strip()
    if kind in _EMPTY and is_empty:
        return _EMPTY[kind]
    maker = _MAKERS.get(kind)
    return maker(text) if maker else text


def _json(text: str) -> Any:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise MalformedJson("A field of the form is no JSON") from fault
    if _is_deeper(told, DEEPEST_JSON):
        raise TooDeep("A field of the form is nested too deeply")
    return told


def _is_deeper(told: Any, levels: int) -> bool:
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return bool(inner) and (levels == 0 or any(_is_deeper(one, levels - 1) for one in inner))


def _whole(text: str) -> Any:
    return int(text) if _WHOLE.fullmatch(text.strip()) else text


def _moment(text: str, zone: str) -> str:
    """A time of the wall's clock as a moment; what is none stays as it is, for the API to refuse."""
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).isoformat()
    except (ValueError, OSError, OverflowError, ZoneInfoNotFoundError):
        return text


def _list(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"[\n,]", text) if one.strip()]


_MAKERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "bool": lambda text: text in ("on", "true", "1"),
    **dict.fromkeys(("int", "intopt", "intnull"), _whole),
    "list": _list,
    "json": _json,
    "rows": lambda _: _Rows(),
    "group": lambda _: _Group(),
}
KINDS: Final = frozenset({*_EMPTY, *_MAKERS})
"""What may stand behind a field's colon."""


def _put(made: dict[str, Any], path: list[str], value: Any) -> None:
    if len(path) > DEEPEST or "" in path:
        raise BadRequest("A field of the form has no name of a body")
    inner = made
    for part in path[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise BadRequest("Fields of the form contradict one another")
    last = path[-1]
    if isinstance(value, _Rows | _Group) and isinstance(inner.get(last), dict):
        value.update(inner[last])
    if isinstance(inner.get(last), list) and isinstance(value, list):
        inner[last] += value
    else:
        inner[last] = value


def _listed(made: Any) -> Any:
    """Objects whose names are all numbers are lists."""
    if not isinstance(made, dict):
        return made
    inner = {name: _listed(value) for name, value in made.items()}
    if isinstance(made, _Group) and not inner:
        return None
    if (inner or isinstance(made, _Rows)) and all(re.fullmatch(r"[0-9]{1,4}", name) for name in inner):
        return [inner[name] for name in sorted(inner, key=int)][:MOST_IN_LIST]
    return inner
