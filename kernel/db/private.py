"""Columns that are kept to themselves: secrets never leave the database; personal data never enter the audit trail."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from kernel.db.personal import INFO, Carries, Personal, Secret

_SECRET = re.compile(r"(^|_)(password|passphrase|secret|token|hash|pin|totp|recovery)(_|$)")


def is_secret(column: sa.Column[Any]) -> bool:
    """Whether a column holds a secret or its hash: marked so in `info`, stored as bytes, or called so.

    `info={"secret": False}` says of a column called so that it is none.
    """
    marked = column.info.get("secret")
    if marked is not None:
        return bool(marked)
    return (
        isinstance(column.info.get(INFO), Secret)
        or isinstance(column.type, sa.LargeBinary)
        or bool(_SECRET.search(column.name))
    )


def is_personal(column: sa.Column[Any]) -> bool:
    """Whether a column is declared to hold a person's data, or to carry anybody's."""
    return isinstance(column.info.get(INFO), Personal | Carries)


def needed_for(column: sa.Column[Any]) -> str | None:
    """The permission without which nobody sees a column: `info={"permission": "catalog.see_cost"}`."""
    said: str | None = column.info.get("permission")
    return said
