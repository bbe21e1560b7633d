"""Doing without an answer that failed: its strike is noted, and what was under way begins again without it."""

from __future__ import annotations

from kernel.errors import PluginFailed
from kernel.hooks import LeftOut, Pair
from kernel.work.deployment import Deployment
from kernel.work.standing import Standing


def note_strike(deployment: Deployment, standing: Standing, failed: LeftOut | PluginFailed) -> None:
    """Count a failing answer against its plugin in the business."""
    deployment.strikes.note(standing.business_id, failed.failure, deployment.clock())


def one_more(deployment: Deployment, standing: Standing, left_out: frozenset[Pair], failed: LeftOut) -> frozenset[Pair]:
    """Note the strike; returns what is to be left out from now on. Raises PluginFailed if it was left out already."""
    note_strike(deployment, standing, failed)
    pair = (failed.failure.plugin, failed.failure.hook)
    if pair in left_out:
        raise PluginFailed(failed.failure, failed.failure.plugin) from failed
    return left_out | {pair}
