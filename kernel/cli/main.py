"""The `duka` command and its subcommands' common ground."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import warnings
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import click

from kernel import VERSION
from kernel.cli.contributed import Commands
from kernel.db import trouble_of
from kernel.errors import DukaError, SettingsFault
from kernel.migrate import MigrationFailed

T = TypeVar("T")
DONE, FAILED, MISUSED = 0, 1, 2
"""The exit codes: done; refused, failed or interrupted; wrong usage or settings."""


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit codes: 0 done; 1 refused, failed, interrupted, or a check found something; 2 wrong usage or settings.",
)
@click.version_option(VERSION, prog_name="duka")
def duka() -> None:
    """Duka, a business system for shops. Settings come from DUKA_* variables or a .env file (see .env.example)."""


def main() -> NoReturn:
    """The entry point."""
    warnings.filterwarnings("ignore", module="advanced_alchemy")
    try:
        duka.main(standalone_mode=False, prog_name="duka")
    except click.ClickException as fault:
        fault.show()
        sys.exit(MISUSED)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(FAILED)
    except SettingsFault as fault:
        click.echo(f"duka: {fault}", err=True)
        sys.exit(MISUSED)
    except (DukaError, MigrationFailed, LookupError, OSError) as fault:
        click.echo(f"duka: {fault}", err=True)
        sys.exit(FAILED)
    except Exception as fault:
        if trouble_of(fault) is None:
            raise
        said = str(getattr(fault, "orig", fault)).partition("\n")[0]
        click.echo(f"duka: the database refuses: {said}; `duka init` creates it or brings it up to date", err=True)
        sys.exit(FAILED)
    sys.exit(DONE)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end; Ctrl-C and SIGTERM cancel it, so that it leaves nothing half done."""
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(work)
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        return asyncio.run(work)
    finally:
        signal.signal(signal.SIGTERM, before)
