"""Pages and cards of a plugin as they are shown to the owner of a filled shop."""

from __future__ import annotations

from kernel.registry import Loaded
from kernel.testing.box import Box
from plugins.console import hooks
from plugins.console.testing.browser import Browser

NOT_SHOWN = "This page could not be shown"
IN_PART = "A part of "


async def trial_of(box: Box, plugin: Loaded) -> list[str]:
    """What cannot be shown: of each page whose path has no parameter, and each card.

    box: with the plugin on, and things in it to show.
    """
    registry, found = box.deployment.registry, []
    every = registry.hooks_for(registry.plugins)
    await box.client("owner").post("/api/v1/plugins/console/enable")
    owner, operator = Browser(box), Browser(box, "operator")
    for answer in every.offers(hooks.console_pages):
        for page in answer.value or () if answer.plugin == plugin.name else ():
            if "{" in page.path:
                continue
            path = page.path if plugin.name == "console" else f"/{plugin.name}{page.path}"
            shown = await (operator if page.permission == "operator" else owner).get(path)
            if shown.status >= 500:
                found.append(f"page {path}: it cannot be shown ({shown.status}); the log says why")
            elif IN_PART in shown.text:
                found.append(f"page {path}: a part of it cannot be shown; the log says why")
    for told in every.offers(hooks.console_cards):
        for card in told.value or () if told.plugin == plugin.name else ():
            shown = await owner.get(f"/card/{plugin.name}/{card.name}")
            if shown.status >= 500 or IN_PART in shown.text:
                found.append(f"card {card.name}: it cannot be shown; the log says why")
    return found
