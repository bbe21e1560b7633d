"""P38: a backup holds no secret key in clear, tells which one it needs, and brings it along only under a passphrase."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from kernel.app import open_deployment
from kernel.app.home import ANCHORS
from kernel.app.portable.keys import fingerprint, key_said, unwrap, wrap
from kernel.audit import read_anchor_file
from kernel.auth.secrets import vault
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box
from kernel.testing.servers import Postgres
from kernel.tests.command_line import duka
from kernel.tests.trails import sealer
from tests.promises.copies import empty_database, every_row, table_names

PASSPHRASE = "battery staple of a horse"
OTHER = "another secret key which is long enough too"


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Callable[[], Postgres]:
    """The run's PostgreSQL server, started only where it is needed."""
    return lambda: request.getfixturevalue("postgres")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return file


async def backed_up(settings: Settings, path: Path, *options: str) -> tuple[Path, str]:
    code, said = await duka(settings, "backup", str(path), *options)
    assert code == 0, said
    return path, said


def all_bytes(path: Path) -> bytes:
    with zipfile.ZipFile(path) as file:
        return path.read_bytes() + b"".join(map(file.read, file.namelist()))


def secret_of(settings: Settings) -> Path:
    return Path(settings.home, "secret")


async def test_a_backup_says_that_the_secret_key_is_not_in_it_and_it_is_not(
    box_settings: Settings, tmp_path: Path
) -> None:
    path, said = await backed_up(box_settings, tmp_path / "a.duka")
    assert f"! The secret key {fingerprint(SECRET)} is NOT in it. Keep DUKA_SECRET_KEY apart" in said
    assert SECRET.encode() not in all_bytes(path)


async def test_with_a_passphrase_the_key_comes_along_and_opens_what_was_sealed(
    box: Box, box_settings: Settings, tmp_path: Path, passphrase: Path, database: str, server: Callable[[], Postgres]
) -> None:
    options = ("--with-secret", "--passphrase-file", str(passphrase))
    path, said = await backed_up(box_settings, tmp_path / "a.duka", *options)
    assert "is in it, encrypted" in said
    held = all_bytes(path)
    assert SECRET.encode() not in held
    assert PASSPHRASE.encode() not in held
    sealed = vault.seal(box.deployment, "second factor", "somebody", "JBSWY3DP")
    async with empty_database(database, tmp_path, server) as target:
        settings = structs.replace(target, secret_key="")
        code, said = await duka(settings, "restore", str(path), "--passphrase-file", str(passphrase))
        assert code == 0, said
        assert f"✓ its secret key {fingerprint(SECRET)} is now in {secret_of(settings)}" in said
        assert secret_of(settings).read_text() == SECRET
        assert stat.S_IMODE(secret_of(settings).stat().st_mode) == 0o600
        deployment = open_deployment(settings, registry=box.deployment.registry)
        assert vault.unseal(deployment, "second factor", "somebody", sealed) == "JBSWY3DP"
        await deployment.database.dispose()


