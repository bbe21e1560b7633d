"""The payments that Safaricom lists (Pull Transactions): those to the PayBill or till of the last two days.

As facts, where a payment is looked for; as lines of a statement, where all are held against the books.
"""

from __future__ import annotations

import datetime as dt
import urllib.parse
from collections.abc import Sequence
from typing import Any, Final

from plugins.gateways_mpesa.gateway.calls import call, refused
from plugins.gateways_mpesa.rules.credentials import NAIROBI
from plugins.gateways_mpesa.rules.facts import pulled_facts
from plugins.gateways_mpesa.rules.lines import pulled_count, pulled_lines
from plugins.gateways_mpesa.rules.values import code, receipt
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.payments.api import GatewayFact, Line, StatementLine, Statements, Window

PATH: Final = "/pulltransactions/v1/query"
WINDOW: Final = dt.timedelta(hours=48)
PAGES: Final = 200
STATEMENTS: Final = Statements(kinds=("payment",), zone="Africa/Nairobi", reaches_back=WINDOW)
"""Payments of customers only. Reversals and what Safaricom keeps stand in the statement of its portal."""


async def since_two_days(line: Line, since: dt.datetime, until: dt.datetime) -> Sequence[GatewayFact]:
    """The payments between two instants, as far back as two days; nothing where the list is not switched on.

    The step of its offset is not documented: it goes by what has come, and ends where nothing new does.
    """
    config: MpesaConfig = line.config
    since = max(since, line.now - WINDOW)
    if not config.pulls or since >= until:
        return ()
    found: dict[str, GatewayFact] = {}
    for _ in range(PAGES):
        said = await _page(line, config, since, until, len(found))
        fresh = {fact.key: fact for fact in pulled_facts(said) if fact.key not in found}
        if not fresh:
            break
        found |= fresh
    return list(found.values())


async def page_of(line: Line, window: Window, cursor: str | None) -> tuple[Sequence[StatementLine], str | None]:
    """The lines of one page, and what to ask for the next one by: how many rows have come, read or not."""
    since = max(window.since, line.now - WINDOW)
    until = min(window.until, line.now)
    before = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() else 0
    if since >= until:
        return (), None
    said = await _page(line, line.config, since, until, before)
    rows = pulled_count(said)
    inside = [one for one in pulled_lines(said) if window.since <= one.occurred_at < window.until]
    return inside, str(before + rows) if rows else None


async def _page(line: Line, config: MpesaConfig, since: dt.datetime, until: dt.datetime, offset: int) -> Any:
    body = {
        "ShortCode": config.till or config.shortcode,
        "StartDate": _written(since),
        "EndDate": _written(until),
        "OffSetValue": str(offset),
    }
    path = PATH if config.pull_method == "POST" else f"{PATH}?{urllib.parse.urlencode(body)}"
    said = await call(line, path, body, method=config.pull_method)
    number = code(said.get("ResponseCode"))
    if number not in ("1000", "1001"):
        raise refused("unknown", "Safaricom does not list payments", number, said.get("ResponseMessage"))
    return said if number == "1000" else {}


async def sign_up(line: Line) -> str:
    """Have the list kept for the shortcode; in words."""
    config: MpesaConfig = line.config
    body = {
        "ShortCode": config.till or config.shortcode,
        "RequestType": "Pull",
        "NominatedNumber": config.pull_number or "",
        "CallBackURL": line.notify,
    }
    said = await call(line, "/pulltransactions/v1/register", body)
    number = code(said.get("ResponseCode", said.get("ResponseStatus")))
    return f"Payments of {body['ShortCode']} are listed (Safaricom answered {receipt(number) or number or 'nothing'})"


def _written(at: dt.datetime) -> str:
    return at.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S")
