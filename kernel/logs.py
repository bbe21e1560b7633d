"""What is logged, and what never is: one line a record, secrets struck out before anything is written.

Three walls. Nothing that carries parameters is logged at all (drivers are kept quiet, SQLAlchemy hides them). The
values of this deployment's own secrets and of the request in hand are replaced wherever they stand. What looks like a
secret by its name or its form is replaced too.
"""

from __future__ import annotations

import contextlib
import contextvars
import datetime as dt
import json
import logging
import re
import sys
import uuid
from collections.abc import Iterator
from typing import Any, Final, Literal, TextIO
from urllib.parse import quote, quote_plus, unquote, urlsplit

__all__ = ["mention"]

STRUCK: Final = "[hidden]"
SHORTEST: Final = 4
"""A value shorter than this is not searched for in a whole line; by its name it is struck out all the same."""
_NAMES: Final = (
    r"pass(?:word|phrase|wd)?|pwd|secret|token|credential|authori[sz]ation|cookie|api[_\-]?key|access[_\-]?key|secret[_\-]?key"
    r"|private[_\-]?key|signing[_\-]?key|pin|otp|totp|mfa_?code|recovery_?codes?|second_?factor|signature|seed|dsn"
)
_WHOLE_NAME: Final = re.compile(rf"(?:\A|[_\-.])(?:{_NAMES})s?(?:\Z|[_\-.])", re.IGNORECASE)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMED: Final = re.compile(
    rf"""(?P<name>["']?\b[\w\-]*?(?:{_NAMES})s?(?:_(?:hash|key|value|code))?\\*["']?\s*(?:=>|[:=])\s*)"""
    r"""(?P<value>(?:(?:Bearer|Basic|Token)\s+)?(?:b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'|[^\s,;&)}\]]+))""",
    re.IGNORECASE,
)
_FORMS: Final = (
    re.compile(r"\b(?:Bearer|Basic)\s+[\w\-.~+/=]+", re.IGNORECASE),
    re.compile(r"\beyJ[\w\-]+\.[\w\-]+(?:\.[\w\-]*)?"),
    re.compile(r"\b(?:r_[\w\-]{20,}|[a-z]_[\w\-]{40,}|d[kt]_[a-z2-7_]{20,})"),
    re.compile(r"\$argon2\w*\$[\w$=,+/.\-]+"),
)
_IN_URL: Final = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
_DETAIL: Final = re.compile(r"(DETAIL:\s*)(?:(?!\\n).)*")
"""PostgreSQL repeats the values of a broken constraint in its DETAIL; up to the end of a line, in a `repr` too."""
QUIET: Final = {"aiosqlite": "INFO", "alembic": "WARNING", "asyncio": "INFO", "httpx": "WARNING", "httpcore": "INFO"}
"""Loggers that would repeat parameters, or say nothing worth reading."""

JOURNAL: Final = "duka.requests"
"""The logger of one line a request: of ids, declared routes and figures only, so it is spared the search."""
Format = Literal["text", "json"]


class Facts:
    """What is known of the request or job in hand; filled in on its way, read when something is logged.

    values: where its secrets stand: headers, parsed body. business, actor: ids. plugin: whose code is running.
    """

    __slots__ = ("actor", "business", "job", "plugin", "request_id", "values")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.business: uuid.UUID | None = None
        self.actor: uuid.UUID | None = None
        self.plugin: str | None = None
        self.job: str | None = None
        self.values: list[Any] = []

    def known(self) -> dict[str, str]:
        """What every line about it bears."""
        return {name: str(said) for name in _BORNE if (said := getattr(self, name)) is not None}

    def secrets(self) -> set[str]:
        """Every text that stands under a secret's name in what was sent."""
        return {text for value in self.values for text in _under_secret_names(value)}


_BORNE: Final = ("request_id", "business", "actor", "plugin", "job")


class on_behalf_of:  # used as a function with `with`, and cheaper than a generator
    """Within this, the code of a plugin is running: log lines of a request or job bear its name."""

    __slots__ = ("_before", "_facts", "_plugin")

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin

    def __enter__(self) -> None:
        self._facts = _current.get()
        if self._facts is not None:
            self._before, self._facts.plugin = self._facts.plugin, self._plugin

    def __exit__(self, *_: object) -> None:
        if self._facts is not None:
            self._facts.plugin = self._before


_current: contextvars.ContextVar[Facts | None] = contextvars.ContextVar("duka_facts", default=None)
_known: set[str] = set()


