"""How long and how large a bench is: its own figures, unless the environment names others.

BENCH_ROUNDS, BENCH_SECONDS (of one measurement), BENCH_PRODUCTS, BENCH_CLIENTS ("1,4"), BENCH_SALES (of the past).
"""

from __future__ import annotations

import os


def rounds(default: int = 3) -> int:
    """How many rounds; figures are medians over them."""
    return int(os.environ.get("BENCH_ROUNDS", default))


def seconds(default: float = 3.0) -> float:
    """How long one measurement lasts."""
    return float(os.environ.get("BENCH_SECONDS", default))


def products(default: int = 500) -> int:
    """How many products the shop has."""
    return int(os.environ.get("BENCH_PRODUCTS", default))


def clients(*default: int) -> tuple[int, ...]:
    """How many clients at once, one measurement after another."""
    said = os.environ.get("BENCH_CLIENTS")
    return tuple(int(one) for one in said.split(",")) if said else default


def sales(default: int) -> int:
    """How many sales of the past are loaded."""
    return int(os.environ.get("BENCH_SALES", default))
