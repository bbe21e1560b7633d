"""Settings of a deployment: from the environment or a `.env` file, checked at start, each fault named."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from dotenv import dotenv_values
from msgspec import Meta

from kernel.errors import SettingsFault
from kernel.logs import STRUCK, is_secret_name

__all__ = [
    "Settings",
    "database_name",
    "keep_secret",
    "kept_secret",
    "load_settings",
    "load_with_sources",
    "secret_key",
    "variables_of",
]

PREFIX = "DUKA_"
FOR_TESTS = "DUKA_TEST_"
"""Begins the names of variables by which tests arm the process they start; they are no settings."""
ALIASES = {
    "DATABASE_URL": "database_url",
    "REDIS_URL": "redis_url",
    "SECRET_KEY": "secret_key",
    "ALLOWED_HOSTS": "allowed_hosts",
    "CORS_ORIGINS": "cors_origins",
    "PLATFORM_OWNER_EMAIL": "platform_owner_email",
    "ENABLE_API_THROTTLE": "enable_api_throttle",
}
"""Well-known names read from `.env` beside DUKA_*."""
OUR_OWN = ("PLATFORM_OWNER_EMAIL", "ENABLE_API_THROTTLE")
"""Those of them that mean no other program, and so are read from the environment as well."""

SHORTEST_SECRET = 32
_SMTP = re.compile(r"smtps?://([^\s@/]+@)?[A-Za-z0-9.\[\]:-]+/?\Z")
_SENDER = re.compile(r"([^<>@\x00-\x1f\x7f]* )?<?[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+>?\Z")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator may set. Each field is the variable DUKA_<NAME>; lists are separated by commas."""

    home: Annotated[str, Meta(description="Folder for the embedded database, the secret and uploads.")] = "var"
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="Port to listen on.")] = 8400
    worker_port: Annotated[
        int,
        Meta(ge=0, le=65535, description="Port on which duka worker answers /health and /metrics; 0: none."),
    ] = 0
    workers: Annotated[int, Meta(ge=1, le=64, description="Server processes (PostgreSQL only above 1).")] = 1
    database_url: Annotated[
        str, Meta(description="postgresql+asyncpg://… or sqlite+aiosqlite:///…; empty: embedded SQLite in home.")
    ] = ""
    migrations_database_url: Annotated[
        str, Meta(description="A second URL, with the right to change tables; empty: the same.")
    ] = ""
    database_role: Annotated[
        str, Meta(pattern=r"\A[a-z_][a-z0-9_]{0,62}\Z", description="PostgreSQL role each transaction switches to.")
    ] = "duka_app"
    pool_size: Annotated[int, Meta(ge=1, le=200, description="Database connections per process.")] = 16
    redis_url: Annotated[
        str, Meta(description="redis://… shares jobs among workers (duka worker); empty: they run inside the server.")
    ] = ""
    secret_key: Annotated[
        str, Meta(description="Signs tokens; at least 32 characters. Empty: made at first run, kept in home.")
    ] = ""
    former_secret_keys: Annotated[
        tuple[str, ...], Meta(description="Secret keys of before: what was encrypted under them can still be read.")
    ] = ()
    environment: Annotated[
        Literal["development", "production"], Meta(description="production refuses what is only fit for trying out.")
    ] = "development"
    allowed_hosts: Annotated[tuple[str, ...], Meta(description="Host names served; * for any.")] = ("*",)
    cors_origins: Annotated[tuple[str, ...], Meta(description="Browser origins that may call the API.")] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed; empty: none."
        ),
    ] = ()
    enable_api_throttle: Annotated[
        Literal["auto", "true", "false"],
        Meta(description="Limit requests a minute; auto: in production (also read as ENABLE_API_THROTTLE)."),
    ] = "auto"
    requests_per_principal: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Requests a minute of one signed-in caller, over all processes.")
    ] = 600
    requests_per_address: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Requests a minute from one address, over all processes.")
    ] = 3000
    access_token_minutes: Annotated[int, Meta(ge=1, le=1440, description="Life of an access token.")] = 15
    refresh_token_days: Annotated[int, Meta(ge=1, le=365, description="Life of a refresh token.")] = 30
    counter_approvals: Annotated[
        Literal["tills", "sign-ins"],
        Meta(
            description="Where a colleague's PIN approves at the counter: at registered tills alone, "
            "or in any sign-in of whoever asked (sign-ins)."
        ),
    ] = "tills"
    jobs: Annotated[
        Literal["embedded", "off"],
        Meta(description="embedded: servers run due jobs, or hand them to workers where there is Redis; off: neither."),
    ] = "embedded"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severe message that is logged.")
    ] = "info"
    public_url: Annotated[
        str,
        Meta(
            pattern=r"\A(https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/-]*)?)?\Z",
            description="Where people reach this deployment; links in mail begin with it. Empty: host and port.",
        ),
    ] = ""
    smtp_url: Annotated[
        str,
        Meta(
            description="smtp://user:password@host:587 or smtps://…:465; empty: letters go to the folder mail in home, "
            "and in production nowhere."
        ),
    ] = ""
    mail_from: Annotated[str, Meta(description="Sender of letters.")] = "Duka <duka@localhost>"
    close_idle_after_days: Annotated[
        int,
        Meta(ge=0, le=3650, description="Switch off people who have not signed in for so many days; 0: never."),
    ] = 0
    log_format: Annotated[
        Literal["text", "json"], Meta(description="One line of words a message, or one JSON object.")
    ] = "text"
    drain_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=120,
            description="Told to stop, a server goes on serving for so long, not ready, before it listens no more.",
        ),
    ] = 3
    outbox_late_minutes: Annotated[
        int, Meta(ge=1, le=1440, description="A job that has been due for longer makes the outbox late.")
    ] = 15
    least_free_mb: Annotated[
        int, Meta(ge=0, le=1_000_000, description="A server with less disk free below home is not ready.")
    ] = 200
    backup_every_hours: Annotated[
        int,
        Meta(ge=0, le=720, description="A backup is made below home whenever the last is so old; 0: none by itself."),
    ] = 0
    keep_backups: Annotated[
        str,
        Meta(
            pattern=r"\A(|[1-9][0-9]{0,2} (daily|weekly)|[1-9][0-9]{0,2} daily, [1-9][0-9]{0,2} weekly)\Z",
            description="Which of those below home are kept, such as 7 daily, 4 weekly; empty: all.",
        ),
    ] = ""
    metrics_allow: Annotated[
        tuple[str, ...], Meta(description="Addresses or networks that may read /metrics; empty: only with the token.")
    ] = ("127.0.0.0/8", "::1/128")
    hook_strikes: Annotated[
        int, Meta(ge=1, le=100, description="Failures of a plugin in one hook by which it is left out of it.")
    ] = 3
    hook_strikes_minutes: Annotated[
        int, Meta(ge=1, le=1440, description="The time within which they are counted, in minutes.")
    ] = 10
    metrics_token: Annotated[
        str, Meta(description="Whoever sends it as a bearer token may read /metrics too; at least 32 characters.")
    ] = ""
    otel_endpoint: Annotated[
        str,
        Meta(
            pattern=r"\A(https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/-]*)?)?\Z",
            description="Traces go to this OpenTelemetry collector, by HTTP (http://…:4318); needs the extra otel.",
        ),
    ] = ""
    platform_owner_email: Annotated[
        str, Meta(description="This user is an operator (also read as PLATFORM_OWNER_EMAIL).")
    ] = ""

    def secrets(self) -> dict[str, str]:
        """The settings that hold secrets, URLs with their passwords among them: name → value.

        Of a list the later ones are called `<name>.1`, `<name>.2` …
        """
        hidden = [name for name in self.__struct_fields__ if is_secret_name(name) or name.endswith("_url")]
        found: dict[str, str] = {}
        for name in hidden:
            value = getattr(self, name)
            texts = [value] if isinstance(value, str) else value if isinstance(value, tuple) else ()
            found |= {f"{name}.{place}" if place else name: text for place, text in enumerate(texts) if text}
        return found

    def __repr__(self) -> str:
        """Every setting but the secrets."""
        hidden = self.secrets()
        shown = (f"{n}={STRUCK if n in hidden else getattr(self, n)!r}" for n in self.__struct_fields__)
        return f"Settings({', '.join(shown)})"

    @property
    def home_path(self) -> Path:
        """The home folder, absolute."""
        return Path(self.home).expanduser().resolve()

    @property
    def url(self) -> str:
        """The database URL, the embedded file when none is set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.home_path / 'duka.sqlite3'}"

    @property
    def public_address(self) -> str:
        """What links in mail begin with; never taken from a request."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def production(self) -> bool:
        """Whether real shops depend on this deployment."""
        return self.environment == "production"

    @property
    def throttles(self) -> bool:
        """Whether requests are limited."""
        return self.production if self.enable_api_throttle == "auto" else self.enable_api_throttle == "true"


