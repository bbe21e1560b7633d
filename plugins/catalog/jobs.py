"""What catalog does in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from kernel.jobs import job
from kernel.work import Work
from plugins.catalog.services import importing, kept_edits
from plugins.catalog.services.keys import forget_words

FORGET_WORDS = "catalog.forget_words"


@job(importing.JOB)
async def apply_import(work: Work, payload: Mapping[str, Any]) -> None:
    """Apply the next part of a table of products."""
    await importing.apply_part(work, UUID(payload["import_id"]))


@job("catalog.forget_imports", cron="41 3 * * *")
async def forget_imports(work: Work, _payload: Mapping[str, Any]) -> None:
    """Delete what is left of imports a week later."""
    await importing.forget_imports(work)


@job("catalog.forget_edits", cron="47 3 * * *")
async def forget_edits(work: Work, _payload: Mapping[str, Any]) -> None:
    """Delete changes of many products that are too old to be undone."""
    await kept_edits.forget_edits(work)


@job(FORGET_WORDS, cron="53 3 * * *")
async def forget_unused_words(work: Work, _payload: Mapping[str, Any]) -> None:
    """Delete words of names that no product has any more, some at a time."""
    if await forget_words(work):
        work.later(FORGET_WORDS, {})
