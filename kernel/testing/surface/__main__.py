"""The command: check, or write what the source says; `--release` makes it the promise."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kernel import VERSION
from kernel.testing.surface import PRESENT, PROMISED, broken_promises, present_text
from kernel.testing.surface.text import differences, version_of

CHANGES = Path("CHANGELOG.md")


def main(arguments: list[str] | None = None) -> int:
    """Do it and return the exit status: 1 where anything stands in the way."""
    parser = argparse.ArgumentParser(prog="python -m kernel.testing.surface", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PRESENT}")
    parser.add_argument("--release", action="store_true", help=f"promise what there is: write {PROMISED} too")
    asked = parser.parse_args(arguments)
    present = present_text()
    if asked.write or asked.release:
        PRESENT.write_text(present, encoding="utf-8")
    promised = PROMISED.read_text(encoding="utf-8")
    if asked.release:
        if refusal := _why_not(promised, present):
            print(refusal, file=sys.stderr)
            return 1
        PROMISED.write_text(present, encoding="utf-8")
        return 0
    said = [*differences(PRESENT.read_text(encoding="utf-8"), present), *broken_promises(promised, present)]
    print("\n".join(said) or f"the public surface is as promised by {version_of(promised)}")
    return 1 if said else 0


def _why_not(promised: str, present: str) -> str:
    """Why a promise cannot be written anew: the version it was given for is out, and its promise stands."""
    given = version_of(promised)
    is_out = f"## [{given}]" in CHANGES.read_text(encoding="utf-8")
    broken = broken_promises(promised, present) if is_out else []
    return "\n".join([f"{given} is released and promises more than {VERSION} keeps:", *broken]) if broken else ""


if __name__ == "__main__":
    sys.exit(main())
