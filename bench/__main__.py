"""Run every bench."""

from bench.checkout import main

main()
