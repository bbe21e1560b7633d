"""The console's own part in itself: the dashboard, and what of the kernel has pages here."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import answers
from plugins.console.schemas import Nav, Page
from plugins.console.services import apps, dashboard, operating, settings


@answers
def console_nav() -> Sequence[Nav]:
    """The entries for what no plugin owns."""
    return (Nav("trade", "Dashboard", "/", "layout-dashboard", order=0), *apps.NAVS, *settings.NAVS, *operating.NAVS)


@answers
def console_pages() -> Sequence[Page]:
    """The pages for what no plugin owns."""
    return (
        Page("/", "dashboard.html", "Dashboard", read=dashboard.read),
        *apps.PAGES,
        *settings.PAGES,
        *operating.PAGES,
    )
