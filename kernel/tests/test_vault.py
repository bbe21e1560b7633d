"""What is sealed stays shut without the deployment's key; a dump of the database gives no secret (P38)."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.auth.credentials import SecondFactor
from kernel.auth.models import User
from kernel.auth.secrets import totp, vault
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import PASSWORD, Box, open_box
from kernel.tests.factors import login, set_up, told
from kernel.work import Work


async def test_a_dump_of_the_database_gives_neither_secret_nor_recovery_codes(box: Box) -> None:
    phone, codes = await set_up(box)
    await login(box, code=phone.code())
    secret = totp.as_text(phone.secret)
    text = await dump(box)
    for needle in (secret, secret.lower(), phone.secret.hex(), *codes, *(one.replace("-", "") for one in codes)):
        assert needle not in text
    assert PASSWORD not in text


async def dump(box: Box) -> str:
    """Every value of every kernel table, as the database's own login sees it."""
    engine = create_async_engine(box.deployment.settings.url)
    said: list[str] = []
    try:
        async with engine.connect() as connection:
            for table in User.metadata.sorted_tables:
                if table.name.startswith("kernel_"):
                    for row in (await connection.execute(sa.select(table))).all():
                        said += [value.hex() + repr(value) if isinstance(value, bytes) else str(value) for value in row]
    finally:
        await engine.dispose()
    return "\n".join(said)


async def test_a_sealed_secret_does_not_open_for_another_person(box: Box) -> None:
    """Whoever may write to the database cannot make somebody's factor their own by copying a row."""
    mine, _ = await set_up(box, "manager")
    await set_up(box, "owner")

    async def swap(work: Work) -> None:
        rows = {role: box.people["mama-njeri", role].id for role in ("owner", "manager")}
        sealed = sa.select(SecondFactor.sealed).where(SecondFactor.user_id == rows["manager"])
        stolen = (await work.execute(sealed)).scalar_one()
        await work.execute(sa.update(SecondFactor).where(SecondFactor.user_id == rows["owner"]).values(sealed=stolen))

    await box.act(swap)
    answer = await login(box, "owner", code=mine.code())
    assert told(answer) == (409, "sealed-under-another-key")


async def test_after_a_change_of_the_secret_key_the_former_one_still_opens(
    box: Box, box_settings: Settings, registry: Registry
) -> None:
    phone, codes = await set_up(box)
    new = "another secret key that is long enough"
    rotated = msgspec.structs.replace(box_settings, secret_key=new, former_secret_keys=(box_settings.secret_key,))
    after = await open_box(rotated, registry, clock=box.clock)
    try:
        assert (await login(after, code=phone.code())).status_code == 200
        assert (await login(after, code=codes[0])).status_code == 200
    finally:
        await after.close()


def test_a_seal_is_bound_to_key_purpose_and_owner(box: Box) -> None:
    deployment = box.deployment
    sealed = vault.seal(deployment, "a purpose", "me", "words")
    assert b"words" not in sealed
    assert vault.unseal(deployment, "a purpose", "me", sealed) == "words"
    strange = dataclasses.replace(deployment, secret="the secret of another deployment")
    for other, purpose, owner in (
        (deployment, "another", "me"),
        (deployment, "a purpose", "you"),
        (strange, "a purpose", "me"),
    ):
        with pytest.raises(vault.SealBroken):
            vault.unseal(other, purpose, owner, sealed)
