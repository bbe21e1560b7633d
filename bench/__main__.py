"""Run every bench, or those named: `python -m bench checkout lines`. How long and how large: bench/sizes.py."""

import sys
from importlib import import_module

ALL = ("checkout", "lines", "hot", "sqlite", "growth", "hooks", "start", "looking_up", "pricing", "initiate", "pages")

if __name__ == "__main__":
    wanted = sys.argv[1:] or ALL
    if unknown := set(wanted) - set(ALL):
        sys.exit(f"no bench called {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    for name in wanted:
        import_module(f"bench.{name}").main()
