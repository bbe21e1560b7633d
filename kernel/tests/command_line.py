"""The command line in the tests' own process: to start one and load Duka into it takes a second and more.

That the command starts as a process, and ends as one should, is shown in tests/test_duka_run.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
from unittest import mock

from kernel import logs
from kernel.cli import main
from kernel.settings import Settings
from kernel.testing.served import environment_of


async def duka(settings: Settings, *words: str, **more: str) -> tuple[int, str]:
    """Run `duka` on a deployment, in a thread and an event loop of its own; its exit code, and all that it said.

    more: of the environment.
    """
    return await asyncio.to_thread(_run, environment_of(settings, more), words)


def _run(environment: dict[str, str], words: tuple[str, ...]) -> tuple[int, str]:
    said, code = io.StringIO(), 0
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["duka", *words]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        mock.patch.object(logs, "set_up"),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, said.getvalue()
