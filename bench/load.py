"""A small HTTP/1.1 load on loopback: a fixed number of clients, each sending one request after another."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figures:
    """What one round came to. Latencies in milliseconds; cpu_ms: processor time a request, by whose it was."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failures: int
    cpu_ms: Mapping[str, float] = field(default_factory=dict)
    requests: int = 0


async def load(
    port: int, clients: int, seconds: float, request: Callable[[], bytes], processes: Mapping[str, int] | None = None
) -> Figures:
    """Send requests for a while; a status other than 2xx counts as a failure.

    processes: whose processor time is counted: name → process id, its children included.
    """
    spent = {name: cpu_s(pid) for name, pid in (processes or {}).items()}
    took: list[float] = []
    failures = 0
    end = time.monotonic() + seconds

    async def one() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            start = time.perf_counter()
            writer.write(request())
            status = await _status(reader)
            took.append(time.perf_counter() - start)
            failures += not 200 <= status < 300
        writer.close()

    start = time.monotonic()
    await asyncio.gather(*(one() for _ in range(clients)))
    took.sort()
    return Figures(
        len(took) / (time.monotonic() - start),
        statistics.median(took) * 1000,
        took[int(len(took) * 0.99) - 1] * 1000,
        failures,
        {name: (cpu_s(pid) - spent[name]) / len(took) * 1000 for name, pid in (processes or {}).items()},
        len(took),
    )


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process and its children have used, the ended ones included (Linux)."""
    ticks = 0
    for one, said in family(pid).items():
        ticks += sum(int(part) for part in said[11 : 15 if one == pid else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> dict[int, list[str]]:
    """A process and its children: id → its /proc/…/stat from the third field on."""
    found: dict[int, list[str]] = {}
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        with contextlib.suppress(OSError):
            said = stat.read_text().rpartition(") ")[2].split()
            one, parent = int(stat.parent.name), int(said[1])
            if one == pid or parent in found:
                found[one] = said
    return found


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST of JSON as it travels."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def get(path: str, headers: dict[str, str]) -> bytes:
    """A GET as it travels."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return int(head[9:12])
