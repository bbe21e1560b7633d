"""Payments in the console: money in and out, accounts at gateways, what somebody must decide, operators' switches."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.hooks import answers
from plugins.console.api import Block, Card, Nav, Notice, Page
from plugins.payments.with_console import gateways, money


@answers
def console_nav() -> Sequence[Nav]:
    """Money, gateways, the review queue, and the switches of operators."""
    return (*money.NAVS, *gateways.NAVS)


@answers
def console_pages() -> Sequence[Page]:
    """Payments and refunds, accounts at gateways, the review queue, and the matrix of gateways and regions."""
    return (*money.PAGES, *gateways.PAGES)


@answers
def console_cards() -> Sequence[Card]:
    """Money that waits for somebody to decide."""
    return money.CARDS


@answers
def console_notices() -> Sequence[Notice]:
    """The same, for the bell; and accounts at gateways that are unwell."""
    return (*money.NOTICES, *gateways.NOTICES)


@answers
def console_blocks() -> Sequence[Block]:
    """The accounts at gateways beside the settings, each with a button that tries it."""
    return gateways.BLOCKS
