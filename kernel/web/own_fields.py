"""Fields of a business's own in its OpenAPI document: what `custom` holds, and by what lists are filtered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kernel.custom import Field
from kernel.custom.values import MOST_LETTERS, RANGED
from kernel.wire import CUSTOM

Own = Mapping[str, Sequence[Field]]
"""Entity → the fields a business has given it."""
_MARK = f"x-{CUSTOM}"
_NUMBER = "^-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?$"


def with_own_fields(part: Any, own: Own) -> Any:
    """A document, or a part of it, with the fields wherever the values of an entity stand."""
    if isinstance(part, list):
        return [with_own_fields(one, own) for said in part for one in _parameters(said, own)]
    if not isinstance(part, dict):
        return part
    if isinstance(entity := part.get(_MARK), str):
        properties = {one.key: _schema(one) | _nullable(one) for one in own.get(entity, ())}
        return part | {"type": "object", "properties": properties, "additionalProperties": False}
    return {name: with_own_fields(inner, own) for name, inner in part.items()}


def _parameters(said: Any, own: Own) -> Iterator[Any]:
    """A parameter; in the place of one that filters by fields of the business's own, one for each of them."""
    schema = said.get("schema") if isinstance(said, dict) else None
    if not isinstance(schema, dict) or said.get("in") != "query" or _MARK not in schema:
        yield said
        return
    for one in own.get(schema[_MARK], ()):
        for side in ("", ".from", ".to") if one.kind in RANGED else ("",):
            named = {"name": f"{said['name']}.{one.key}{side}", "in": "query", "required": False}
            yield named | {"schema": _schema(one), "description": one.label}


def _schema(field: Field) -> dict[str, Any]:
    """The schema of a field's values."""
    said: dict[str, Any] = {"title": field.label, "type": "boolean" if field.kind == "bool" else "string"}
    match field.kind:
        case "text":
            return said | {"minLength": 1, "maxLength": MOST_LETTERS}
        case "number":
            return said | {"pattern": _NUMBER}
        case "date":
            return said | {"format": "date"}
        case "choice":
            return said | {"enum": list(field.choices)}
        case "reference":
            return said | {"format": "uuid", "description": f"The id of a {field.refers_to}."}
    return said


def _nullable(field: Field) -> dict[str, Any]:
    """In a body a value may be null: there is none, or it is taken away. What was there before a field was required
    may lack it.
    """
    found: dict[str, Any] = {"type": ["boolean" if field.kind == "bool" else "string", "null"]}
    if field.kind == "choice":
        found |= {"enum": [*field.choices, None]}
    return found | ({"description": "Required of what is added."} if field.is_required else {})
