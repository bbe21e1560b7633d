"""duka reseal: secrets under the present key, so that a former one can be forgotten."""

from __future__ import annotations

import sys

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.resealing import Resealed, reseal_all
from kernel.cli.main import duka, run
from kernel.cli.saying import json_option, say
from kernel.settings import Settings


@duka.command("reseal")
@json_option
def reseal(as_json: bool) -> None:
    """Seal anew, under the present secret key, what is sealed under a former one.

    First start every server with the new DUKA_SECRET_KEY and the former one in DUKA_FORMER_SECRET_KEYS; then this;
    then the former one may go. Exit code 1 if something is sealed under a key that is not set.
    """
    done = run(_reseal(settings_of()))
    counts = {"second factors": done.second_factors, "PINs": done.pins, "settings": done.settings, **done.of_plugins}
    lines = [f"{count:6} {what}" for what, count in counts.items() if count] or ["Nothing was under a former key."]
    say(as_json, done, [*lines, *(f"✗ {slug}: {why}" for slug, why in done.failed.items())])
    if done.failed:
        sys.exit(1)


async def _reseal(settings: Settings) -> Resealed:
    async with opened(settings, settle=True) as deployment:
        return await reseal_all(deployment)
