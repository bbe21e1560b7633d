"""Fields of a form from a JSON Schema: what a plugin's Struct of settings, or a gateway's, asks people for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_DEEPEST: Final = 2
_LONG: Final = 300
Field = dict[str, Any]
"""name: of the form, as it is meant. kind: text, long, secret, number, yes, choice, choices, list, json, date, rows or
group.

Besides label, hint, value, options, required, is_main (it has no default), is_set (of secrets); rows and blank hold the
fields of a list, group those of an object.
"""


def fields_of(
    schema: Mapping[str, Any], values: Mapping[str, Any], secrets: Mapping[str, bool], at: str
) -> list[Field]:
    """The fields of an object's schema. at: what their names begin with, such as `values`.

    values: as they stand. secrets: name → whether it is set; their values are never known.
    """
    root = _resolved(schema, schema)
    return _fields(root, schema, values, secrets, at, optional=False, depth=0)


def words_of(schema: Mapping[str, Any]) -> str:
    """What the Struct says of itself, its first paragraph."""
    said = str(_resolved(schema, schema).get("description", ""))
    return " ".join(said.partition("\n\n")[0].split())


def _fields(
    kind: Mapping[str, Any],
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    secrets: Mapping[str, bool],
    at: str,
    *,
    optional: bool,
    depth: int,
) -> list[Field]:
    required = () if optional else kind.get("required", ())
    return [
        _field(name, said, schema, _held(values, name, said), secrets, at, required=name in required, inside=depth)
        for name, said in kind.get("properties", {}).items()
    ]


def _held(values: Mapping[str, Any], name: str, said: Mapping[str, Any]) -> Any:
    return values[name] if name in values else said.get("default")


def _field(
    name: str,
    said: Mapping[str, Any],
    schema: Mapping[str, Any],
    value: Any,
    secrets: Mapping[str, bool],
    at: str,
    *,
    required: bool,
    inside: int,
) -> Field:
    kind, is_nullable = _without_null(said, schema)
    label = said.get("title") or kind.get("title" if "properties" not in kind else "", "") or _spelt(name)
    hint = said.get("description") or ("" if "properties" in kind else kind.get("description", ""))
    made: Field = {
        **{"at": f"{at}.{name}", "label": label, "hint": " ".join(str(hint).partition("\n\n")[0].split())},
        **{
            "value": value,
            "required": required,
            "is_main": required,
            "options": [],
            "is_set": False,
            "mark": "",
            "inputmode": "",
        },
        **{"most": kind.get("maxLength", 0), "example": (kind.get("examples") or [""])[0]},
    }
    empty = "opt" if inside else "null"
    if name in secrets or kind.get("format") == "password":
        made |= {"kind": "secret", "mark": "opt", "is_set": secrets.get(name, False)}
        made["required"] = required and not made["is_set"]
        made["can_forget"] = made["is_set"] and not required
    elif "enum" in kind:
        made |= {"kind": "choice", "options": _options(kind)}
        made |= {"mark": "" if required else empty, "has_none": is_nullable or (inside and not required)}
    else:
        made |= _of_type(kind, schema, value, made, empty=empty, required=required, inside=inside)
    made["name"] = f"{made['at']}:{made['mark']}" if made["mark"] else made["at"]
    return made


def _of_type(
    kind: Mapping[str, Any],
    schema: Mapping[str, Any],
    value: Any,
    made: Field,
    *,
    empty: str,
    required: bool,
    inside: int,
) -> Field:
    match kind.get("type"):
        case "boolean":
            return {"kind": "yes", "mark": "bool"}
        case "integer":
            return {"kind": "number", "mark": "int" if required else f"int{empty}", "inputmode": "numeric"}
        case "string":
            is_date = kind.get("format") == "date"
            is_figure = "0|[1-9]" in kind.get("pattern", "")
            long = kind.get("maxLength", 0) > _LONG
            shape = "date" if is_date else "long" if long else "text"
            return {
                "kind": shape,
                "mark": "" if required else empty,
                "inputmode": "decimal" if is_figure else "",
            }
        case "array":
            return _of_list(kind, schema, value, made["at"], inside)
        case "object" if "properties" in kind and inside < _DEEPEST:
            inner = _fields(kind, schema, value or {}, {}, made["at"], optional=not required, depth=inside + 1)
            return {"kind": "group", "group": inner, "mark": "group"}
    return {"kind": "json", "mark": "json"}


def _of_list(kind: Mapping[str, Any], schema: Mapping[str, Any], value: Any, at: str, inside: int) -> Field:
    item, _ = _without_null(kind.get("items", {}), schema)
    if "enum" in item:
        return {"kind": "choices", "mark": "list", "value": list(value or ()), "options": _options(item)}
    if item.get("type") == "string":
        return {"kind": "list", "mark": "list", "value": "\n".join(map(str, value or ()))}
    if "properties" not in item or inside:
        return {"kind": "json", "mark": "json"}

    def row(place: str, held: Mapping[str, Any]) -> list[Field]:
        return _fields(item, schema, held, {}, f"{at}.{place}", optional=False, depth=1)

    rows: Sequence[Any] = value or ()
    return {
        "kind": "rows",
        "mark": "rows",
        "rows": [row(str(place), held) for place, held in enumerate(rows)],
        "blank": row("__n__", {}),
        "row_label": item.get("title", ""),
    }


def _options(kind: Mapping[str, Any]) -> list[tuple[Any, str]]:
    return [(one, _spelt(str(one))) for one in kind["enum"]]


def _without_null(said: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """A schema without its alternative null, references followed, and whether it had that."""
    kind = _resolved(said, schema)
    several = kind.get("anyOf")
    if not several:
        return kind, False
    others = [_resolved(one, schema) for one in several if one.get("type") != "null"]
    is_nullable = len(others) < len(several)
    if len(others) != 1:
        return {**kind, "type": ""}, is_nullable
    return {**others[0], **{name: one for name, one in kind.items() if name != "anyOf"}}, is_nullable


def _resolved(said: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = said.get("$ref", "")
    found = schema.get("$defs", {}).get(reference.rpartition("/")[2]) if reference else None
    return {**found, **{name: one for name, one in said.items() if name != "$ref"}} if found else said


def _spelt(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
