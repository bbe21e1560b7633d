"""What travels when a person's data is handed out or taken away; for the kernel's routes and those of plugins."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from kernel.wire import Line, Request


class EraseRequest(Request, frozen=True, kw_only=True):
    """Why somebody is erased. Do not name them here: the reason stays in the audit trail."""

    reason: Annotated[Line, Meta(min_length=3, examples=["asked for it in writing"])]


class Erasure(Struct, frozen=True):
    """What was done: table → rows changed; and `table.column` → why what it holds was kept."""

    changed: Annotated[dict[str, int], Meta(examples=[{"kernel_user": 1}])]
    kept: dict[str, str]
