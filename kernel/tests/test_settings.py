"""Settings: each fault is named, nothing unknown is passed over, the secret stays secret."""

from __future__ import annotations

import multiprocessing
import re
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kernel.errors import SettingsFault
from kernel.settings import ALIASES, Settings, load_settings, secret_key

NO_FILE = Path("/nowhere/.env")
EXAMPLE = Path(__file__).parents[2] / ".env.example"


def loaded(environ: dict[str, str] | None = None, **given: Any) -> Settings:
    return load_settings(environ or {}, NO_FILE, **given)


def test_an_empty_environment_gives_the_defaults() -> None:
    assert loaded() == Settings()
    assert loaded().url.startswith("sqlite+aiosqlite:////")


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("DUKA_PROT", "8400", "DUKA_PROT is not a setting of Duka"),
        ("DUKA_", "x", "DUKA_ is not a setting"),
        ("DUKA_PORT", "eighty", "DUKA_PORT: 'eighty' is not a whole number"),
        ("DUKA_PORT", "٨٤", "DUKA_PORT"),
        ("DUKA_PORT", "-1", "DUKA_PORT"),
        ("DUKA_PORT", "", "DUKA_PORT"),
        ("DUKA_PORT", "65536", "DUKA_PORT: .*65535"),
        ("DUKA_WORKERS", "0", "DUKA_WORKERS: .*1"),
        ("DUKA_POOL_SIZE", "201", "DUKA_POOL_SIZE: .*200"),
        ("DUKA_ACCESS_TOKEN_MINUTES", "1441", "DUKA_ACCESS_TOKEN_MINUTES"),
        ("DUKA_REFRESH_TOKEN_DAYS", "0", "DUKA_REFRESH_TOKEN_DAYS"),
        ("DUKA_ENVIRONMENT", "staging", "DUKA_ENVIRONMENT: .*staging"),
        ("DUKA_LOG_LEVEL", "LOUD", "DUKA_LOG_LEVEL"),
        ("DUKA_JOBS", "on", "DUKA_JOBS"),
        ("DUKA_DATABASE_ROLE", "x; DROP ROLE y", "DUKA_DATABASE_ROLE"),
        ("DUKA_DATABASE_ROLE", "role'", "DUKA_DATABASE_ROLE"),
        ("DUKA_DATABASE_URL", "postgres://localhost/duka", "DUKA_DATABASE_URL: must start with"),
        ("DUKA_DATABASE_URL", "mysql://x", "DUKA_DATABASE_URL"),
        ("DUKA_SECRET_KEY", "short", "DUKA_SECRET_KEY: at least 32"),
    ],
)
def test_a_bad_setting_is_named(variable: str, value: str, fault: str) -> None:
    with pytest.raises(SettingsFault, match=fault):
        loaded({variable: value})


def test_a_secret_is_not_repeated_in_the_fault() -> None:
    with pytest.raises(SettingsFault) as told:
        loaded({"DUKA_SECRET_KEY": "swordfish"})
    assert "swordfish" not in str(told.value)


def test_several_processes_on_sqlite_are_refused_in_production() -> None:
    with pytest.raises(SettingsFault, match="DUKA_WORKERS"):
        loaded({"DUKA_ENVIRONMENT": "production", "DUKA_WORKERS": "2"})
    assert loaded({"DUKA_ENVIRONMENT": "production", "DUKA_WORKERS": "1"}).production


def test_lists_are_separated_by_commas() -> None:
    settings = loaded({"DUKA_ALLOWED_HOSTS": "a.example, b.example ,", "DUKA_CORS_ORIGINS": ""})
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.cors_origins == ()


