"""What `duka dev` prints: a line for each call, or a JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import click
import msgspec

from kernel.kit.developing.faults import Trouble
from kernel.kit.developing.tracing import Call, Change, Turn

MOST: Final = 12
"""Calls of one hook in one request that are told each by its line; of the others their number and time."""


class Teller:
    """Prints to standard output; colours stay away where it is no terminal. as_json: one object a line."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, event: str, words: Iterable[str], *, colour: str | None = None, **facts: Any) -> None:
        """Something that is no call: `ready`, `reload`, `broken`, `warning`."""
        if self.as_json:
            self._object({"event": event, **facts})
            return
        for line in words:
            click.secho(line, fg=colour)

    def trouble(self, words: str, trouble: Trouble) -> None:
        """What keeps the plugin from being served."""
        first, *rest = trouble.lines()
        self.say(
            "broken", [f"✗ {words}: {first}", *(f"  {one}" for one in rest)], colour="red", what=words, trouble=trouble
        )

    def turn(self, turn: Turn) -> None:
        """A request with its calls."""
        request = {"method": turn.method, "path": turn.path, "status": turn.status, "ms": round(turn.ms, 2)}
        if self.as_json:
            for call in turn.calls:
                told = msgspec.to_builtins(call)
                told["ms"] = round(call.ms, 3)
                self._object({"event": "call", **told, "request": request if turn.method else None})
            return
        if turn.method:
            click.secho(f"{turn.method} {turn.path} → {turn.status}, {turn.ms:.0f} ms", bold=True)
        for line in _calls(turn.calls):
            click.echo(line)

    def _object(self, facts: dict[str, Any]) -> None:
        click.echo(msgspec.json.encode(facts).decode())


def _calls(calls: list[Call]) -> Iterator[str]:
    told: dict[tuple[str, str], int] = {}
    left: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        pair = (call.plugin, call.hook)
        told[pair] = told.get(pair, 0) + 1
        if told[pair] > MOST and call.failed is None:
            left.setdefault(pair, []).append(call)
        else:
            yield from _call(call)
    for (plugin, hook), some in left.items():
        spent = sum(one.ms for one in some)
        yield click.style(f"  {hook:14} {plugin:10} … {len(some)} more, {spent:.2f} ms together", dim=True)


def _call(call: Call) -> Iterator[str]:
    start = f"  {click.style(f'{call.hook:14}', fg='cyan')} {call.plugin:10} {call.asked}"
    ms = click.style(f"{call.ms:.2f} ms", dim=True)
    if call.failed is None:
        colour = None if call.answered != "nothing" else "bright_black"
        did = [click.style(_change(one), fg="green", bold=True) for one in _shown(call.changed)]
        did += [click.style(one, fg="green") for one in call.declared]
        yield f"{start} → {'  '.join([click.style(call.answered, fg=colour), ms, *did])}"
        return
    first, *rest = call.failed.lines()
    yield f"{start} {click.style(f'✗ {first}', fg='red', bold=True)}  {ms}"
    yield from (click.style(f"    {one}", fg="red") for one in rest)


def _shown(changed: tuple[Change, ...]) -> list[Change]:
    """What is told of the changes: each line that one rule touched, up to three."""
    return list(changed[:3])


def _change(one: Change) -> str:
    where = f"line {one.line}: " if one.line else ""
    return f"{where}{one.before or 'nothing'} → {one.after}"
