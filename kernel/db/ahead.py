"""What begins a transaction on PostgreSQL, sent ahead of its first statement: one round trip for both.

The messages are of the protocol's extended form and are followed by no Sync, so the server answers them together with
the statement behind them. They return no rows, and asyncpg passes over all they answer but an error, which becomes the
statement's. See docs/decisions/0026-a-read-begins-with-its-first-statement.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_WHOLE = (0).to_bytes(4, "big")
_NONE = (0).to_bytes(2, "big")


def messages(statements: Iterable[str]) -> bytes:
    """Statements without parameters as they travel ahead; none of them may return a row."""
    return b"".join(map(_messages, statements))


def send(driver: Any, message: bytes) -> None:
    """Put messages on an asyncpg connection's way; whatever it sends next must follow without a pause."""
    driver._transport.write(message)


def _messages(statement: str) -> bytes:
    parse = _message(b"P", b"\0" + statement.encode() + b"\0" + _NONE)
    return parse + _BIND + _EXECUTE


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


_BIND = _message(b"B", b"\0\0" + 3 * _NONE)
_EXECUTE = _message(b"E", b"\0" + _WHOLE)
