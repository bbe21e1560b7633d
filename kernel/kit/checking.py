"""The rules for plugins, held against a built wheel in an environment of its own, and the grade that follows."""

from __future__ import annotations

import configparser
import hashlib
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree

import msgspec

from kernel import VERSION
from kernel.kit.environment import build_wheel, install, make_environment
from kernel.kit.faults import KitFault
from kernel.kit.published import unlike_published
from kernel.registry import GROUP

Grade = Literal["A", "B", "C", "F"]

KEPT: Final = "test_revisions_that_are_out_stay_as_they_were"
"""The rule that is held against published wheels, where they are named."""
OF_FORM: Final = frozenset(
    {
        "test_it_keeps_to_the_anatomy",
        "test_the_hooks_it_calls_are_documented",
        "test_lists_ask_no_question_for_each_row",
        "test_its_answers_to_hooks_keep_to_their_time",
        "test_it_keeps_the_rules_of_those_it_stands_on",
    }
)
"""Rules that make a plugin pleasant or quick; all others protect data, people and other plugins."""

_SUITE: Final = """
import sys

from kernel.testing.suite import PluginSuite


class Test_{name}(PluginSuite):
    plugin = "{name}"

    def test_what_is_tested_is_the_wheel(self, loaded):
        assert loaded.folder.is_relative_to(sys.prefix), f"{{loaded.folder}} is not what the wheel holds"
"""
_SETTINGS: Final = """
[pytest]
addopts = --import-mode=importlib -p kernel.testing.fixtures -p no:cacheprovider
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
"""
LONGEST_S: Final = 900


class Result(msgspec.Struct, frozen=True):
    """What one rule came to, on one database where it needs one."""

    rule: str
    outcome: Literal["passed", "failed", "skipped"]
    said: str = ""


class Report(msgspec.Struct, frozen=True):
    """What a wheel was found to be. `sha256` names the very file."""

    plugins: list[str]
    wheel: str
    sha256: str
    duka: str
    grade: Grade
    results: list[Result]

    @property
    def is_fit(self) -> bool:
        """Whether every rule that could be tested holds."""
        return self.grade in ("A", "B")

    def lines(self) -> list[str]:
        """The report in words."""
        marks = {"passed": "✓", "failed": "✗", "skipped": "–"}
        lines = [f"{self.wheel}: {', '.join(self.plugins)} with Duka {self.duka}", f"sha256 {self.sha256}", ""]
        for one in self.results:
            lines.append(f"{marks[one.outcome]} {_in_words(one.rule)}")
            lines += [f"    {line}" for line in one.said.splitlines() if one.outcome != "passed" and line]
        return [*lines, "", f"Grade {self.grade}: {MEANING[self.grade]}"]


MEANING: Final[dict[Grade, str]] = {
    "A": "every rule holds, on SQLite and on PostgreSQL",
    "B": "every rule holds, but not all were tested: PostgreSQL was missing",
    "C": "a rule of form or speed is broken; nothing is in danger",
    "F": "a rule is broken that protects data, people or other plugins",
}


def check(path: Path, published: Sequence[Path] = ()) -> Report:
    """Hold the rules against a wheel, or against the wheel that is built of a project. Raises KitFault.

    published: wheels of the same plugin that are out, from which shops will come to this one.
    """
    with tempfile.TemporaryDirectory(prefix="duka-check-") as folder:
        room = Path(folder)
        wheel = path if path.suffix == ".whl" else build_wheel(path.resolve(), room / "dist")
        plugins = plugins_of(wheel)
        python = make_environment(room / "env")
        install(python, wheel.resolve())
        results = [*_kept(wheel, published), *_run(python, room / "run", plugins)]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        return Report(plugins, wheel.name, digest, VERSION, grade(results), results)


def _kept(wheel: Path, published: Sequence[Path]) -> list[Result]:
    return [
        Result(f"{KEPT}[{old.name}]", "failed" if found else "passed", "\n".join(found))
        for old, found in unlike_published(wheel, published)
    ]


def grade(results: list[Result]) -> Grade:
    """The grade that results come to; `MEANING` says what each means."""
    failed = {one.rule.partition("[")[0] for one in results if one.outcome == "failed"}
    if failed - OF_FORM or not results:
        return "F"
    if failed:
        return "C"
    return "B" if any(one.outcome == "skipped" for one in results) else "A"


def plugins_of(wheel: Path) -> list[str]:
    """The plugins that a wheel offers. Raises KitFault where there are none."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            listed = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
            text = archive.read(listed[0]).decode() if listed else ""
    except (OSError, zipfile.BadZipFile) as fault:
        raise KitFault(f"{wheel} is no wheel: {fault}") from fault
    points = configparser.ConfigParser(delimiters=("=",))
    points.read_string(text)
    if not points.has_section(GROUP):
        said = f'[project.entry-points."{GROUP}"] in pyproject.toml, with NAME = "PACKAGE:PLUGIN"'
        raise KitFault(f"{wheel.name} offers no plugin; write {said}")
    return sorted(points[GROUP])


def _run(python: Path, room: Path, plugins: list[str]) -> list[Result]:
    room.mkdir()
    (room / "pytest.ini").write_text(_SETTINGS, encoding="utf-8")
    for name in plugins:
        (room / f"test_{name}.py").write_text(_SUITE.format(name=name), encoding="utf-8")
    command = [str(python), "-W", "ignore", "-m", "pytest", "-q", "--junitxml=told.xml", "--basetemp=made"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "DUKA_"))}
    try:
        done = subprocess.run(
            command, cwd=room, env=clean, capture_output=True, text=True, check=False, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired as fault:
        raise KitFault(f"the rules took longer than {LONGEST_S} s") from fault
    told = room / "told.xml"
    if done.returncode not in (0, 1) or not told.is_file():
        raise KitFault(f"the rules could not be tested:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return [_result(case) for case in ElementTree.parse(told).iter("testcase")]  # noqa: S314 - written by our own run


def _result(case: ElementTree.Element) -> Result:
    name = case.get("name", "")
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            return Result(name, "failed", (found.text or found.get("message") or "").strip())
    skipped = case.find("skipped")
    if skipped is not None:
        return Result(name, "skipped", skipped.get("message", ""))
    return Result(name, "passed")


def _in_words(rule: str) -> str:
    name, _, where = rule.partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({where.removesuffix(']')})" if where else words
