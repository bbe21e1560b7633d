"""The command: one line per fault, `path:line: message`; exit status 1 when there is any."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from kernel.testing.conformance import check_plugin


def main(arguments: list[str] | None = None) -> int:
    """Check the named packages, print their faults and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kernel.testing.conformance", description="Check plugins.")
    parser.add_argument("package", nargs="*", help="import name of a plugin; default: all below plugins/")
    packages = parser.parse_args(arguments).package or _bundled()
    if not packages:
        print("no plugin found below plugins/", file=sys.stderr)
        return 1
    status = 0
    for package in packages:
        for line in _report(package):
            print(line)
            status = 1
    return status


def _report(package: str) -> list[str]:
    folder = _folder(package)
    if folder is None:
        return [f"{package}: no such package"]
    return [str(fault) for fault in check_plugin(package, folder)]


def _bundled() -> list[str]:
    folder = _folder("plugins")
    entries = sorted(folder.iterdir()) if folder else []
    return [f"plugins.{entry.name}" for entry in entries if entry.is_dir() and entry.name[0] not in "._"]


def _folder(package: str) -> Path | None:
    """Where a package lies, importing at most the package above it."""
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return None
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else None


if __name__ == "__main__":
    sys.exit(main())
