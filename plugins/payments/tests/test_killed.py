"""A process that is killed while it asks a payer for money, on both databases: by SIGKILL, so that nothing runs on.

What `test_starting` proves in one process, where only what stands in the database survives, is proved here with two.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from typing import Any

import msgspec
import pytest
import uvicorn

from plugins.payments.models import Operation
from plugins.payments.services.starting import CRASHPOINTS
from plugins.payments.testing.toy_box import ToyBox, a_toy_payment
from plugins.payments.tests.looking import rows, the


async def killed_at(toy: ToyBox, point: str) -> None:
    """Let another process run the jobs of the box until it dies at a point."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(toy.provider.app, log_level="error", lifespan="off", interface="asgi3")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    settings = msgspec.to_builtins(toy.box.deployment.settings)
    said: dict[str, Any] = {"settings": settings, "now": toy.box.clock().isoformat(), "port": port}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "plugins.payments.tests.dying",
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"DUKA_TEST_CRASH_AT": point},
    )
    _, errors = await asyncio.wait_for(process.communicate(json.dumps(said).encode() + b"\n"), 120)
    server.should_exit = True
    await serving
    assert process.returncode == -signal.SIGKILL, errors.decode()


@pytest.mark.prove
@pytest.mark.parametrize("point", CRASHPOINTS)
async def test_a_killed_process_leaves_a_payment_that_is_found_and_never_asked_for_twice(
    toy: ToyBox, point: str
) -> None:
    box, provider = toy.box, toy.provider
    payment_id = await a_toy_payment(box)
    if was_paid := point == "payments.outcome_kept":  # between what came of the request and its money
        provider.next("ask", "capture")
    await killed_at(toy, point)
    arrived = point != "payments.before_call"
    assert provider.count("ask") == arrived
    if arrived and not was_paid:
        provider.pay(provider.only()["id"])
    for _ in range(8):
        box.clock.pass_by(minutes=1)
        await box.run_jobs()
    row = await the(box, payment_id)
    assert (row.state, row.captured) == (("captured", 25_000) if arrived else ("unknown", 0))
    assert provider.count("ask") == arrived
    [operation] = await rows(box, Operation)
    assert operation.state == ("accepted" if was_paid else "unsure")
