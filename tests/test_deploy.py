"""What stands in deploy/: every command, setting, path and port in it is one that Duka has. No engine is needed."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]

from kernel import metrics
from kernel.app import listening
from kernel.app.served import LAST_JOB_S
from kernel.cli.main import duka
from kernel.settings import Settings, load_settings
from kernel.web.paths import WATCHED

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = ("duka.service", "duka-worker.service")
PORT = Settings().port
DUMMIES = {
    "DUKA_SECRET_KEY": "s" * 40,
    "DUKA_METRICS_TOKEN": "t" * 40,
    "DUKA_SITE": "shop.example",
    "POSTGRES_PASSWORD": "p",
}
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::\?[^}]*)?\}")


def longest_end_s(drain_s: int) -> float:
    """How long a server may take to end."""
    return drain_s + listening.LAST_ANSWER_S + listening.LINGER_S + LAST_JOB_S


def check_command(words: list[str]) -> None:
    """Fail unless `duka …` knows the command and its options."""
    known = duka.commands.get(words[0])
    assert known is not None, f"no such command: duka {words[0]}"
    options = {one for parameter in known.params for one in parameter.opts}
    assert not [word for word in words[1:] if word.startswith("-") and word.partition("=")[0] not in options]


def filled(text: str) -> str:
    return _VARIABLE.sub(lambda found: DUMMIES[found[1]], text)


@pytest.fixture(scope="module")
def steps() -> list[list[tuple[str, str]]]:
    """The Containerfile, stage by stage: (instruction, the rest)."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Containerfile").read_text())
    lines = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    stages: list[list[tuple[str, str]]] = []
    for name, _, rest in lines:
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, rest))
    return stages


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(filled((DEPLOY / "compose.yaml").read_text()))
    return read


def settings_in(environment: dict[str, str], tmp_path: Path) -> Settings:
    """The settings that a process finds; unknown names and bad values fail."""
    return load_settings(environment, tmp_path / "none")


def test_the_image_is_built_from_files_that_are_here(steps: list[list[tuple[str, str]]]) -> None:
    build, final = steps
    copied = [shlex.split(rest)[:-1] for name, rest in build if name == "COPY"]
    for source in itertools.chain(*copied):
        assert (ROOT / source).exists(), source
    assert any("--require-hashes" in rest for name, rest in build if name == "RUN")
    assert all(rest.startswith("--from=build ") for name, rest in final if name == "COPY")


def test_the_image_runs_as_nobody_special_and_fetches_nothing_in_its_last_stage(
    steps: list[list[tuple[str, str]]], tmp_path: Path
) -> None:
    final = dict(steps[-1])
    [made] = [rest for name, rest in steps[-1] if name == "RUN"]
    assert made.startswith("useradd --system --uid 10001 ")
    assert not re.search(r"\b(pip|apt|curl|wget|git|https?:)", made)
    assert final["USER"] == "10001:10001"
    assert final["STOPSIGNAL"] == "SIGTERM"
    said = dict(word.split("=", 1) for word in shlex.split(final["ENV"]))
    settings = settings_in({name: value for name, value in said.items() if name.startswith("DUKA_")}, tmp_path)
    assert (final["EXPOSE"], final["VOLUME"]) == (str(settings.port), settings.home)
    assert (settings.production, settings.host) == (True, "0.0.0.0")  # noqa: S104 - inside a container
    assert yaml.safe_load(final["ENTRYPOINT"]) == ["duka"]
    check_command(yaml.safe_load(final["CMD"]))
    [asked] = re.findall(r"http://127\.0\.0\.1:(\d+)([\w/]+)", final["HEALTHCHECK"])
    assert asked == (str(PORT), "/health/live")


def test_compose_runs_two_servers_a_worker_and_what_they_need(compose: dict[str, Any], tmp_path: Path) -> None:
    services = compose["services"]
    assert services.keys() == {"database", "redis", "server-1", "server-2", "worker", "caddy"}
    for name in ("server-1", "server-2", "worker"):
        one = services[name]
        settings = settings_in(one["environment"], tmp_path)
        host = settings.url.partition("@")[2].partition(":")[0]
        assert (host, settings.redis_url) == ("database", "redis://redis:6379/0")
        assert settings.trusted_proxies == (compose["networks"]["inside"]["ipam"]["config"][0]["subnet"],)
        assert int(one["stop_grace_period"].removesuffix("s")) > longest_end_s(settings.drain_seconds)
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert (DEPLOY / one["build"]["context"] / one["build"]["dockerfile"]).is_file()
        assert "ports" not in one, "only the proxy is open to the outside"
        check_command(one["command"])
    asked = " ".join(services["worker"]["healthcheck"]["test"])
    ports = {name: settings_in(services[name]["environment"], tmp_path).worker_port for name in ("worker", "server-1")}
    assert f"http://127.0.0.1:{ports['worker']}/health/live" in asked
    assert ports["server-1"] == 0
    assert (
        services["database"]["environment"]["POSTGRES_PASSWORD"]
        in services["server-1"]["environment"]["DUKA_DATABASE_URL"]
    )


