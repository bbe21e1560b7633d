"""A third party's next version, as an operator gets it: another wheel, rehearsed, planned, applied; every row is there.

The wheels are built from what `duka plugin new` writes; the commands run in an environment that has nothing but Duka
and the wheel.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.kit.environment import build_wheel, make_environment
from kernel.kit.scaffold import named, write_plugin
from kernel.settings import Settings
from kernel.testing.box import PASSWORD
from kernel.testing.served import environment_of, free_port

SHOP, STAMPS = "mama-njeri", "/api/v1/stamps/tiers"
NOTED = '''"""What a tier is for."""

import sqlalchemy as sa
from alembic import op

revision = "stamps_0002"
down_revision = "stamps_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """What a tier is for."""
    op.add_column("stamps_tier", sa.Column("note", sa.Text(), server_default="for everybody", nullable=False))
'''
COLUMN = '    note: Mapped[str] = mapped_column(server_default="for everybody", info=impersonal("of goods"))\n'
NEXT: dict[str, tuple[tuple[str, str], ...]] = {
    "__init__.py": (('version="0.1.0"', 'version="0.2.0"'),),
    "models.py": (
        ("    percent: Mapped[int] = mapped_column()\n", "    percent: Mapped[int] = mapped_column()\n" + COLUMN),
        ("from kernel.db import", "from kernel.db.personal import impersonal\nfrom kernel.db import"),
    ),
    "schemas.py": (('    """A tier."""\n', '    """A tier."""\n\n    note: str\n'),),
    "routes.py": (("TierOut(row.id", "TierOut(row.note, row.id"),),
}
"""What the next version changes: file → texts and what takes their place. It only adds, so the version before goes on
beside it."""
DEARER = {
    "__init__.py": (('version="0.2.0"', 'version="0.3.0"'),),
    "rules.py": (("return max(reached", "return min(reached"),),
}
"""And the one after that, which prices otherwise."""
TILL = """
import asyncio, json, sys

from kernel.app.application import settings_of
from kernel.registry import discover
from kernel.testing.box import open_box


async def write(box):
    for quantity, percent in (("2", "5"), ("10", "20")):
        tier = {"from_quantity": quantity, "percent": percent}
        assert (await box.client("manager").post("/api/v1/stamps/tiers", tier)).status_code == 201
    from plugins.catalog.testing import a_product
    tea = await a_product(box, price="100.00", track_stock=False)
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": str(tea), "quantity": "12"}]}
    paid = [{"method": "cash", "amount": "960.00"}]
    sold = await box.client("cashier").post("/api/v1/sales/sales", cart | {"payments": paid})
    assert sold.status_code == 201, sold.text


async def main():
    box = await open_box(settings_of(), discover())
    if sys.argv[1] == "write":
        await write(box)
    tiers = (await box.client("manager").get("/api/v1/stamps/tiers")).json()["items"]
    sales = (await box.client("manager").get("/api/v1/sales/sales")).json()["items"]
    print(json.dumps({"tiers": tiers, "sales": sales}))
    await box.close()


