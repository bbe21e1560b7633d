"""What a plugin's commands are built of, in its `commands.py`: the deployment's deeds and reads, and what is printed.

@click.group()
def shelf() -> None:
    \"\"\"Look after shelves.\"\"\"

@shelf.command("count")
@click.option("--business", required=True, help="Slug of the business.")
@json_option
def count_shelves(business: str, as_json: bool) -> None:
    \"\"\"Count the shelves.\"\"\"
    found = read(how_many, business=business)
    say(as_json, {"shelves": found}, [f"{found} shelves"])
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.auth import act, look
from kernel.cli.main import run
from kernel.cli.plugins import business_named
from kernel.cli.saying import json_option, say
from kernel.work import Work

__all__ = ["do", "json_option", "read", "run", "say"]

T = TypeVar("T")
Deed = Callable[[Work], Awaitable[T]]


def do(deed: Deed[T], *, name: str, business: str | None = None) -> T:
    """Do one deed on the deployment that the environment describes, as Duka itself, to its commit.

    name: what the trail calls it. business: a slug; None: above all businesses. Raises what the deed raises, and
    LookupError for a slug of nobody's.
    """

    async def done() -> T:
        async with opened(settings_of(), patient=False, settle=True) as deployment:
            whose = None if business is None else await business_named(deployment, business)
            return await act(deployment, whose, deed, deed=name)

    return run(done())


def read(deed: Deed[T], *, business: str | None = None) -> T:
    """Read in one snapshot, as Duka itself. business: as in `do`."""

    async def seen() -> T:
        async with opened(settings_of(), patient=False, settle=True) as deployment:
            whose = None if business is None else await business_named(deployment, business)
            return await look(deployment, whose, deed)

    return run(seen())