def test_compose_names_versions_volumes_and_files_that_there_are(compose: dict[str, Any]) -> None:
    for name, one in compose["services"].items():
        assert re.search(r":\d", one["image"]), f"{name}: which version?"
        for volume in one.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), volume
        for other in one.get("depends_on", ()):
            assert other in compose["services"]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_a_command_of_ours_and_confines_it(name: str, tmp_path: Path) -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / name)
    service = unit["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert program == "/opt/duka/bin/duka"
    check_command(words)
    assert (service["User"], service["StateDirectory"]) == ("duka", "duka")
    assert HARDENED.items() <= dict(service).items()
    settings = settings_in(_environment(), tmp_path)
    assert settings.home == f"/var/lib/{service['StateDirectory']}" == service["WorkingDirectory"]
    assert service["EnvironmentFile"] == "/etc/duka/duka.env"
    assert float(service["TimeoutStopSec"]) > longest_end_s(settings.drain_seconds)


def _environment() -> dict[str, str]:
    lines = [line for line in (DEPLOY / "duka.env").read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_environment_of_the_units_is_fit_for_production(tmp_path: Path) -> None:
    settings = settings_in(_environment(), tmp_path)
    assert (settings.production, settings.host, settings.port) == (True, "127.0.0.1", PORT)
    assert settings.allowed_hosts != ("*",)
    assert settings.worker_port not in (0, settings.port)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_the_unit(name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(DEPLOY / name)], capture_output=True, text=True, check=False
    )
    assert not [line for line in done.stderr.splitlines() if name in line and "not executable" not in line]


def test_the_proxy_asks_for_readiness_and_shows_nobody_the_insides(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert text.count("{") == text.count("}")
    assert f"{{$DUKA_SERVERS:127.0.0.1:{PORT}}}" in text
    assert set(re.findall(r"\{\$(\w+)", text)) == set(compose["services"]["caddy"]["environment"])
    assert "health_uri /health/ready" in lines
    hidden = next(line for line in lines if line.startswith("@inside path ")).split()[2:]
    for path in WATCHED:
        assert any(path == one or (one.endswith("*") and path.startswith(one[:-1])) for one in hidden), path
    assert "respond @inside 404" in lines
    servers = compose["services"]["caddy"]["environment"]["DUKA_SERVERS"].split()
    assert servers == [f"server-1:{PORT}", f"server-2:{PORT}"]
    [kept] = [int(line.split()[1].removesuffix("s")) for line in lines if line.startswith("keepalive ")]
    assert kept < listening.KEPT_S
    [every] = [int(line.split()[1].removesuffix("s")) for line in lines if line.startswith("health_interval ")]
    assert every < settings_drain(compose), "the proxy must hear of the end before the listener is closed"


def settings_drain(compose: dict[str, Any]) -> int:
    return int(compose["services"]["server-1"]["environment"]["DUKA_DRAIN_SECONDS"])


def figures() -> set[str]:
    """The names of all samples there may be."""
    families = list(metrics.registry().collect())
    plain = {one.name for one in families if one.type == "gauge"}
    counted = {f"{one.name}_total" for one in families if one.type == "counter"}
    timed = {one.name for one in families if one.type == "histogram"}
    return plain | counted | {f"{name}_{end}" for name in timed for end in ("bucket", "sum", "count")}


@pytest.mark.parametrize("page", [DEPLOY / "alerts.yaml", ROOT / "docs" / "operating.md"])
def test_only_figures_that_there_are_are_spoken_of(page: Path) -> None:
    named = set(re.findall(r"\bduka_[a-z_]+\b", page.read_text())) - {"duka_app"}
    assert named
    assert named <= figures()


def test_every_alarm_says_how_urgent_it_is_and_what_to_do_stands_in_the_docs() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"][0]["rules"]
    page = (ROOT / "docs" / "operating.md").read_text()
    for rule in rules:
        assert rule["labels"]["severity"] in ("wake", "day")
        assert f"`{rule['alert']}`" in page, rule["alert"]


def test_the_docs_name_settings_commands_and_files_that_there_are() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    fields = {f"DUKA_{name.upper()}" for name in Settings.__struct_fields__}
    assert set(re.findall(r"\bDUKA_[A-Z_]+\b", page)) <= {*fields, *DUMMIES}
    for words in re.findall(r"(?m)(?:^|`)duka ([a-z][a-z -]*)", page):
        first, *rest = words.split()
        command = duka.get_command(click.Context(duka), first)
        assert command is not None, words
        if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            assert rest[0] in command.commands, words
    for path in re.findall(r"`(deploy/[\w.-]+)`", page):
        assert (ROOT / path).exists(), path