asyncio.run(main())
"""


class Machine:
    """An operator's machine: Duka, a deployment, and whatever wheel is installed."""

    def __init__(self, python: Path, settings: Settings, room: Path) -> None:
        self.python, self.room, self.settings = python, room, settings
        self.environment = {k: v for k, v in environment_of(settings).items() if not k.startswith(("PYTEST", "PYTHON"))}

    def duka(self, *words: str, status: int = 0) -> str:
        """Run a command as it is typed; returns what it printed."""
        return self._run([str(self.python.parent / "duka"), *words], status)

    def install(self, wheel: Path) -> None:
        """Install a wheel in the place of whatever version is there."""
        self._run([sys.executable, "-m", "pip", "--python", str(self.python), "-q", "install", "--no-deps", str(wheel)])

    def till(self, how: str) -> Any:
        """Write rows, or only read what there is, with the code that is installed."""
        return json.loads(self._run([str(self.python), "-W", "ignore", "-c", TILL, how]).splitlines()[-1])

    def _run(self, command: list[str], status: int = 0) -> str:
        done = subprocess.run(
            command, cwd=self.room, env=self.environment, capture_output=True, text=True, timeout=200, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three versions of a plugin, each as its author would publish it."""
    room = tmp_path_factory.mktemp("author")
    project = write_plugin(named("stamps", ["hook", "model", "routes"]), room)
    package = project / "duka_stamps"
    made = [build_wheel(project, room / "dist")]
    (package / "migrations" / "stamps_0002.py").write_text(NOTED)
    for changes in (NEXT, DEARER):
        for file, pairs in changes.items():
            text = (package / file).read_text()
            for before, after in pairs:
                assert before in text, f"{file}: {before}"
                text = text.replace(before, after, 1)
            (package / file).write_text(text)
        made.append(build_wheel(project, room / "dist"))
    assert [one.name.split("-")[1] for one in made] == ["0.1.0", "0.2.0", "0.3.0"]
    return made


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an empty environment."""
    return make_environment(tmp_path_factory.mktemp("operator") / "env")


@pytest.fixture
def machine(python: Path, wheels: list[Path], box_settings: Settings, tmp_path: Path) -> Machine:
    """A deployment that has run with version 1 for a while."""
    operator = Machine(python, box_settings, tmp_path)
    operator.install(wheels[0])
    operator.duka("plugin", "install", "stamps")
    operator.duka("plugin", "enable", "stamps", "--business", SHOP)
    return operator


def upgraded(operator: Machine) -> list[str]:
    """Plan, look, apply; returns what was told of the plan."""
    plan = json.loads(operator.duka("plugin", "plan", "stamps", "upgrade", "--json"))
    assert plan["hindrances"] == []
    said = operator.duka("plugin", "apply", "stamps", "upgrade", "--hash", plan["hash"])
    assert f"stamps {plan['version']} is upgraded" in said
    return [plan["version_before"], plan["version"], *(one["revision"] for one in plan["migrations"])]


def without_notes(said: Any) -> Any:
    tiers = [{name: value for name, value in one.items() if name != "note"} for one in said["tiers"]]
    return {"tiers": tiers, "sales": said["sales"]}


only_sqlite = pytest.mark.parametrize("database", ["sqlite"])


@pytest.mark.prove
@only_sqlite
def test_the_next_wheel_is_rehearsed_planned_and_applied_and_every_row_is_there(
    machine: Machine, wheels: list[Path]
) -> None:
    before = machine.till("write")
    assert (len(before["tiers"]), before["sales"][0]["total"]) == (2, "960.00")
    machine.install(wheels[1])
    assert "1 migrations ran: stamps_0002" in machine.duka("plugin", "rehearse")
    assert upgraded(machine) == ["0.1.0", "0.2.0", "stamps_0002"], "the rehearsal left the shop's own tables alone"
    after = machine.till("read")
    assert without_notes(after) == before
    assert {one["note"] for one in after["tiers"]} == {"for everybody"}
    machine.install(wheels[2])
    told = machine.duka("plugin", "rehearse", status=1)
    assert "1 change" in told, "what would be priced otherwise is found before anybody is charged"
    assert "960.00 → 1140.00" in told


@pytest.mark.prove
@only_sqlite
def test_an_older_wheel_is_upgraded_past_the_versions_between(machine: Machine, wheels: list[Path]) -> None:
    before = machine.till("write")
    machine.install(wheels[2])
    assert upgraded(machine) == ["0.1.0", "0.3.0", "stamps_0002"]
    assert without_notes(machine.till("read")) == before
    machine.install(wheels[0])
    assert machine.till("read") == before, "the version before goes on with the tables of the next"


def serve(operator: Machine, port: int) -> subprocess.Popen[bytes]:
    command = [str(operator.python.parent / "duka"), "run", "--port", str(port)]
    return subprocess.Popen(command, cwd=operator.room, env=operator.environment | {"DUKA_JOBS": "off"})


def manager(port: int) -> httpx.Client:
    """Signed in at a server, once it has started."""
    base, until = f"http://127.0.0.1:{port}", time.monotonic() + 120
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{base}/health/ready", timeout=60).status_code == 200:
                break
        assert time.monotonic() < until, "the server is not ready"
        time.sleep(0.1)
    client = httpx.Client(base_url=base, timeout=60)
    entered = {"username": f"manager@{SHOP}.example", "password": PASSWORD, "business": SHOP}
    answer = client.post("/api/v1/auth/login", json=entered)
    assert answer.status_code == 200, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


@pytest.mark.prove
@pytest.mark.parametrize("database", ["postgresql"])
def test_a_server_goes_on_while_the_next_version_is_applied_and_starts_anew_with_it(
    machine: Machine, wheels: list[Path]
) -> None:
    before, port = machine.till("write"), free_port()
    server = serve(machine, port)
    try:
        with contextlib.closing(manager(port)) as client:
            machine.install(wheels[1])
            assert upgraded(machine) == ["0.1.0", "0.2.0", "stamps_0002"]
            tier = {"from_quantity": "50", "percent": "30"}
            made = client.post(STAMPS, json=tier, headers={"Idempotency-Key": os.urandom(8).hex()})
            assert (made.status_code, "note" in made.json()) == (201, False), "it was started with version 1"
    finally:
        server.terminate()
        server.wait(60)
    server = serve(machine, port)
    try:
        with contextlib.closing(manager(port)) as client:
            tiers = client.get(STAMPS).json()["items"]
    finally:
        server.terminate()
        server.wait(60)
    assert {one["note"] for one in tiers} == {"for everybody"}
    kept = {one["id"]: one["percent"] for one in before["tiers"]}
    assert {one["id"]: one["percent"] for one in tiers} == kept | {made.json()["id"]: "30"}