def test_the_environment_is_above_the_file_and_what_is_given_above_both(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DUKA_PORT=1\nDUKA_HOST=file\nDUKA_WORKERS=3\nSECRET_KEY=" + "f" * 32 + "\nUNRELATED=x\n")
    settings = load_settings({"DUKA_HOST": "environment", "DUKA_PORT": "2"}, file, port=3, workers=None)
    assert (settings.host, settings.port, settings.workers) == ("environment", 3, 3)
    assert settings.secret_key == "f" * 32


def test_the_owner_named_in_the_environment_is_above_the_one_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    for line in ("PLATFORM_OWNER_EMAIL=file@x.example", "DUKA_PLATFORM_OWNER_EMAIL=file@x.example"):
        file.write_text(line)
        assert load_settings({}, file).platform_owner_email == "file@x.example"
        known = load_settings({"PLATFORM_OWNER_EMAIL": "environment@x.example"}, file)
        assert known.platform_owner_email == "environment@x.example"


def test_well_known_names_count_in_the_file_only(tmp_path: Path) -> None:
    """Other programs' DATABASE_URL in a shell must not send Duka to their database."""
    assert loaded({"DATABASE_URL": "sqlite+aiosqlite:///other.db", "SECRET_KEY": "x"}) == Settings()
    file = tmp_path / ".env"
    file.write_text("DATABASE_URL=sqlite+aiosqlite:///mine.db\nDUKA_REDIS_URL=redis://a\nREDIS_URL=redis://b\n")
    settings = load_settings({}, file)
    assert settings.url == "sqlite+aiosqlite:///mine.db"
    assert settings.redis_url == "redis://a"


def test_variables_for_tests_are_no_settings() -> None:
    assert loaded({"DUKA_TEST_CRASH_AT": "deed.flushed", "DUKA_TEST_ANYTHING": "1"}) == Settings()


def test_an_unknown_name_in_the_file_is_named_too(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DUKA_PROT=1\n")
    with pytest.raises(SettingsFault, match="DUKA_PROT"):
        load_settings({}, file)


def test_a_secret_is_made_once_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path / "home"))
    secret = secret_key(settings)
    assert len(secret) >= 32
    assert secret_key(settings) == secret
    assert [path.name for path in settings.home_path.iterdir()] == ["secret"]
    assert stat.S_IMODE((settings.home_path / "secret").stat().st_mode) == 0o600
    assert secret_key(Settings(home=str(tmp_path / "other"))) != secret


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    secret_key(settings)
    for mode in (0o640, 0o604, 0o644):
        (tmp_path / "secret").chmod(mode)
        with pytest.raises(SettingsFault, match="chmod 600"):
            secret_key(settings)


@pytest.mark.parametrize("content", ["", "\n", "short"])
def test_a_secret_file_that_holds_too_little_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(SettingsFault, match="at least 32"):
        secret_key(Settings(home=str(tmp_path)))


def _read_secret(home: str, barrier: Any, said: Any) -> None:
    barrier.wait()
    said.put(secret_key(Settings(home=home)))


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, said = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_read_secret, args=(str(tmp_path), barrier, said)) for _ in range(4)]
    for process in processes:
        process.start()
    secrets = {said.get(timeout=120) for _ in processes}
    for process in processes:
        process.join()
    assert len(secrets) == 1


def test_the_example_file_shows_every_setting_with_its_default() -> None:
    lines = EXAMPLE.read_text().splitlines()
    found = [re.fullmatch(r"#? ?(DUKA_\w+)=(.*)", line) for line in lines]
    shown = {match[1]: match[2] for match in found if match}
    fields = {one.encode_name: one for one in msgspec.structs.fields(Settings)}
    assert [f"DUKA_{name.upper()}" for name in fields] == list(shown)
    for name, one in fields.items():
        default = one.default
        wanted = ",".join(default) if isinstance(default, tuple) else str(default)
        assert shown[f"DUKA_{name.upper()}"] == wanted, name
    text = EXAMPLE.read_text()
    for name in ALIASES:
        assert name in text, name


def test_the_example_file_can_be_used_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    text = EXAMPLE.read_text()
    file.write_text(text)
    assert load_settings({}, file) == Settings()
    file.write_text(re.sub(r"^# ?(?=DUKA_)", "", text, flags=re.M))
    assert load_settings({}, file) == Settings()


def test_every_setting_says_what_it_is() -> None:
    said = msgspec.json.schema(Settings)["$defs"]["Settings"]["properties"]
    assert {name for name, schema in said.items() if not schema.get("description")} == set()
