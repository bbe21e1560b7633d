"""duka plugin record: a sale as a test that makes it again."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import click
import sqlalchemy as sa

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.recording import record
from kernel.auth import look
from kernel.cli.main import run
from kernel.cli.plugins import plugin
from kernel.cli.saying import json_option, say
from kernel.db.tables import Business
from kernel.errors import Conflict, NotFound
from kernel.kit.developing import read_project
from kernel.kit.faults import KitFault
from kernel.kit.recording import around, written
from kernel.settings import Settings
from kernel.work import Work


@plugin.command("record")
@click.argument("document_id", metavar="SALE_ID", type=click.UUID)
@click.option("--business", help="Slug of its business; default: the one that has it.")
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), help="The file; -: standard output.")
@click.option("--replace", is_flag=True, help="Replace the file.")
@json_option
def record_sale(document_id: uuid.UUID, business: str | None, into: Path | None, replace: bool, as_json: bool) -> None:
    """Write a test that makes the sale SALE_ID again: products, prices, taxes, customer, cart and discounts.

    The test expects what the sale came to, line by line and step by step. In a plugin's project it goes to the
    plugin's tests unless --into says otherwise; elsewhere it is printed. Customers have other names in it, and words
    that people wrote are left out.
    """
    title, text = run(_record(settings_of(), document_id, business))
    file = into if into is not None else _of_project(title)
    if file is None or str(file) == "-":
        click.echo(text, nl=False)
        return
    if file.exists() and not replace:
        raise Conflict(f"{file} is there already; --replace writes over it")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    say(as_json, {"file": str(file), "recorded": title}, [f"{title} is in {file}"])


def _of_project(title: str) -> Path | None:
    try:
        project = read_project(Path())
    except KitFault:
        return None
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return project.source / "tests" / f"test_{name}.py"


async def _record(settings: Settings, document_id: uuid.UUID, slug: str | None) -> tuple[str, str]:
    """What was recorded, in words, and the test."""
    async with opened(settings) as deployment:

        async def businesses(work: Work) -> list[uuid.UUID]:
            wanted = sa.select(Business.id).where(Business.slug == slug if slug else sa.true()).order_by(Business.id)
            return list((await work.execute(wanted)).scalars())

        async def read(work: Work) -> tuple[str, str]:
            found = await record(work, document_id)
            return found.whole().title, written(found, await around(work, found))

        known = await look(deployment, None, businesses)
        if slug and not known:
            raise NotFound(f"There is no business called {slug}")
        for business in known:
            try:
                return await look(deployment, business, read)
            except NotFound:
                continue
            except KitFault as fault:
                raise Conflict(str(fault)) from fault
        raise NotFound(f"No sale here has the id {document_id}")
