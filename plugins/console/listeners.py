"""The console's own part in itself: the dashboard, and what of the kernel has pages here."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import answers
from plugins.console.schemas import Block, Find, Nav, Notice, Page
from plugins.console.services import (
    account,
    approvals,
    apps,
    audit,
    dashboard,
    noticed,
    operating,
    people,
    places,
    settings,
    setup,
    supporting,
)


@answers
def console_nav() -> Sequence[Nav]:
    """The entries for what no plugin owns."""
    return (
        Nav("trade", "Dashboard", "/", "layout-dashboard", order=0),
        *approvals.NAVS,
        *apps.NAVS,
        *people.NAVS,
        *places.NAVS,
        *settings.NAVS,
        *audit.NAVS,
        *supporting.NAVS,
        *operating.NAVS,
    )


@answers
def console_pages() -> Sequence[Page]:
    """The pages for what no plugin owns."""
    return (
        *dashboard.PAGES,
        *approvals.PAGES,
        *apps.PAGES,
        *people.PAGES,
        *places.PAGES,
        *account.PAGES,
        *settings.PAGES,
        *audit.PAGES,
        *supporting.PAGES,
        *operating.PAGES,
        *setup.PAGES,
    )


@answers
def console_blocks() -> Sequence[Block]:
    """How far a business is set up, on its dashboard."""
    return setup.BLOCKS


@answers
def console_finds() -> Sequence[Find]:
    """Apps by words."""
    return (*apps.FINDS,)


@answers
def console_notices() -> Sequence[Notice]:
    """Approvals, invitations, apps that need somebody, and the deployment to its operators."""
    return (*noticed.NOTICES, *supporting.NOTICES)
