"""Places where a test may kill a process, to prove that nothing is left half done. Inert unless a test arms one."""

from __future__ import annotations

import itertools
import os
import signal

_ARMED, _, _NTH = os.environ.get("DUKA_TEST_CRASH_AT", "").partition(":")
_VICTIM = int(os.environ.get("DUKA_TEST_CRASH_PID", "0"))
_SIGNAL = signal.Signals[os.environ.get("DUKA_TEST_CRASH_SIGNAL", "SIGKILL")]
_passed = itertools.count(1)
CRASHPOINTS = (
    "gate.identified",
    "deed.begun",
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
    """Die here, without a word to anyone, if a test has armed this point; `name:3` the third time it is passed.

    With DUKA_TEST_CRASH_PID another process is struck, such as the database's, and this one has to live with it.
    """
    if _ARMED and name == _ARMED and next(_passed) == int(_NTH or 1):
        os.kill(_VICTIM or os.getpid(), _SIGNAL)
