"""The command line: `duka …`. It asks only on a terminal and says what is wrong in one line. Exit codes:

0 done · 1 a check failed or the command could not do its work · 2 wrong usage or settings.
"""

from kernel.cli import audit, database, demo, personal, plugins, second_factor, serve, worker
from kernel.cli.main import main

__all__ = ["audit", "database", "demo", "main", "personal", "plugins", "second_factor", "serve", "worker"]
