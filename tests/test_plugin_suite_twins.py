"""Each rule of the conformance suite is broken by a plugin of its own, and says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import kernel
from kernel.testing.suite import PluginSuite
from tests.broken_plugins import BROKEN, install

INI = """
[pytest]
addopts = --import-mode=importlib -p kernel.testing.fixtures -p no:cacheprovider -p no:schemathesis
    -p no:hypothesispytest -p no:xdist
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
"""
CONFTEST = """
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app.uninstalling import restore


@pytest.fixture(autouse=True)
def stubborn(request, monkeypatch):
    async def leave_on(work, name):
        pass

    if "stubborn" in request.node.nodeid:
        monkeypatch.setattr("kernel.testing.suite.living.disable", leave_on)


@pytest.fixture(autouse=True)
def unreturned(request, monkeypatch):
    async def lose(deployment, file):
        back = await restore(deployment, file)
        engine = create_async_engine(deployment.settings.url)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM unreturned_thing")
        await engine.dispose()
        return back

    if "unreturned" in request.node.nodeid:
        monkeypatch.setattr("kernel.testing.suite.outliving.restore", lose)
"""
"""The kernel lets no plugin answer while it is off, and loses no row of an archive: so what is broken is the kernel."""
SUITE = """
from kernel.testing.suite import PluginSuite


class TestIt(PluginSuite):
    plugin = "{name}"
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Plugin → test that failed → what it said; of each the rule that it breaks, all in one run, on SQLite."""
    room = tmp_path_factory.mktemp("twins")
    install(room / "site")
    (room / "pytest.ini").write_text(INI)
    (room / "conftest.py").write_text(CONFTEST)
    for name in BROKEN:
        (room / f"test_{name}.py").write_text(SUITE.format(name=name))
    path = os.pathsep.join([str(Path(kernel.__file__).parents[1]), str(room / "site")])
    broken = " or ".join(f"(test_{name} and {rule})" for name, (_, _, rule, _) in BROKEN.items())
    options = ["-q", "-k", f"not postgresql and ({broken})", "--junitxml=told.xml"]
    command = [sys.executable, "-W", "ignore", "-m", "pytest", *options, "."]
    done = subprocess.run(
        command,
        check=False,
        cwd=room,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, dict[str, str]] = {name: {} for name in BROKEN}
    for case in ElementTree.parse(room / "told.xml").iter("testcase"):  # noqa: S314 - written by the run above
        for fault in (*case.iter("failure"), *case.iter("error")):
            plugin = case.get("classname", "").partition("test_")[2].partition(".")[0]
            found[plugin][case.get("name", "")] = fault.text or ""
    return found


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found_and_says_what_to_do(told: dict[str, dict[str, str]], name: str) -> None:
    _, _, rule, words = BROKEN[name]
    said = [text for test, text in told[name].items() if rule in test]
    assert said, f"{rule} passed; failed: {told[name]}"
    assert words in "\n".join(said)


def test_a_plugin_that_stays_on_is_seen_in_every_way(told: dict[str, dict[str, str]]) -> None:
    said = told["stubborn"]["test_switched_off_it_answers_nothing[sqlite]"]
    for words in ("GET", "POST", "DELETE", "stands in the OpenAPI document", "a job that waited is done"):
        assert words in said


def test_no_rule_is_without_a_twin() -> None:
    rules = [name for name in vars(PluginSuite) if name.startswith("test_")]
    assert not [rule for rule in rules if not any(twin[2] in rule for twin in BROKEN.values())]
