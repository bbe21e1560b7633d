"""The command line as an operator meets it: what it prints, its exit codes, what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app import open_deployment
from kernel.auth import act
from kernel.cli import main, saying
from kernel.cli.configuration import SHELLS, without_password
from kernel.cli.main import duka
from kernel.cli.saying import Progress
from kernel.db import new_id
from kernel.db.tables import Audit, Business, Job
from kernel.settings import Settings, load_with_sources
from kernel.testing.served import environment_of
from kernel.work import Work
from tests.promises.copies import every_row
from tests.proving import ON_SQLITE

SILENT = {"run", "worker", "completion", "migration new"}
"""Commands that print no facts: they serve, or write what another program reads."""


class Said(tuple[int, str, str]):
    """Exit code, standard output, standard error."""

    @property
    def facts(self) -> Any:
        """The one JSON document that was printed."""
        return json.loads(self[1])


Call = Callable[..., Said]


@pytest.fixture
def call(
    box_settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """`duka` in this process, on a fresh copy of the two shops; settings may be given for one call."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.startswith("DUKA_")]:
        monkeypatch.delenv(name)
    for name, value in environment_of(box_settings).items():
        if name.startswith("DUKA_"):
            monkeypatch.setenv(name, value)

    def run(*words: str, **settings: str) -> Said:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["duka", *words])
            for name, value in settings.items():
                patch.setenv(f"DUKA_{name.upper()}", value)
            capfd.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        said = capfd.readouterr()
        return Said((int(ended.value.code or 0), said.out, said.err))

    return run


def commands(group: click.Group = duka, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, f"{before}{name} ")
        else:
            yield f"{before}{name}", one


def test_every_command_that_prints_facts_prints_them_as_json_too() -> None:
    without = {name for name, one in commands() if not any("--json" in option.opts for option in one.params)}
    assert without == SILENT


def test_the_exit_codes_are_those_that_the_help_states(call: Call) -> None:
    code, help_, _ = call("--help")
    assert code == 0
    assert "Exit codes: 0 done; 1 refused, failed, interrupted" in " ".join(help_.split())
    assert call("audit", "seal")[0] == 0  # or it is told of, half an hour after the shops of the tests were made
    assert call("check")[:2] == (0, "✓ configuration, database, migrations and invariants are fine\n")
    assert call("no-such-command")[0] == 2
    assert call("jobs", "list", "--state", "asleep")[0] == 2
    code, _, said = call("check", port="none")
    assert (code, said) == (2, "duka: DUKA_PORT: 'none' is not a whole number\n")
    code, _, said = call("plugin", "list", "--business", "no-such")
    assert (code, said) == (1, "duka: there is no business called 'no-such'\n")


def test_a_check_that_finds_something_ends_with_one_and_says_it_as_json(call: Call, box_settings: Settings) -> None:
    execute(
        box_settings, "INSERT INTO kernel_series (business_id, series, last) SELECT id, 'x', 1 FROM kernel_business"
    )
    execute(box_settings, "UPDATE kernel_membership SET role_id = role_id WHERE 1 = 0")
    execute(box_settings, "DELETE FROM kernel_job_payload")
    execute(box_settings, "DELETE FROM kernel_job")
    assert call("check", "--json").facts["faults"] == []
    job(box_settings, "dead", payload=False)
    said = call("check", "--json")
    assert said[0] == 1
    assert [one.partition(":")[0] for one in said.facts["faults"]] == ["every job has its payload"]


def test_a_backup_and_its_restore_say_what_they_did(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "all.duka"
    made = call("backup", str(file), "--json")
    assert made[0] == 0
    assert made.facts["bytes"] == file.stat().st_size
    assert made.facts["tables"]["kernel_business"] == 2
    code, _, said = call("backup", str(file))
    assert (code, "is there already" in said) == (1, True)
    assert call("backup", str(file), "--replace")[0] == 0
    code, _, said = call("restore", str(file))
    assert (code, "has rows in" in said) == (1, True)
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}"
    back = call("restore", str(file), "--json", database_url=url)
    assert (back[0], back.facts["broken"], back.facts["rows"]) == (0, [], made.facts["rows"])
    assert call("check", database_url=url)[0] == 0
    assert call("restore", str(tmp_path / "none.duka"))[0] == 2


