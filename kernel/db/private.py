"""Columns that are kept to themselves: secrets never leave the database; personal data never enter the audit trail."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

_SECRET = re.compile(r"(^|_)(password|passphrase|secret|token|hash|pin|totp|recovery)(_|$)")


def is_secret(column: sa.Column[Any]) -> bool:
    """Whether a column holds a secret or its hash: marked so in `info`, stored as bytes, or called so.

    `info={"secret": False}` says of a column called so that it is none.
    """
    marked = column.info.get("secret")
    if marked is not None:
        return bool(marked)
    if _declared(column) == "Secret":
        return True
    return isinstance(column.type, sa.LargeBinary) or bool(_SECRET.search(column.name))


def is_personal(column: sa.Column[Any]) -> bool:
    """Whether a column is declared, in its `info["personal"]`, to hold a person's data, or to carry anybody's."""
    return _declared(column) in ("Personal", "Carries")


def _declared(column: sa.Column[Any]) -> str:
    return type(column.info.get("personal")).__name__


def needed_for(column: sa.Column[Any]) -> str | None:
    """The permission without which nobody sees a column: `info={"permission": "catalog.see_cost"}`."""
    said: str | None = column.info.get("permission")
    return said