def load_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = None, **given: Any) -> Settings:
    """Read settings: defaults, then the `.env` file, then the environment, then `given`.

    Raises SettingsFault naming an unknown DUKA_* variable, or a bad value and what is wrong with it.
    """
    return load_with_sources(environ, env_file, **given)[0]


def load_with_sources(
    environ: Mapping[str, str] | None = None, env_file: Path | None = None, **given: Any
) -> tuple[Settings, dict[str, str]]:
    """The settings, and where each that is set comes from: `.env: DUKA_PORT`. What is not named stands at its default.

    Raises SettingsFault, as `load_settings` does.
    """
    environment = dict(os.environ if environ is None else environ)
    path = env_file or Path(".env")
    from_file = {k: v for k, v in dotenv_values(path).items() if v is not None} if path.is_file() else {}
    raw: dict[str, Any] = {}
    sources: dict[str, str] = {}
    own = {name: ALIASES[name] for name in OUR_OWN}
    for place, source, aliases in ((str(path), from_file, ALIASES), ("environment", environment, own)):
        names = {variable: aliases[variable] for variable in source if variable in aliases}
        for variable in source:
            if variable.startswith(PREFIX) and not variable.startswith(FOR_TESTS):
                names[variable] = _field_of(variable)
        for variable, name in names.items():
            raw[name], sources[name] = source[variable], f"{place}: {variable}"
    chosen = {name: value for name, value in given.items() if value is not None}
    raw |= chosen
    sources |= dict.fromkeys(chosen, "command line")
    return _checked({name: _typed(name, value) for name, value in raw.items()}), sources