def test_a_business_is_exported_and_imported_by_its_slug(call: Call, tmp_path: Path) -> None:
    file, url = tmp_path / "shop.zip", f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}"
    assert call("export", "mama-njeri", str(file), "--json").facts["business"]["slug"] == "mama-njeri"
    assert call("export", "no-such", str(tmp_path / "b.zip"))[0] == 1
    assert not (tmp_path / "b.zip").exists()
    assert call("init", "--json", database_url=url)[0] == 0
    done = call("import", str(file), "--json", database_url=url)
    assert (done[0], done.facts["broken"]) == (0, [])
    assert "owner@mama-njeri.example" in done.facts["accounts_made"]
    assert call("import", str(file), database_url=url)[0] == 1
    listed = call("plugin", "list", "--business", "mama-njeri", "--json", database_url=url).facts["plugins"]
    assert all(one["is_on"] for one in listed)


@ON_SQLITE
def test_a_plugins_data_goes_out_and_comes_back(call: Call, tmp_path: Path) -> None:
    file = str(tmp_path / "discounts.zip")
    code, _, said = call("plugin", "uninstall", "discounts", "--archive", file, "--yes")
    assert (code, said) == (1, "duka: discounts is on for mama-njeri, sharma-kirana: disable it there first\n")
    refused = call("plugin", "uninstall", "taxes", "--archive", file, "--yes")[2]
    assert "inventory stands on taxes: uninstall it first (inventory → catalog → taxes)" in refused
    for shop in ("mama-njeri", "sharma-kirana"):
        assert call("plugin", "disable", "discounts", "--business", shop)[0] == 0
    code, _, said = call("plugin", "uninstall", "discounts", "--archive", file)
    assert (code, "elsewhere say --yes" in said) == (2, True)
    only = call("plugin", "archive", "discounts", file, "--json")
    assert (only[0], only.facts["tables"]["kernel_business_plugin"]) == (0, 2)
    code, _, said = call("plugin", "uninstall", "discounts", "--archive", file, "--yes")
    assert (code, "is there already" in said) == (1, True)
    Path(file).unlink()
    done = call("plugin", "uninstall", "discounts", "--archive", file, "--yes", "--json")
    assert (done[0], done.facts["dropped"]) == (
        0,
        {
            "discounts_use": 0,
            "discounts_coupon": 0,
            "discounts_promotion": 0,
            "discounts_left": 0,
            "discounts_claim": 0,
        },
    )
    assert "uninstalled; `duka plugin install discounts` brings it back" in call("plugin", "list")[1]
    assert call("init")[0] == 0
    assert call("check")[0] == 0, "that it is not there is no fault"
    assert call("plugin", "enable", "discounts", "--business", "mama-njeri")[0] == 1
    assert call("plugin", "install", "discounts", "--json").facts["migrated"] == [
        "discounts_0001",
        "discounts_0002",
        "discounts_0003",
    ]
    assert call("plugin", "install", "discounts", "--json").facts["was_there"] is True
    back = call("plugin", "restore", file, "--json")
    assert (back[0], back.facts["rows"], back.facts["differing"]) == (0, 2, {})
    assert call("plugin", "enable", "discounts", "--business", "mama-njeri")[0] == 0
    assert call("plugin", "restore", file)[0] == 1
    assert call("plugin", "restore", str(tmp_path / "none.zip"))[0] == 2