async def test_without_the_key_a_restore_says_which_one_must_be_brought(
    box: Box, box_settings: Settings, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    path, _ = await backed_up(box_settings, tmp_path / "a.duka")
    async with empty_database(database, tmp_path, server) as target:
        settings = structs.replace(target, secret_key=OTHER)
        code, said = await duka(settings, "restore", str(path))
        assert code == 0, said
        wanted = f"! The backup was taken under the secret key {fingerprint(SECRET)}; here {fingerprint(OTHER)} is set,"
        assert f"{wanted} by DUKA_SECRET_KEY" in said
        assert "named in DUKA_FORMER_SECRET_KEYS, 0 second factors" in said
        assert SECRET not in said


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    ("changes", "state", "lost"),
    [
        ({}, "same", []),
        ({"DUKA_SECRET_KEY": OTHER, "DUKA_FORMER_SECRET_KEYS": SECRET}, "former", []),
        ({"DUKA_SECRET_KEY": OTHER}, "missing", []),
        pytest.param({"former": True}, "same", [fingerprint(OTHER)], marks=pytest.mark.prove),
        pytest.param({"former": True, "DUKA_FORMER_SECRET_KEYS": OTHER}, "same", [], marks=pytest.mark.prove),
    ],
)
async def test_a_restore_knows_the_key_of_the_backup_and_former_ones(
    box_settings: Settings,
    tmp_path: Path,
    database: str,
    server: Callable[[], Postgres],
    changes: dict[str, Any],
    state: str,
    lost: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = dict(changes)
    if wanted.pop("former", False):
        (tmp_path / ".env").write_text(f"DUKA_FORMER_SECRET_KEYS={OTHER.replace(',', '')}\n")
    monkeypatch.chdir(tmp_path)
    path, _ = await backed_up(box_settings, tmp_path / "a.duka")
    (tmp_path / ".env").unlink(missing_ok=True)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in wanted.items()))
    async with empty_database(database, tmp_path, server) as target:
        settings = structs.replace(target, secret_key=wanted.get("DUKA_SECRET_KEY", SECRET))
        code, said = await duka(settings, "restore", str(path), "--json")
    assert code == 0, said
    key = json.loads(said)["key"]
    assert (key["state"], key["lost_former"]) == (state, lost)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_wrong_passphrase_writes_nothing(
    box_settings: Settings, tmp_path: Path, passphrase: Path, database: str, server: Callable[[], Postgres]
) -> None:
    path, _ = await backed_up(box_settings, tmp_path / "a.duka", "--with-secret", "--passphrase-file", str(passphrase))
    passphrase.write_text("not the passphrase")
    async with empty_database(database, tmp_path, server) as target:
        settings = structs.replace(target, secret_key="")
        code, said = await duka(settings, "restore", str(path), "--passphrase-file", str(passphrase))
        assert (code, "the passphrase is wrong" in said.lower()) == (1, True), said
        assert not secret_of(settings).exists()
        assert not await table_names(settings.url)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_key_that_is_set_is_never_replaced(
    box_settings: Settings, tmp_path: Path, passphrase: Path, database: str, server: Callable[[], Postgres]
) -> None:
    path, _ = await backed_up(box_settings, tmp_path / "a.duka", "--with-secret", "--passphrase-file", str(passphrase))
    async with empty_database(database, tmp_path, server) as target:
        settings = structs.replace(target, secret_key="")
        secret_of(settings).write_text(OTHER)
        secret_of(settings).chmod(0o600)
        code, said = await duka(settings, "restore", str(path), "--passphrase-file", str(passphrase))
        assert (code, str(secret_of(settings)) in said) == (1, True), said
        assert secret_of(settings).read_text() == OTHER
        assert not await table_names(settings.url)
        assert (await duka(settings, "restore", str(path)))[0] == 0, "without a passphrase it goes on"
        assert secret_of(settings).read_text() == OTHER


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_restore_that_is_refused_leaves_no_key_behind(
    box_settings: Settings, tmp_path: Path, passphrase: Path, database: str
) -> None:
    options = ("--passphrase-file", str(passphrase))
    path, _ = await backed_up(box_settings, tmp_path / "a.duka", "--with-secret", *options)
    full = structs.replace(box_settings, secret_key="", database_url=box_settings.url, home=str(tmp_path / "new"))
    code, said = await duka(full, "restore", str(path), *options)
    assert (code, "has rows in" in said) == (1, True)
    assert not secret_of(full).exists()


@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_passphrase_is_long_enough_and_never_without_its_option(
    box_settings: Settings, tmp_path: Path, passphrase: Path, database: str
) -> None:
    path = tmp_path / "a.duka"
    assert (await duka(box_settings, "backup", str(path), "--passphrase-file", str(passphrase)))[0] == 2
    passphrase.write_text("too short")
    options = ("--with-secret", "--passphrase-file", str(passphrase))
    assert (await duka(box_settings, "backup", str(path), *options))[0] == 2
    assert (await duka(box_settings, "backup", str(path), "--with-secret"))[0] == 2, "nobody is there to type it"
    assert not path.exists()


async def test_anchors_come_along_once_and_what_is_there_stays(
    box: Box, box_settings: Settings, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    await sealer(box).seal_all()
    assert await sealer(box).anchor_all() == 3
    here = Path(box_settings.home, ANCHORS)
    lines = here.read_bytes().splitlines()
    path, _ = await backed_up(box_settings, tmp_path / "a.duka")
    async with empty_database(database, tmp_path, server) as settings:
        there = Path(settings.home, ANCHORS)
        there.write_bytes(lines[0] + b"\n")
        code, said = await duka(settings, "restore", str(path))
        assert (code, "2 anchors of audit trails added" in said) == (0, True), said
        assert sorted(there.read_bytes().splitlines()) == sorted(lines)
        assert len(read_anchor_file(there)) == 3
        code, said = await duka(settings, "audit", "verify", "--anchors", str(there))
        assert code == 0, said


async def test_altered_anchors_are_refused_before_a_row_is_written(
    box: Box, box_settings: Settings, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    await sealer(box).seal_all()
    await sealer(box).anchor_all()
    path, _ = await backed_up(box_settings, tmp_path / "a.duka")
    lied = tmp_path / "b.duka"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(lied, "w") as new:
        for name in old.namelist():
            held = old.read(name)
            new.writestr(name, held.replace(b'"number":', b'"number":1') if name.endswith(ANCHORS) else held)
    async with empty_database(database, tmp_path, server) as settings:
        code, said = await duka(settings, "restore", str(lied))
        assert (code, f"{ANCHORS} is not what was written" in said) == (1, True), said
        assert not any((await every_row(settings.url)).values())
        assert not Path(settings.home, ANCHORS).exists()


def test_a_key_wrapped_twice_is_never_the_same_and_a_swapped_one_is_found_out() -> None:
    assert wrap(SECRET, PASSPHRASE).token != wrap(SECRET, PASSPHRASE).token
    said = key_said(SECRET, (), PASSPHRASE)
    assert unwrap(said, PASSPHRASE) == SECRET
    swapped = structs.replace(said, wrapped=wrap(OTHER, PASSPHRASE))
    with pytest.raises(Exception, match="not the one under which it was taken"):
        unwrap(swapped, PASSPHRASE)