def variables_of(names: Iterable[str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Those of some variables that are set and not empty, by well-known names that are no settings of Duka's.

    From the environment, else from the `.env` file. What they hold may be secret: do not print it.
    """
    environment, path = os.environ if environ is None else environ, Path(".env")
    from_file = dotenv_values(path) if path.is_file() else {}
    found = {name: environment.get(name) or from_file.get(name) for name in names}
    return {name: value for name, value in found.items() if value}


def database_name(settings: Settings) -> str:
    """What the database is called: PostgreSQL's name for it, or the file's."""
    return settings.url.partition("?")[0].rpartition("/")[2]


def secret_key(settings: Settings) -> str:
    """The key that signs tokens: the one set, else the one made at first run, kept with mode 0600.

    Raises SettingsFault when the key is too short, or its file can be read by others.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.home_path / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make_secret(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsFault(f"{path} can be read by others; run: chmod 600 {path}")
    secret = path.read_text().strip()
    if len(secret) < SHORTEST_SECRET:
        raise SettingsFault(f"{path}: at least {SHORTEST_SECRET} characters are needed; delete it to have one made")
    return secret


def kept_secret(settings: Settings) -> str | None:
    """The key that is set or kept; None where one would be made. Raises SettingsFault as `secret_key` does."""
    return secret_key(settings) if settings.secret_key or (settings.home_path / "secret").exists() else None


def keep_secret(settings: Settings, secret: str) -> Path:
    """Keep a key that was given as the one made at first run, where there is none; returns its file."""
    path = settings.home_path / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_secret(path, secret)
    return path


def _make_secret(path: Path, secret: str | None = None) -> None:
    """Write a new secret whole before it gets its name, so that no other process reads half of it."""
    handle, made = tempfile.mkstemp(prefix=".secret-", dir=path.parent)
    with open(handle, "w") as file:
        file.write(secret or secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):
        os.link(made, path)
    os.unlink(made)


_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


def _field_of(variable: str) -> str:
    name = variable.removeprefix(PREFIX).lower()
    if name not in Settings.__struct_fields__:
        raise SettingsFault(f"{variable} is not a setting of Duka; .env.example lists them all")
    return name


_WHOLE = frozenset(
    {
        *(
            "port",
            "worker_port",
            "workers",
            "pool_size",
            "hook_strikes",
            "hook_strikes_minutes",
            "access_token_minutes",
            "refresh_token_days",
            "close_idle_after_days",
        ),
        *("requests_per_principal", "requests_per_address"),
        *("drain_seconds", "outbox_late_minutes", "least_free_mb", "backup_every_hours"),
    }
)
"""Settings that are whole numbers."""
_LISTS = frozenset({"allowed_hosts", "cors_origins", "trusted_proxies", "former_secret_keys", "metrics_allow"})


def _typed(name: str, value: Any) -> Any:
    if name in _LISTS and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if name == "enable_api_throttle" and isinstance(value, str):
        return {"1": "true", "0": "false"}.get(value.lower(), value.lower())
    if name in _WHOLE and isinstance(value, str):
        if not (value.isascii() and value.isdigit()):
            raise SettingsFault(f"{PREFIX}{name.upper()}: {value!r} is not a whole number")
        return int(value)
    return value


def _checked(raw: dict[str, Any]) -> Settings:
    for name, value in raw.items():
        try:
            msgspec.convert({name: value}, Settings)
        except msgspec.ValidationError as fault:
            said = str(fault).partition(" - at ")[0]
            raise SettingsFault(f"{PREFIX}{name.upper()}: {said}") from fault
    settings = msgspec.convert(raw, Settings)
    if settings.secret_key and len(settings.secret_key) < SHORTEST_SECRET:
        raise SettingsFault(f"DUKA_SECRET_KEY: at least {SHORTEST_SECRET} characters are needed")
    if not settings.url.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite:///")):
        raise SettingsFault("DUKA_DATABASE_URL: must start with postgresql+asyncpg:// or sqlite+aiosqlite:///")
    if settings.metrics_token and len(settings.metrics_token) < SHORTEST_SECRET:
        raise SettingsFault(f"DUKA_METRICS_TOKEN: at least {SHORTEST_SECRET} characters are needed")
    if settings.smtp_url and not _SMTP.match(settings.smtp_url):
        raise SettingsFault("DUKA_SMTP_URL: must be smtp://… or smtps://…, with a host")
    if not _SENDER.match(settings.mail_from):
        raise SettingsFault("DUKA_MAIL_FROM: write it as Name <address@host>")
    _check_browsers_and_proxies(settings)
    if settings.production and settings.url.startswith("sqlite") and settings.workers > 1:
        raise SettingsFault("DUKA_WORKERS: embedded SQLite serves from one process; use PostgreSQL for more")
    return settings


def _check_browsers_and_proxies(settings: Settings) -> None:
    """Raise SettingsFault for an origin no browser would send, and for what should be an address and is none."""
    for origin in settings.cors_origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsFault(f"DUKA_CORS_ORIGINS: {origin!r} is not an origin such as https://shop.example")
    named = {"TRUSTED_PROXIES": settings.trusted_proxies, "METRICS_ALLOW": settings.metrics_allow}
    for name, address in ((name, one) for name, some in named.items() for one in some):
        try:
            ipaddress.ip_network(address)
        except ValueError as fault:
            raise SettingsFault(f"DUKA_{name}: {address!r} is not an address or a network") from fault
