"""The idempotency key of a request: whose it is, of which route, and what was asked with it."""

from __future__ import annotations

import hmac
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from kernel.errors import IdempotencyKeyInvalid, IdempotencyKeyRequired
from kernel.web.routes import Route
from kernel.work import Deployment, Key

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}\Z")


def key_of(
    route: Route,
    headers: Mapping[str, str],
    asked: tuple[Mapping[str, str], Any],
    who: uuid.UUID | None,
    at: Deployment,
) -> Key | None:
    """The key that was sent, where the route reads one. asked: what the path holds, and the body as plain values.

    Raises IdempotencyKeyRequired where money or stock moves, IdempotencyKeyInvalid.
    """
    if not route.takes_key:
        return None
    said = headers.get("idempotency-key")
    if said is None:
        if route.moves:
            raise IdempotencyKeyRequired
        return None
    if not _KEY.match(said):
        raise IdempotencyKeyInvalid("1 to 255 printable ASCII characters, no spaces")
    canonical = json.dumps([dict(asked[0]), asked[1]], sort_keys=True, separators=(",", ":"))
    # Keyed, since a body may hold a password: from the hash of a known rest it could be guessed.
    digest = hmac.digest(at.secret.encode(), canonical.encode(), "sha256")
    return Key(who or uuid.UUID(int=0), f"{route.method} {route.path}", said, digest)
