"""What reconciliation does in the background: fetches statements, holds them against the books, takes in files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from kernel.jobs import Call, job
from kernel.work import Work
from plugins.reconciliation.services import fetching, importing, matching, running


@job("reconciliation.fetch_all", cron="41 5,17 * * *")
async def fetch_all(work: Work, _payload: Mapping[str, Any]) -> None:
    """Have every account's statement fetched: often enough that nothing falls out of what a provider still tells."""
    await fetching.fetch_all(work)


@job(fetching.FETCH, limit_s=900)
async def fetch(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Fetch the statement of one source."""
    return await fetching.fetch(work, uuid.UUID(payload["source_id"]))


@job(matching.MATCH)
async def match(work: Work, payload: Mapping[str, Any]) -> None:
    """Hold the next lines of a source against the books."""
    await running.match_on(work, uuid.UUID(payload["source_id"]))


@job("reconciliation.close_days", cron="11 4 * * *")
async def close_days(work: Work, _payload: Mapping[str, Any]) -> None:
    """Look every day at what is past its grace, and anew at what nobody knew."""
    await running.close_all(work)


@job(importing.APPLY)
async def apply(work: Work, payload: Mapping[str, Any]) -> None:
    """Take in the next part of a file."""
    await importing.apply_part(work, uuid.UUID(payload["import_id"]))


@job("reconciliation.forget_imports", cron="23 3 * * *")
async def forget_imports(work: Work, _payload: Mapping[str, Any]) -> None:
    """Delete files that ended, or were left lying, a week ago."""
    await importing.forget_imports(work)
