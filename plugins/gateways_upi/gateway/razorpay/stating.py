"""What Razorpay states that it settled: day by day as its list goes, then what it paid out to the bank."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from kernel.wire import Page
from plugins.gateways_upi.gateway.razorpay.calls import call
from plugins.gateways_upi.rules.razorpay.facts import items
from plugins.gateways_upi.rules.razorpay.lines import paid_out, stated
from plugins.payments.api import Line, StatementLine, Statements, Window

KOLKATA: Final = "Asia/Kolkata"
STATEMENTS: Final = Statements(
    kinds=("payment", "refund", "payout", "adjustment"),
    zone=KOLKATA,
    reaches_back=dt.timedelta(days=92),
    complete_after=dt.timedelta(days=7),
    tells_fees=True,
    tells_settlements=True,
)
"""A payment is settled two working days after it was made, later around holidays; it is stated when it is settled. How
far back the list goes Razorpay does not say; three months are asked for at most.
"""
ROWS: Final = 1000
SETTLEMENTS: Final = 100
_CURSOR: Final = re.compile(r"(payouts|[0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9]{1,6})\Z", re.ASCII)


async def page_of(line: Line, window: Window, cursor: str | None) -> Page[StatementLine]:
    """One page: of a day's settlements, or of what was paid out. Raises GatewayFailed."""
    zone = ZoneInfo(KOLKATA)
    first, last = window.since.astimezone(zone).date(), min(window.until, line.now).astimezone(zone).date()
    found = _CURSOR.match(cursor or f"{first.isoformat()}/0")
    if found is None or window.since >= window.until:
        return Page([], None)
    skip = int(found[2])
    if found[1] == "payouts":
        return await _payouts(line, window, skip)
    day = dt.date.fromisoformat(found[1])
    asked = {"year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}", "count": ROWS, "skip": skip}
    rows = items(await call(line, "GET", f"/settlements/recon/combined?{urlencode(asked)}"))
    lines = [one for row in rows if (one := stated(row)) is not None]
    if len(rows) == ROWS:
        return Page(lines, f"{day.isoformat()}/{skip + ROWS}")
    after = day + dt.timedelta(days=1)
    return Page(lines, f"{after.isoformat()}/0" if after <= last else "payouts/0")


async def _payouts(line: Line, window: Window, skip: int) -> Page[StatementLine]:
    asked = {
        "from": int(window.since.timestamp()),
        "to": int(window.until.timestamp()),
        "count": SETTLEMENTS,
        "skip": skip,
    }
    rows = items(await call(line, "GET", f"/settlements?{urlencode(asked)}"))
    lines = [one for row in rows if (one := paid_out(row)) is not None]
    return Page(lines, f"payouts/{skip + SETTLEMENTS}" if len(rows) == SETTLEMENTS else None)
