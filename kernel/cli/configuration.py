"""duka config: the settings in force and where each comes from; duka completion: for the shell."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import click
from click.shell_completion import get_completion_class

from kernel.cli.main import duka
from kernel.cli.saying import json_option, say
from kernel.logs import STRUCK
from kernel.settings import PREFIX, Settings, load_with_sources

DEFAULT = "default"
SHELLS = ("bash", "zsh", "fish")


@duka.command("config")
@json_option
def show_config(as_json: bool) -> None:
    """Show the settings in force and where each comes from. Secrets are hidden, passwords within URLs too."""
    settings, sources = load_with_sources()
    facts = {
        name: {"value": shown(settings, name), "from": sources.get(name, DEFAULT)}
        for name in settings.__struct_fields__
    }
    lines = [f"{PREFIX}{name.upper():26} {_text(one['value']):44} {one['from']}" for name, one in facts.items()]
    used = {"home": str(settings.home_path), "database": without_password(settings.url)}
    lines += ["", *(f"{name + ' used':31} {value}" for name, value in used.items())]
    say(as_json, {"settings": facts, "used": used}, lines)


@duka.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for a shell: eval "$(duka completion bash)"."""
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - one of SHELLS
    click.echo(found(duka, {}, "duka", "_DUKA_COMPLETE").source())


def shown(settings: Settings, name: str) -> Any:
    """The value of a setting as it may be shown."""
    value = getattr(settings, name)
    if name not in settings.secrets():
        return value
    return without_password(value) if name.endswith("_url") else STRUCK


def without_password(url: str) -> str:
    """A URL with its user's name and password struck out, and anything behind `?` but a host."""
    if not url:
        return url
    parts = urlsplit(url)
    if "@" in parts.netloc:
        parts = parts._replace(netloc=f"{STRUCK}@{parts.netloc.rpartition('@')[2]}")
    kept = [one for one in parts.query.split("&") if one.startswith(("host=", "ssl=")) or not one]
    hidden = [] if len(kept) == len(parts.query.split("&")) else [STRUCK]
    said = f"{parts.scheme}://{parts.netloc}{parts.path}"
    query = "&".join([*filter(None, kept), *hidden])
    return f"{said}?{query}" if query else said


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
