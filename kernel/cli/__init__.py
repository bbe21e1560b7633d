"""The command line: `duka …`. It asks only on a terminal and says what is wrong in one line. Exit codes:

0 done · 1 a check failed, the command was refused or could not do its work, Ctrl-C · 2 wrong usage or settings.
"""

import gc
import sys

gc.disable()  # it would look through what is loaded again and again, a fifth of the time, and find nothing
try:
    from kernel.cli import (
        audit,
        backups,
        building,
        configuration,
        database,
        demo,
        developing,
        jobs,
        moving,
        personal,
        plugin_data,
        plugin_health,
        plugin_kit,
        plugins,
        recording,
        resealing,
        reset,
        second_factor,
        serve,
        worker,
    )
    from kernel.cli.main import main
except KeyboardInterrupt:  # loading takes a second
    sys.exit("Stopped.")
gc.freeze()
gc.enable()

__all__ = [
    "audit",
    "backups",
    "building",
    "configuration",
    "database",
    "demo",
    "developing",
    "jobs",
    "main",
    "moving",
    "personal",
    "plugin_data",
    "plugin_health",
    "plugin_kit",
    "plugins",
    "recording",
    "resealing",
    "reset",
    "second_factor",
    "serve",
    "worker",
]
