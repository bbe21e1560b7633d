"""duka audit: verify the chains of the audit trail, seal and anchor them, print anchors."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import click
import msgspec

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.audit import (
    Anchor,
    Report,
    Sealer,
    anchors_of,
    clear_fault,
    note_broken,
    read_anchor_file,
    verify,
)
from kernel.auth import act, look
from kernel.auth.identity import standing_of_business
from kernel.cli.main import duka, run
from kernel.cli.plugins import business_named
from kernel.cli.saying import json_option, say
from kernel.settings import Settings
from kernel.work import NO_BUSINESS, Deployment, Work


@duka.group()
def audit() -> None:
    """The audit trail: verify its chains, seal and anchor them."""


@audit.command("verify")
@click.option("--business", help="Slug of one business; without it every chain, the deployment's own included.")
@click.option("--anchors", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of anchors.")
@json_option
def verify_chains(business: str | None, anchors: Path | None, as_json: bool) -> None:
    """Work out every hash anew; name the first row that was altered, deleted, inserted or reordered.

    Exit code 1 if there is one. Without --anchors only what the database itself still says can be compared: whoever
    rewrites a whole chain and its stored anchors is found by anchors kept elsewhere. What was found is told by
    /health/ready and /metrics until the next time.
    """
    try:
        given = read_anchor_file(anchors) if anchors else []
    except ValueError as fault:
        raise click.BadParameter(str(fault)) from fault
    reports = run(_verify(settings_of(), business, given))
    say(as_json, {"chains": reports}, map(_told, reports))
    if any(report.first for report in reports):
        sys.exit(1)


@audit.command("seal")
@json_option
def seal_chains(as_json: bool) -> None:
    """Seal every row that is not, and anchor the days that are over: what the server does by itself."""
    sealed, anchored = run(_seal(settings_of()))
    facts = {"rows_sealed": sealed, "chains_anchored": anchored}
    say(as_json, facts, [f"{sealed} rows sealed, {anchored} chains anchored"])


@audit.command("anchors")
@click.option("--business", help="Slug of one business; without it every chain, the deployment's own included.")
@json_option
def print_anchors(business: str | None, as_json: bool) -> None:
    """Print the stored anchors, one JSON document a line, to be mailed, printed or kept on another machine.

    With --json they are one document, which is no file of anchors.
    """
    found = run(_anchors(settings_of(), business))
    say(as_json, {"anchors": found}, (msgspec.json.encode(anchor).decode() for anchor in found))


def _told(report: Report) -> str:
    name = report.business or "the deployment"
    if report.first:
        return f"✗ {name}: {report.first.words}"
    more = f", {report.waiting} not sealed yet" if report.waiting else ""
    return f"✓ {name}: {report.sealed} rows{more}, {report.anchors} anchors, head {report.head}"


async def _verify(settings: Settings, slug: str | None, given: list[Anchor]) -> list[Report]:
    async with opened(settings) as deployment:
        chosen = await _chosen(deployment, slug)
        return [await _verify_one(deployment, one, given) for one in chosen]


async def _verify_one(deployment: Deployment, chosen: uuid.UUID | None, given: list[Anchor]) -> Report:
    """Verify one chain, and keep what was found for readiness and figures."""
    report = await look(deployment, chosen, lambda work: verify(work, given))
    fault = report.first

    async def note(work: Work) -> None:
        await (clear_fault(work) if fault is None else note_broken(work, fault.words))

    await act(deployment, chosen, note, audited=False)
    return report


async def _seal(settings: Settings) -> tuple[int, int]:
    async with opened(settings) as deployment:
        sealer = Sealer(deployment, standing_of_business)
        return await sealer.seal_all(), await sealer.anchor_all()


async def _anchors(settings: Settings, slug: str | None) -> list[Anchor]:
    async with opened(settings) as deployment:
        chosen = await _chosen(deployment, slug)
        return [anchor for one in chosen for anchor in await look(deployment, one, anchors_of)]


async def _chosen(deployment: Deployment, slug: str | None) -> list[uuid.UUID | None]:
    """The trails meant; None stands for the deployment's own."""
    if slug is not None:
        return [await business_named(deployment, slug)]
    known = await Sealer(deployment, standing_of_business).businesses()
    return [None if one == NO_BUSINESS else one for one in known]