@contextlib.contextmanager
def about(facts: Facts) -> Iterator[Facts]:
    """Within this, log lines bear the request's id and lose its secrets."""
    token = _current.set(facts)
    try:
        yield facts
    finally:
        _current.reset(token)


def is_secret_name(name: str) -> bool:
    """Whether a field, setting or header of this name holds a secret: `password`, `refresh_token`, `newPin`."""
    return _WHOLE_NAME.search(_HUMP.sub("_", name)) is not None


def now_known(**known: Any) -> None:
    """Add what has become known of the request or job in hand: `business`, `actor`, `plugin`, `job`."""
    facts = _current.get()
    if facts is not None:
        for name, value in known.items():
            setattr(facts, name, value)


def mention(value: Any) -> None:
    """Add to where the secrets of the request or job in hand stand: what came in its path, its query, its payload."""
    facts = _current.get()
    if facts is not None:
        facts.values.append(value)


def never_show(*values: str) -> None:
    """Strike these out of every line from now on: the deployment's own secrets. Of a URL, its password."""
    for value in values:
        password = urlsplit(value).password if "://" in value else value
        for form in (password or "", unquote(password or "")):
            if len(form) >= SHORTEST:
                _known.add(form)


def redacted(text: str) -> str:
    """A text without secrets: known values, values of the request in hand, and what looks like one."""
    facts = _current.get()
    values = _known | (facts.secrets() if facts else set())
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST:
            for form in spellings(value):
                text = text.replace(form, STRUCK)
    text = _NAMED.sub(lambda found: f"{found['name']}{STRUCK}", text)
    for form_ in _FORMS:
        text = form_.sub(STRUCK, text)
    text = _IN_URL.sub(STRUCK, text)
    return _DETAIL.sub(rf"\1{STRUCK}", text)


class Line(logging.Formatter):
    """A record as one line of words, or as one JSON object; its traceback below it, or inside."""

    def __init__(self, form: Format = "text") -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.form = form

    def format(self, record: logging.LogRecord) -> str:
        """The record, redacted."""
        if self.form == "text":
            said = super().format(record)
            current = _current.get()
            facts = {**(current.known() if current else {}), **getattr(record, "facts", {})}
            head, line, rest = said.partition("\n")
            whole = f"{head} {_in_words(facts)}{line}{rest}" if facts else said
            return whole if record.name == JOURNAL else redacted(whole)
        return json.dumps(self._as_object(record), ensure_ascii=False)

    def _as_object(self, record: logging.LogRecord) -> dict[str, Any]:
        facts = _current.get()
        said: dict[str, Any] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if record.name == JOURNAL else redacted(record.getMessage()),
        }
        said |= facts.known() if facts else {}
        given: dict[str, Any] = getattr(record, "facts", {})
        said |= given if record.name == JOURNAL else {name: _redacted_fact(value) for name, value in given.items()}
        if record.exc_info:
            said["traceback"] = redacted(self.formatException(record.exc_info))
        return said


def set_up(level: str, form: Format = "text", stream: TextIO | None = None) -> logging.Handler:
    """Log to stderr through one handler, in place of all others; returns it."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Line(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # the journal says what was asked for, without its query
    sys.excepthook = _last_words
    return handler


def _last_words(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("duka").critical("ended by an error", exc_info=(kind, error, trace))


def _under_secret_names(value: Any, is_secret: bool = False) -> Iterator[str]:
    if isinstance(value, str | int) and is_secret and not isinstance(value, bool):
        yield from _parts(str(value))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _under_secret_names(inner, is_secret or is_secret_name(str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _under_secret_names(inner, is_secret)


def spellings(value: str) -> set[str]:
    """A value as it stands in JSON, in a `repr`, in the `repr` of JSON, and in a URL."""
    inside = {value, *(text[1:-1] for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)))}
    shown = {repr(text)[1:-1] for text in inside}
    return {*inside, *shown, *(repr(text)[1:-1] for text in shown), quote(value, safe=""), quote_plus(value)}


def _parts(text: str) -> Iterator[str]:
    """A secret, and of a header such as `Bearer …` the part that matters alone."""
    yield text
    kind, _, rest = text.partition(" ")
    if kind.lower() in ("bearer", "basic", "token") and rest:
        yield rest.strip()


def _in_words(facts: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)


def _redacted_fact(value: Any) -> Any:
    return redacted(value) if isinstance(value, str) else value