def test_a_dead_job_is_listed_with_its_reason_and_tried_again_in_the_trail(call: Call, box_settings: Settings) -> None:
    dead = [job(box_settings, "dead", business) for business in ("mama-njeri", "mama-njeri", "sharma-kirana")]
    waiting = job(box_settings, "pending", "mama-njeri")
    listed = call("jobs", "dead", "--json").facts
    assert {one["id"] for one in listed["jobs"]} == {str(one) for one in dead}
    assert {one["error"] for one in listed["jobs"]} == {"it broke"}
    assert call("jobs", "list", "--state", "pending", "--business", "mama-njeri", "--json").facts["total"] == 1
    assert call("jobs", "list", "--plugin", "sales", "--json").facts["total"] == 0
    assert "… and 3 more" in call("jobs", "list", "--limit", "1")[1]
    assert call("jobs", "retry", str(dead[0]))[:2] == (0, "1 put back\n")
    code, _, said = call("jobs", "retry", str(dead[0]))
    assert (code, "is not dead" in said) == (1, True)
    assert call("jobs", "retry", str(waiting))[0] == 1
    assert call("jobs", "retry", str(uuid.uuid4()))[0] == 1
    assert call("jobs", "retry")[0] == 2
    assert call("jobs", "retry", "--all", "--business", "mama-njeri", "--json").facts == {"retried": [str(dead[1])]}
    left = call("jobs", "dead", "--json").facts["jobs"]
    assert [one["business"] for one in left] == ["sharma-kirana"]
    assert call("jobs", "drop", str(dead[2])) == (0, "1 dropped\n", "")
    assert call("jobs", "drop", str(dead[2]))[0] == 1
    assert call("jobs", "drop")[0] == 2
    assert call("jobs", "dead", "--json").facts["jobs"] == []
    assert call("jobs", "list", "--state", "dropped", "--json").facts["total"] == 1
    rows = asyncio.run(every_row(box_settings.url))
    told = [row for row in rows[Audit.__tablename__] if "operating.retry_job" in row]
    assert sorted(f"job:{one}" for one in dead[:2]) == sorted(
        str(value) for row in told for value in row if f"{value}".startswith("job:")
    )
    again = next(row for row in rows[Job.__tablename__] if dead[0] in row)
    assert "pending" in again
    assert 0 in again


