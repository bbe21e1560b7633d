"""The `duka` command and its subcommands' common ground."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import click

from kernel import VERSION, logs
from kernel.db import trouble_of
from kernel.errors import DukaError, SettingsFault
from kernel.migrate import MigrationFailed
from kernel.settings import Settings, load_settings

T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="duka")
def duka() -> None:
    """Duka, a business system for shops. Settings come from DUKA_* variables or a .env file (see .env.example)."""


def main() -> NoReturn:
    """The entry point."""
    warnings.filterwarnings("ignore", module="advanced_alchemy")
    try:
        duka.main(standalone_mode=False)
    except click.ClickException as fault:
        fault.show()
        sys.exit(2)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except SettingsFault as fault:
        click.echo(f"duka: {fault}", err=True)
        sys.exit(2)
    except (DukaError, MigrationFailed, LookupError, OSError) as fault:
        click.echo(f"duka: {fault}", err=True)
        sys.exit(1)
    except Exception as fault:
        if trouble_of(fault) is None:
            raise
        said = str(getattr(fault, "orig", fault)).partition("\n")[0]
        click.echo(f"duka: the database refuses: {said}; `duka init` creates it or brings it up to date", err=True)
        sys.exit(1)
    sys.exit(0)


def settings_of(**given: Any) -> Settings:
    """The settings, checked, with logging set up by them."""
    settings = load_settings(**given)
    logs.never_show(*settings.secrets().values())
    logs.set_up(settings.log_level, settings.log_format)
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(work)
