"""A new secret key: what was sealed under the former one is sealed anew, so that the former one can be forgotten."""

from __future__ import annotations

import json

import msgspec
import pytest

from kernel.registry import Registry
from kernel.sealing import SealBroken, reseal, seal, unseal
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box, open_box
from kernel.tests.command_line import duka
from kernel.tests.factors import login, set_up

NEW = "another secret key that is long enough"


def test_what_is_sealed_under_a_former_key_is_sealed_anew_once() -> None:
    old, new = ("the former key" * 3,), ("the present key" * 3,)
    sealed = seal(old, "purpose", "owner", "words")
    fresh = reseal((*new, *old), "purpose", sealed)
    assert fresh is not None
    assert unseal(new, "purpose", "owner", fresh) == "words"
    assert reseal((*new, *old), "purpose", fresh) is None
    with pytest.raises(SealBroken):
        reseal(new, "purpose", sealed)


async def test_after_resealing_the_former_key_is_needed_no_more(
    box: Box, box_settings: Settings, registry: Registry
) -> None:
    phone, _ = await set_up(box)
    pinned = await box.client("cashier").post("/api/v1/auth/my-pin", {"pin": "7294", "password": PASSWORD})
    assert pinned.status_code == 204, pinned.text
    both = msgspec.structs.replace(box_settings, secret_key=NEW)
    former = {"DUKA_FORMER_SECRET_KEYS": box_settings.secret_key}
    code, told = await duka(both, "reseal", "--json", **former)
    done = json.loads(told)
    assert (code, done["second_factors"], done["pins"], done["failed"]) == (0, 1, 1, {})
    code, told = await duka(both, "reseal", **former)
    assert (code, told.strip()) == (0, "Nothing was under a former key.")
    after = await open_box(both, registry, clock=box.clock)
    try:
        assert (await login(after, code=phone.code())).status_code == 200
    finally:
        await after.close()


async def test_what_no_key_opens_is_said_and_the_rest_is_sealed_anew(box: Box, box_settings: Settings) -> None:
    await set_up(box)
    pinned = await box.client("cashier").post("/api/v1/auth/my-pin", {"pin": "7294", "password": PASSWORD})
    assert pinned.status_code == 204, pinned.text
    code, told = await duka(msgspec.structs.replace(box_settings, secret_key=NEW), "reseal", "--json")
    assert (code, list(json.loads(told)["failed"])) == (1, ["people", "mama-njeri"])