def test_the_settings_are_shown_with_their_sources_and_without_secrets(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "DUKA_PORT=9000\nDUKA_HOST=0.0.0.0\nSECRET_KEY=from the file and long enough for it\n"
    )
    secrets = {
        "secret_key": "a very secret key, long enough to be one",
        "former_secret_keys": "the first former secret key,the second former secret key",
        "smtp_url": "smtp://post:smtp-password@mail.example:587",
        "redis_url": "redis://:redis-password@cache.example/0",
    }
    for words in (("config",), ("config", "--json")):
        code, said, _ = call(*words, port="9001", **secrets)
        assert code == 0
        for value in ("a very secret", "former secret key", "smtp-password", "redis-password", "from the file"):
            assert value not in said
        assert "mail.example" in said
    facts = call("config", "--json", port="9001", **secrets).facts["settings"]
    assert facts["port"] == {"value": 9001, "from": "environment: DUKA_PORT"}
    assert facts["host"] == {"value": "0.0.0.0", "from": ".env: DUKA_HOST"}  # noqa: S104 - as it was set
    assert facts["workers"]["from"] == "default"
    assert load_with_sources({}, tmp_path / ".env", port=9002)[1]["port"] == "command line"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+asyncpg://u:p@h:5/db", "postgresql+asyncpg://[hidden]@h:5/db"),
        ("postgresql+asyncpg://u:p@/db?host=/run/pg", "postgresql+asyncpg://[hidden]@/db?host=/run/pg"),
        ("postgresql+asyncpg:///db?user=u&password=p", "postgresql+asyncpg:///db?[hidden]"),
        ("sqlite+aiosqlite:////var/duka.sqlite3", "sqlite+aiosqlite:////var/duka.sqlite3"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_who_and_what(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_reset_asks_for_the_name_refuses_in_production_and_drops_only_what_is_dukas(
    call: Call, box_settings: Settings, tmp_path: Path
) -> None:
    execute(box_settings, "CREATE TABLE somebody_elses (id integer PRIMARY KEY)")
    before = asyncio.run(every_row(box_settings.url))
    for words in (("reset",), ("reset", "--yes")):
        code, _, said = call(*words, environment="production")
        assert (code, "in production" in said) == (1, True)
    name = box_settings.url.partition("?")[0].rpartition("/")[2]
    assert answered(box_settings, "mistyped\n") == (1, f"duka: 'mistyped' is not '{name}'; nothing was dropped")
    assert asyncio.run(every_row(box_settings.url)) == before
    code, last = answered(box_settings, f"{name}\n")
    assert (code, f"dropped from {name}" in last) == (0, True)
    assert asyncio.run(every_row(box_settings.url)) == {}
    execute(box_settings, "INSERT INTO somebody_elses VALUES (1)")
    assert call("init")[0] == 0
    assert call("reset", "--yes", "--json").facts["database"] == name
    execute(box_settings, "DROP TABLE somebody_elses")


def answered(settings: Settings, typed: str) -> tuple[int, str]:
    """`duka reset` on a terminal, with an answer typed: exit code and the last line that is seen."""
    mine, theirs = os.openpty()
    command = [sys.executable, "-W", "ignore", "-c", "from kernel.cli import main; main()", "reset"]
    process = subprocess.Popen(
        command, env=environment_of(settings), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    os.write(mine, typed.encode())
    said, _ = process.communicate(timeout=60)
    os.close(mine)
    os.close(theirs)
    return process.returncode, said.decode().strip().splitlines()[-1].rpartition("go on: ")[2]


@ON_SQLITE
def test_made_up_businesses_are_believable_and_never_the_same(call: Call) -> None:
    first = call("seed", "--businesses", "2", "--days", "1", "--json")
    assert first[0] == 0, first
    second = call("seed", "--businesses", "1", "--days", "1", "--json")
    slugs = [one["business"] for one in (*first.facts["businesses"], *second.facts["businesses"])]
    assert len(set(slugs)) == 3
    assert call("check")[0] == 0
    assert call("seed")[0] == 1, "the demo is for an empty database"
    assert call("seed", "--businesses", "1", environment="production")[0] == 1
    assert call("seed", "--businesses", "0")[0] == 2


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_told_how_to_complete(
    shell: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def said(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["duka", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capfd.readouterr().out

    script = said("completion", shell)
    assert f"_DUKA_COMPLETE={shell}_complete" in script
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=script.encode(), check=True)
    monkeypatch.setenv("_DUKA_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "duka ba")
    monkeypatch.setenv("COMP_CWORD", "ba" if shell == "fish" else "1")
    answer = said()
    assert "backup" in answer
    assert "restore" not in answer


def test_progress_goes_to_stderr_a_line_every_few_seconds_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress() as progress:
        progress("restoring", 10, 20)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(saying, "LINE_EVERY_S", 0.0)
    with Progress() as progress:
        progress("verifying", 5, 20)
        progress("restoring", 10, 20)
        progress("restoring", 15, 20)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "verifying: 5 of 20 rows, 0 s",
        "restoring: 10 of 20 rows, 0 s",
        "restoring: 25 rows, 0 s",
    ]


def execute(settings: Settings, statement: str) -> None:
    """Run a statement as the database's own superuser."""

    async def run() -> None:
        engine = create_async_engine(settings.url)
        async with engine.begin() as connection:
            await connection.execute(sa.text(statement))
        await engine.dispose()

    asyncio.run(run())


def job(settings: Settings, state: str, business: str = "mama-njeri", *, payload: bool = True) -> uuid.UUID:
    """A job in a state; without its payload it breaks an invariant."""

    async def make() -> uuid.UUID:
        deployment = open_deployment(settings)

        async def insert(work: Work) -> uuid.UUID:
            found = await work.execute(sa.select(Business.id).where(Business.slug == business))
            id_, owner = new_id(), found.scalar_one()
            said = {"plugin": "kernel", "name": "kernel.forget_old_keys", "run_at": work.now, "created_at": work.now}
            ended = {"attempts": 8, "error": "it broke", "ended_at": work.now} if state == "dead" else {}
            row = sa.insert(Job).values(id=id_, business_id=owner, state=state, **said, **ended)
            await work.execute(row)
            return id_

        async def find(work: Work) -> uuid.UUID:
            return await insert(work)

        made = await act(deployment, None, find, deed="test")
        await deployment.database.dispose()
        return made

    id_ = asyncio.run(make())
    if payload:
        empty = "'{}'"
        execute(
            settings,
            f"INSERT INTO kernel_job_payload SELECT business_id, id, {empty} FROM kernel_job WHERE id ="
            f" '{id_ if settings.url.startswith('postgresql') else id_.hex}'",
        )
    return id_


def test_every_command_is_on_the_page_about_them() -> None:
    page = (Path(__file__).parents[1] / "docs" / "commands.md").read_text()
    names = {name for name, _ in commands()}
    assert [name for name in sorted(names) if name not in page] == []
    assert len(names) > 20
