"""How soon Duka is ready, how much memory it takes, and how large it is once installed; on both databases.

Ready: from the start of `duka run` until /health/ready answers 200. Memory: of the one server process (PSS: what it
shares is divided among those who share it), idle and after 1,000 sales; of PostgreSQL all processes together.
"""

from __future__ import annotations

import asyncio
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import httpx

from bench import sizes
from bench.load import cpu_s, family, load
from bench.shop import prepared, stocked
from bench.table import Table
from kernel.settings import Settings
from kernel.testing.served import environment_of, free_port
from kernel.testing.servers import Postgres

DUKA = [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()", "run"]
ROOT = Path(__file__).parents[1]
SALES, REST_S, MB = 1000, 2.0, 1 << 20
SHOWN = 8
"""The largest packages that are named one by one."""


def main() -> None:
    """Run and print."""
    table = Table(
        "Start and memory", {"": "", "first start s": ".1f", "start s": ".1f", "start CPU s": ".1f", **_MEMORY}
    )
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as home:
        asyncio.run(_run(server, Path(home), table))
    table.show()
    _show_sizes()


_MEMORY = {f"{which} MB {when}": ".0f" for when in ("idle", "after sales") for which in ("RSS", "PSS", "PostgreSQL")}


async def _run(server: Postgres, home: Path, table: Table) -> None:
    urls = {
        "SQLite": [f"sqlite+aiosqlite:///{home / name}.sqlite3" for name in ("new", "used")],
        "PostgreSQL": [await server.create_database(name) for name in ("new", "used")],
    }
    for name, (new, used) in urls.items():
        settings = Settings(home=str(home), database_url=new, secret_key="a secret that is long enough for a bench")
        with started(settings) as (first_s, _, _):
            pass
        settings = await prepared(used, home)
        again: list[tuple[float, float]] = []
        for _ in range(sizes.rounds() - 1):
            with started(settings) as (took_s, process, _):
                again.append((took_s, cpu_s(process.pid)))
        with started(settings) as (took_s, process, port):
            again.append((took_s, cpu_s(process.pid)))
            database = server.pid if name == "PostgreSQL" else None
            await asyncio.sleep(REST_S)
            idle = _memory(process.pid, database)
            await _sell(port)
            busy = _memory(process.pid, database)
        table.add(name, first_s, *map(statistics.median, zip(*again, strict=True)), *idle, *busy)


@contextmanager
def started(settings: Settings) -> Iterator[tuple[float, subprocess.Popen[bytes], int]]:
    """`duka run` until it is ready: seconds, the process and its port. Raises RuntimeError when it ends before."""
    port = free_port()
    begun = time.monotonic()
    environment = environment_of(settings, {"DUKA_DRAIN_SECONDS": "0"})
    with subprocess.Popen([*DUKA, "--port", str(port)], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while not _is_ready(port):
                if process.poll() is not None:
                    raise RuntimeError(f"duka run ended with {process.returncode}")
                time.sleep(0.02)
            yield time.monotonic() - begun, process, port
        finally:
            process.send_signal(signal.SIGTERM)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


async def _sell(port: int) -> None:
    """Make the sales, by four clients."""
    shop = await stocked(port)
    sold = 0
    while sold < SALES:
        sold += (await load(port, 4, 1.0, shop.sale)).requests


def _memory(process: int, database: int | None) -> tuple[float, float, float | None]:
    """RSS and PSS of a process, PSS of all of PostgreSQL's; in megabytes."""
    of_database = None if database is None else sum(_megabytes(one, "Pss") for one in family(database))
    return _megabytes(process, "Rss"), _megabytes(process, "Pss"), of_database


def _megabytes(process: int, what: str) -> float:
    try:
        said = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0.0
    found = re.search(rf"^{what}:\s+(\d+) kB", said, re.MULTILINE)
    return int(found[1]) * 1024 / MB if found else 0.0


def _show_sizes() -> None:
    """What an installation weighs: the packages that the lock of the run names, and Duka without its tests."""
    locked = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE)
    weights = {name: weight for name in locked if (weight := _weight(name))}
    ours = sum(
        path.stat().st_size for part in ("kernel", "plugins") for path in (ROOT / part).rglob("*") if _is_ours(path)
    )
    table = Table("Installed, without Python itself", {"": "", "MB": ".1f"})
    largest = sorted(weights, key=lambda name: -weights[name])
    for name in largest[:SHOWN]:
        table.add(name, weights[name] / MB)
    table.add(f"{len(largest[SHOWN:])} more", sum(weights[name] for name in largest[SHOWN:]) / MB)
    table.add("Duka", ours / MB)
    table.add("together", (sum(weights.values()) + ours) / MB)
    table.show()


def _weight(name: str) -> int:
    """Bytes of a distribution's files; 0 where this machine has no need of it."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return 0
    return sum(path.stat().st_size for path in (Path(str(one.locate())) for one in files) if path.is_file())


def _is_ours(path: Path) -> bool:
    return path.is_file() and not {"tests", "__pycache__"} & set(path.parts)


if __name__ == "__main__":
    main()
