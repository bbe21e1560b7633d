"""Anchors: the head of each chain once a day, kept where nobody who holds the database can change it afterwards.

An anchor is stored, written to `audit-anchors.jsonl` below the deployment's home (a file that is only added to) and to
the log. Copied to paper, a mailbox or another machine, it proves the chain up to its number.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import uuid
from pathlib import Path

import msgspec
import sqlalchemy as sa

from kernel.db import Prepared
from kernel.db.tables import AuditAnchor, AuditSeal
from kernel.settings import Settings
from kernel.work import Work

log = logging.getLogger("duka.audit")
_S, _N = AuditSeal.__table__.c, AuditAnchor.__table__.c
_business = sa.bindparam("business_id", type_=sa.Uuid())
_HEAD = Prepared(sa.select(_S.number, _S.hash).where(_S.business_id == _business).order_by(_S.number.desc()).limit(1))
_OF_DAY = Prepared(sa.select(_N.day).where(_N.business_id == _business, _N.day == sa.bindparam("day", type_=sa.Date())))
_ALL = Prepared(
    sa.select(_N.day, _N.number, _N.hash, _N.anchored_at).where(_N.business_id == _business).order_by(_N.day)
)


class Anchor(msgspec.Struct, frozen=True):
    """The chain of a business had `number` rows, the last of which hashed to `hash` (hexadecimal)."""

    business_id: uuid.UUID
    business: str
    day: dt.date
    number: int
    hash: str
    anchored_at: dt.datetime


async def head_of(work: Work) -> Anchor | None:
    """The head of the chain as it is now; None before anything was sealed."""
    row = await work.one(_HEAD)
    if row is None:
        return None
    return Anchor(work.business_id, _slug(work), _today(work), row.number, bytes(row.hash).hex(), work.now)


async def anchor_day(work: Work) -> Anchor | None:
    """Anchor the business day that is over, once; returns the anchor if one was made."""
    day = _today(work) - dt.timedelta(days=1)
    if await work.one(_OF_DAY, day=day) is not None:
        return None
    head = await head_of(work)
    if head is None:
        return None
    anchor = msgspec.structs.replace(head, day=day)
    row = {"day": day, "number": anchor.number, "hash": bytes.fromhex(anchor.hash), "anchored_at": work.now}
    work.insert(AuditAnchor, row)
    await work.flush()  # of two processes that anchor one day, the second stops here
    await asyncio.to_thread(write_anchor, anchor_file(work.deployment.settings), anchor)
    log.info("anchor of %s for %s: row %d, %s", anchor.business or "the deployment", day, anchor.number, anchor.hash)
    return anchor


async def anchors_of(work: Work) -> list[Anchor]:
    """The stored anchors of the business, oldest first."""
    return [
        Anchor(work.business_id, _slug(work), row.day, row.number, bytes(row.hash).hex(), row.anchored_at)
        for row in await work.fetch(_ALL)
    ]


def anchor_file(settings: Settings) -> Path:
    """Where the deployment writes its anchors."""
    return settings.home_path / "audit-anchors.jsonl"


def write_anchor(path: Path, anchor: Anchor) -> None:
    """Add one line to the file, whole, and see it on disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(handle, msgspec.json.encode(anchor) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def read_anchor_file(path: Path) -> list[Anchor]:
    """The anchors of a file. Raises ValueError naming a line that cannot be read."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(msgspec.json.decode(line, type=Anchor))
        except msgspec.DecodeError as fault:
            raise ValueError(f"{path}, line {number}: {fault}") from fault
    return found


def _slug(work: Work) -> str:
    return work.standing.shop.slug if work.standing.shop else ""


def _today(work: Work) -> dt.date:
    shop = work.standing.shop
    return work.now.astimezone(shop.tz if shop else dt.UTC).date()
