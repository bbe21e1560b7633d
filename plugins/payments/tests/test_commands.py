"""duka gateway and duka simulate, as an operator runs them, beside a deployment that serves."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.app import build
from kernel.auth import look
from kernel.db.tables import Audit
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import open_box
from kernel.testing.served import environment_of
from kernel.tests.command_line import duka
from kernel.work import NO_BUSINESS, Work
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.testing.toy_provider import SECRET
from plugins.payments.tests.test_allowing import taking

WITH_TOY = """
from kernel.app import build
from kernel.cli import main
from kernel.registry import discover
from plugins.payments.testing.toy_box import with_toy
build.discover = lambda: with_toy(discover())
main()
"""


@pytest.fixture(autouse=True)
def _toy_is_installed(toy_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "discover", lambda: toy_registry)


async def said(settings: Settings, *words: str, **more: str) -> Any:
    code, told = await duka(settings, *words, "--json", **more)
    assert code == 0, told
    return json.loads(told)


async def test_a_gateway_is_switched_by_command_and_every_deployment_goes_by_it_at_its_next_checkout(
    toy: ToyBox, toy_registry: Registry
) -> None:
    settings = toy.box.deployment.settings
    other = await open_box(settings, toy_registry)
    try:
        assert [await taking(toy.box), await taking(other)] == ["Toy", "Toy"]
        off = await said(settings, "gateway", "disable", "toy", "--region", "KE", "--mode", "test")
        assert (off["is_on"], off["version"]) == (False, 2)
        assert [await taking(toy.box), await taking(other)] == ["region_off", "region_off"]
        words = ("--region", "KE", "--mode", "test", "--currency", "KES", "--most", "500.00")
        on = await said(settings, "gateway", "enable", "toy", *words)
        assert (on["is_on"], on["most"]) == (True, "500.00")
        assert [await taking(toy.box), await taking(other, 60_000)] == ["Toy", "amount"]
    finally:
        await other.close()
    listed = (await said(settings, "gateway", "list"))["gateways"]
    assert [(one["region"], one["mode"]) for one in listed if one["is_on"]] == [("IN", "test"), ("KE", "test")]

    async def trail(work: Work) -> list[str]:
        mine = sa.select(Audit.deed).where(Audit.business_id == NO_BUSINESS, Audit.subject == "gateway:KE/toy/test")
        return list((await work.execute(mine.order_by(Audit.id))).scalars())

    assert (await look(toy.box.deployment, None, trail))[-2:] == ["gateway disable", "gateway enable"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("enable", "none", "--region", "KE"), 1, "No gateway none is offered in KE"),
        (("enable", "toy", "--region", "KE", "--currency", "kes"), 2, "currency"),
        (("enable", "toy", "--region", "KE", "--least", "5.00"), 1, "Say in which currency"),
        (("enable", "toy", "--region", "KE", "--canary", "0"), 2, "canary"),
        (("adopt", "toy", "--business", "mama-njeri"), 1, "None of the variables"),
        (("adopt", "toy", "--business", "no-such"), 1, "no-such"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_cannot_be_switched_is_said_in_one_line(
    toy: ToyBox, words: tuple[str, ...], code: int, told: str
) -> None:
    ended, line = await duka(toy.box.deployment.settings, "gateway", *words)
    assert (ended, told in line) == (code, True), line
    assert "Traceback" not in line


async def test_an_account_is_made_from_the_environment_and_nothing_of_it_is_printed(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "environment", {"secret": "TOY_SECRET", "host": "TOY_HOST"})
    monkeypatch.setattr(Toy, "environment_mode", "TOY_MODE")
    settings, owner = toy.box.deployment.settings, toy.box.client("owner")
    words = ("gateway", "adopt", "toy", "--business", "mama-njeri", "--mode", "test")
    for host in ("toy.example", "other.example"):
        code, told = await duka(settings, *words, TOY_SECRET=SECRET, TOY_HOST=host)
        assert (code, SECRET in told) == (0, False), told
        [made] = [
            one
            for one in (await owner.get("/api/v1/payments/accounts")).json()["items"]
            if one["label"] == "From the environment"
        ]
        assert (made["config"], made["secrets"], made["mode"]) == ({"host": host}, {"secret": True}, "test")
    code, told = await duka(settings, *words[:-1], "live", TOY_SECRET=SECRET)
    assert code == 1
    code, told = await duka(settings, *words, TOY_HOST="http://" + "x" * 5, TOY_SECRET="")
    assert code == 0, "what is not named stays"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_simulator_is_served_on_this_machine_until_it_is_told_to_stop(box_settings: Settings) -> None:
    words = [sys.executable, "-W", "ignore", "-c", WITH_TOY, "simulate", "toy", "--port", "0"]
    with subprocess.Popen(words, env=environment_of(box_settings), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            assert told.startswith("The simulator of toy listens on http://127.0.0.1:"), told
            answer = httpx.post(f"{told.split()[-1]}/token", json={"secret": SECRET}, timeout=60)
            assert answer.status_code == 200
        finally:
            process.send_signal(2)
        assert process.wait(120) == 0
