"""The API of reports."""

from __future__ import annotations

from kernel.web import query
from kernel.wire import Download
from kernel.work import Work
from plugins.analytics import services
from plugins.analytics.schemas import Report, ReportQuery


@query("/sales", permission="analytics.see")
async def report_sales(work: Work, query: ReportQuery) -> Report:
    """What was sold in a period, added up by day, hour, day of the week, product, cashier, place or way of paying.

    Days are business days of the place of sale, hours those of the business's zone. Voided sales count for nothing. By
    way of paying it is the money that came, less what went back in the period.
    """
    return await services.report(work, query)


@query("/sales/csv", permission="analytics.see")
async def export_report(work: Work, query: ReportQuery) -> Download:
    """The same as CSV with all rows, ended by a line with the sums."""
    return await services.as_csv(work, query)
