"""The use cases of reports."""

from plugins.analytics.services.reporting import as_csv, report

__all__ = ["as_csv", "report"]
