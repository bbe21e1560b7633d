"""Throw-away plugins, written into a folder as an installation would leave them: found by processes that look there."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from kernel.registry import Registry, discover

NAME = "bench_"
ANSWERS = """
from kernel.hooks import answers

@answers
async def price_facts(work, cart):
    return None

@answers
def price_line(cart, line, facts):
    return None

@answers
def price_cart(cart, facts):
    return None

@answers
async def sale_placed(work, sale):
    return None

@answers
async def sale_completed(work, sale):
    return None
"""
"""An answer to each hook that a checkout calls, saying nothing."""
JOB = """
from kernel.jobs import job

@job("{name}.nothing")
async def nothing(work, payload):
    return None
"""


def install(folder: Path, count: int, listeners: str = "") -> Path:
    """Write so many plugins, `bench_0` and on, that answer hooks as said and have a job `nothing`."""
    for number in range(count):
        name = f"{NAME}{number}"
        package = folder / name
        package.mkdir(parents=True)
        manifest = f'Plugin("{name}", "1.0", "{name}", "Idle.", depends=("sales",))'
        (package / "__init__.py").write_text(
            f'"""Idle."""\n\nfrom kernel.plugin import Plugin\n\nPLUGIN = {manifest}\n'
        )
        (package / "jobs.py").write_text(JOB.format(name=name))
        if listeners:
            (package / "listeners.py").write_text(listeners)
        installed = folder / f"{name}-1.0.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (installed / "entry_points.txt").write_text(f"[duka.plugins]\n{name} = {name}:PLUGIN\n")
    return folder


def discovered(folder: Path) -> Registry:
    """Every plugin of this installation and those in the folder. Raises RuntimeError when one was set aside."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        registry = discover()
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith(NAME)]:
            del sys.modules[name]
    if registry.set_aside:
        raise RuntimeError(f"set aside: {registry.set_aside}")
    return registry
