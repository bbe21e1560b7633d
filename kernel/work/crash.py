"""Places where a test may kill the process, to prove that nothing is left half done. Inert unless a test arms one."""

from __future__ import annotations

import os
import signal

_ARMED = os.environ.get("DUKA_TEST_CRASH_AT", "")
CRASHPOINTS = (
    "gate.identified",
    "deed.looked_up",
    "deed.priced",
    "deed.writing",
    "deed.key_taken",
    "deed.told",
    "deed.answered",
    "deed.before_flush",
    "deed.flushed",
    "deed.before_commit",
    "deed.committed",
    "deed.before_answer",
)


def crashpoint(name: str) -> None:
    """Die here, without a word to anyone, if a test has armed this point."""
    if _ARMED and name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
