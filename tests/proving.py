"""The report of `make prove`: build/proofs.md says of every proof how it ended, how long it took, what it counted."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections import defaultdict
from pathlib import Path

import pytest

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""For what no database decides, and for twins: on one by itself, on both in `make prove`."""
ON_POSTGRES = pytest.mark.parametrize("database", [pytest.param("sqlite", marks=pytest.mark.prove), "postgresql"])
"""For what takes its time, and where PostgreSQL is the harder: many at once, several processes."""
REPORT = Path("build", "proofs.md")
_FAILED = {"failed": "FAILED", "skipped": "skipped"}


class Proofs:
    """Gathers what the proofs say while they run, and writes it down at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.headings: dict[str, str] = {}
        self.rows: dict[str, list[str]] = defaultdict(list)
        self.counts: dict[str, int] = defaultdict(int)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember what each file says it is about."""
        for item in items:
            said = getattr(getattr(item, "module", None), "__doc__", None) or ""
            self.headings[item.nodeid.partition("::")[0]] = said.partition("\n")[0]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that has run, or that could not be set up."""
        if report.when != "call" and report.passed:
            return
        file, _, name = report.nodeid.partition("::")
        name, _, case = name.rpartition("::")[2].partition("[")
        said = "<br>".join(_escaped(line) for line in report.capstdout.splitlines()[-4:])
        outcome = _FAILED.get(report.outcome, "proved")
        self.counts[outcome] += 1
        what = name.removeprefix("test_").replace("_", " ")
        self.rows[file].append(
            f"| {what} | {_escaped(case.rstrip(']'))} | {outcome} | {report.duration:,.1f} | {said} |"
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the report and say where it is."""
        path = self.root / REPORT
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")
        terminalreporter.write_line(f"the report of the proofs is in {REPORT}")

    def _lines(self) -> list[str]:
        version = importlib.metadata.version("duka-erp")
        system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
        counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items()))
        lines = [f"# Proofs of Duka {version}", "", f"Python {platform.python_version()}, {system}. {counted}."]
        for file, rows in sorted(self.rows.items()):
            lines += ["", f"## {self.headings.get(file) or file}", "", f"`{file}`", ""]
            lines += ["| what | case | outcome | s | figures |", "|---|---|---|---|---|", *sorted(rows)]
        return lines


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def pytest_configure(config: pytest.Config) -> None:
    """Gather where only the proofs are asked for, and the tests run here rather than in a process of theirs."""
    is_worker = hasattr(config, "workerinput")
    if config.option.markexpr == "prove" and not is_worker and not config.option.collectonly:
        config.pluginmanager.register(Proofs(config.rootpath), "proofs")
