"""python -m examples.online_retail FILE --url http://127.0.0.1:8400 --email … --password … [--day DAY | --all]."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import httpx

from examples.online_retail.books import compare, table
from examples.online_retail.client import Client, Refused
from examples.online_retail.reading import Invoice, NotTheFile, read_clean
from examples.online_retail.replay import Replay

FIRST_DAY = date(2010, 12, 1)


def main() -> int:
    """Read, replay, compare; 0 when every figure is as expected."""
    said = _arguments()
    day = None if said.all else said.day
    slug = said.slug or ("online-retail" if day is None else f"online-retail-{day}")
    try:
        invoices = read_clean(said.file, day)
        if not invoices:
            raise NotTheFile(f"no clean invoice on {day}")
        return asyncio.run(_replay(invoices, slug, said))
    except* (NotTheFile, OSError, Refused, httpx.HTTPError) as faults:
        print(f"\n{_first(faults)}", file=sys.stderr)
    return 1


async def _replay(invoices: Sequence[Invoice], slug: str, said: argparse.Namespace) -> int:
    started = time.monotonic()
    limits = httpx.Limits(max_connections=said.concurrency)
    async with httpx.AsyncClient(base_url=said.url, timeout=60, limits=limits) as http:
        client = Client(http)
        await client.sign_in(said.email, said.password)
        rung = await Replay(client, slug, said.concurrency, _show).run(invoices)
        rows = await compare(client, invoices, rung)
    print(table(rows))
    print(f"{time.monotonic() - started:.1f} s, business {slug}")
    return int(any(row.differs for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.online_retail", description="Replay a real shop's sales.")
    parser.add_argument("file", type=Path, help="the transactions, as CSV or packed with gzip")
    parser.add_argument("--url", default="http://127.0.0.1:8400")
    parser.add_argument("--email", required=True, help="of an operator of the deployment")
    parser.add_argument("--password", required=True)
    span = parser.add_mutually_exclusive_group()
    span.add_argument("--day", type=date.fromisoformat, default=FIRST_DAY, help=f"one day (default {FIRST_DAY})")
    span.add_argument("--all", action="store_true", help="the whole year")
    parser.add_argument("--slug", help="the business; each span has one of its own")
    parser.add_argument("--concurrency", type=int, default=8, help="requests at a time (default 8)")
    return parser.parse_args()


def _show(what: str, done: int, out_of: int) -> None:
    """One line of progress for each kind of thing; on a terminal it moves."""
    moving = sys.stderr.isatty()
    if moving or done == out_of:
        end = "\n" if done == out_of else ""
        print(f"{chr(13) if moving else ''}{what} {done:,} of {out_of:,}", end=end, file=sys.stderr, flush=True)


def _first(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of the faults: when one task fails, others may too."""
    fault: BaseException = faults
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault


if __name__ == "__main__":
    sys.exit(main())
