"""The header `X-Approval`, and the request for approval that a refused deed leaves behind."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from kernel.errors import BadRequest

HEADER = "X-Approval"
ASK = "ask"
MOST = 5


def read_header(headers: Mapping[str, str]) -> tuple[tuple[uuid.UUID, ...], bool]:
    """The approvals a request names, and whether it says `ask`. Raises BadRequest."""
    said = headers.get(HEADER.lower())
    if said is None:
        return (), False
    if said.strip().lower() == ASK:
        return (), True
    try:
        named = tuple(uuid.UUID(one.strip()) for one in said.split(","))
    except ValueError as fault:
        raise BadRequest(f"{HEADER}: ids of approvals with commas between, or `{ASK}`") from fault
    if len(named) > MOST:
        raise BadRequest(f"{HEADER}: at most {MOST} approvals")
    return named, False
