"""duka personal: people in the data; accounts erased, and people erased again after a restore."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.auth import act, look
from kernel.auth.accounts.erasing import USER, account_of, erase_account
from kernel.cli.main import duka, run
from kernel.cli.saying import json_option, say
from kernel.db.tables import Business
from kernel.errors import DukaError
from kernel.personal import Tombstone, erase_person, find_again, tombstones
from kernel.settings import Settings
from kernel.work import NO_BUSINESS, Deployment, Work

AGAIN = "erased before; came back with a backup"


@duka.group()
def personal() -> None:
    """Erase accounts; after a restore, erase again who was erased since the backup."""


@personal.command("erase-account")
@click.argument("email")
@click.option("--reason", required=True, help="Why; it stays in the audit trail, so do not name them.")
@json_option
def erase_account_of(email: str, reason: str, as_json: bool) -> None:
    """Erase the account of EMAIL from the deployment, for good. Refused while they work somewhere."""
    run(_erase_account(settings_of(), email, reason))
    say(as_json, {"erased": 1}, ["The account is erased"])


@personal.command("tombstones")
@json_option
def print_tombstones(as_json: bool) -> None:
    """Print who was erased, as hashes, one JSON document a line. Keep it apart from the backups of the database.

    With --json they are one document, which `erase-again` does not read.
    """
    found = run(_tombstones(settings_of()))
    say(as_json, {"tombstones": found}, (msgspec.json.encode(stone).decode() for stone in found))


@personal.command("erase-again")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def erase_again(file: Path | None, as_json: bool) -> None:
    """After a restore: erase everybody again who has a tombstone, in the database or in FILE."""
    stones = [msgspec.json.decode(line, type=Tombstone) for line in file.read_bytes().splitlines()] if file else []
    done, refused = run(_erase_again(settings_of(), stones))
    say(as_json, {"erased": done, "refused": refused}, [f"{done} erased again", *(f"✗ {line}" for line in refused)])
    if refused:
        sys.exit(1)


async def _erase_account(settings: Settings, email: str, reason: str) -> None:
    async with opened(settings) as deployment:
        await erase_account(deployment, await account_of(deployment, email), reason=reason)


async def _tombstones(settings: Settings) -> list[Tombstone]:
    async with opened(settings) as deployment:
        return [stone for business in await _everywhere(deployment) for stone in await _of(deployment, business)]


async def _erase_again(settings: Settings, more: list[Tombstone]) -> tuple[int, list[str]]:
    async with opened(settings) as deployment:
        return await erase_everybody_again(deployment, more)


async def erase_everybody_again(deployment: Deployment, more: list[Tombstone]) -> tuple[int, list[str]]:
    """Erase who is there and has a tombstone, here or in `more`; returns how many, and who was refused and why."""
    done, refused = 0, []
    for business in await _everywhere(deployment):
        stones = [*await _of(deployment, business), *more]
        found = await look(deployment, _or_none(business), lambda work, stones=stones: find_again(work, stones))  # type: ignore[misc]
        for kind, person in found:
            try:
                await _erase_one(deployment, business, kind, person)
                done += 1
            except DukaError as fault:
                refused.append(f"{kind} {person}: {fault.detail}")
    return done, refused


async def _erase_one(deployment: Deployment, business: uuid.UUID, kind: str, person: uuid.UUID) -> None:
    if kind == USER:
        await erase_account(deployment, person, reason=AGAIN, though_at_work=True)
        return

    async def erase(work: Work) -> None:
        await erase_person(work, kind, person, reason=AGAIN)

    await act(deployment, _or_none(business), erase, deed="erase again")


async def _everywhere(deployment: Deployment) -> list[uuid.UUID]:
    async def read(work: Work) -> list[uuid.UUID]:
        return list((await work.execute(sa.select(Business.id).order_by(Business.id))).scalars().all())

    return [*await look(deployment, None, read), NO_BUSINESS]


async def _of(deployment: Deployment, business: uuid.UUID) -> list[Tombstone]:
    return await look(deployment, _or_none(business), tombstones)


def _or_none(business: uuid.UUID) -> uuid.UUID | None:
    return None if business == NO_BUSINESS else business
