"""Charts and the figures beside them are exact, down to the last cent; only pixels are rounded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plugins.console import listeners
from plugins.console.services.charting import WHOLE, Bar, change, chart_of, exact, share, trend

PLUGINS = Path(listeners.__file__).parents[1]
LOSSY = re.compile(r"\|\s*float\b|\bfloat\(")


def test_bars_are_as_tall_as_their_part_of_a_round_figure_above_them() -> None:
    drawn = chart_of([("Mon", ["150.00"]), ("Tue", ["50.00", "25.50"]), ("Wed", ["0"]), ("Thu", ["-3.00"])])
    assert drawn.ticks == [(0, "0"), (250, "50"), (500, "100"), (750, "150"), (1000, "200")]
    assert dict(drawn.rows) == {
        "Mon": [Bar("150.00", 0, 750)],
        "Tue": [Bar("50.00", 0, 250), Bar("25.50", 250, 128)],
        "Wed": [Bar("0", 0, 0)],
        "Thu": [Bar("-3.00", 0, 0)],
    }


@pytest.mark.parametrize("most", ["0", "0.01", "1", "4", "7.50", "10", "999999999999.99"])
def test_no_bar_stands_out_of_its_chart(most: str) -> None:
    drawn = chart_of([("a", [most]), ("b", ["0"])])
    assert all(0 <= bar.low <= bar.low + bar.tall <= WHOLE for _, bars in drawn.rows for bar in bars)
    assert [bar.value for _, bars in drawn.rows for bar in bars] == [most, "0"], "what is told is what came"


def test_shares_and_changes_are_reckoned_without_a_float() -> None:
    assert [share("1.00", "3.00"), share("2.00", "3.00"), share("-1", "3"), share("1", "0")] == [333, 667, 0, 0]
    assert [change("112.50", "100.00"), change("50", "100"), change("1", "0")] == ["+13 %", "-50 %", ""]
    assert exact("0.10") + exact("0.20") == exact("0.30")
    assert [bool(exact(one)) for one in ("0.00", "0.01", None, "")] == [False, True, False, False]
    assert exact("10000000000000000.01") > exact("10000000000000000.00"), "which floats take for the same"


def test_a_trend_is_a_line_through_all_values_as_high_as_the_highest() -> None:
    assert trend(["0", "50.00", "100.00"]) == "0,24 50,12 100,0"
    assert trend(["3", "-1"]) == "0,0 100,24"
    assert [trend(one) for one in ([], ["5"], ["0", "0"])] == ["", "", ""]


def test_no_page_takes_money_for_a_float() -> None:
    pages = [*PLUGINS.glob("*/templates/**/*.html"), *PLUGINS.glob("*/with_console*.py")]
    pages += PLUGINS.glob("*/with_console/*.py")
    assert len(pages) > 80
    assert [str(one.relative_to(PLUGINS)) for one in pages if LOSSY.search(one.read_text("utf-8"))] == []
    assert LOSSY.search("{% if sale.change|float %}"), "which would be seen"
