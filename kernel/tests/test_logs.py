"""What is logged loses its secrets, by value, by name and by form; and keeps the rest."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.logs import (
    STRUCK,
    Facts,
    Line,
    about,
    is_secret_name,
    mention,
    never_show,
    now_known,
    on_behalf_of,
    redacted,
    set_up,
)
from kernel.settings import Settings

CANARY = 'cänary"\\ 7%/x'


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"password": "canary", "sku": "RICE"}', '"sku": "RICE"}'),
        ("{'new_password': 'ca nary', 'n': 1}", "'n': 1}"),
        (r"ValueError('{\"password\": \"canary\"}')", "ValueError("),
        ("refresh_token=canary&limit=5", "&limit=5"),
        ("Authorization: Bearer canary-canary", "Authorization: "),
        ("authorization='Basic Y2FuYXJ5'", "authorization="),
        ("LoginIn(username='grace', password='canary')", "LoginIn(username='grace', password="),
        ("X-Api-Key: canary", "X-Api-Key: "),
        ("webhook_secret => canary,", ","),
        ('"pin": 4711, "x": 2', '"x": 2'),
        ("postgresql+asyncpg://duka:canary@db:5432/duka", "@db:5432/duka"),
        ("sent r_canarycanarycanarycanarycanary back", "sent "),
        ("key dk_canarycanarycanarycanary_canarycanarycanary used", "key "),
        ("link #m_canary0123456789-0123456789_0123456789ABCDEFGHIJ", "link #"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary says", " says"),
        ("$argon2id$v=19$m=19456,t=2,p=1$canary$canary", ""),
        ("duplicate key\nDETAIL:  Key (email)=(canary@x) already exists.\nHINT: none", "HINT: none"),
        (r"Error('duplicate key\nDETAIL:  Key (email)=(canary@x) exists.\nHINT: none')", "HINT: none"),
    ],
)
def test_what_looks_like_a_secret_is_struck_out(text: str, left: str) -> None:
    said = redacted(text)
    for canary in ("canary", "nary", "Y2FuYXJ5", "4711", "eyJzdWIi"):
        assert canary not in said, said
    assert STRUCK in said
    assert left in said, said


@pytest.mark.parametrize(
    "text",
    [
        "request route=/api/v1/sales/sales/{sale_id} status=201 ms=12.3",
        "stopping: 3 jobs left; shopping list spins",
        "Rice 2kg: 2 wanted, 1 left at Kilimani",
        "deed sales.complete_sale runs again: retry",
        "kernel_0006 tokenize compass",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("name", ["password", "newPassword", "refresh_token", "X-Api-Key", "pin", "till.pin", "cookie"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["name", "spin", "shipping", "tokenizer", "key", "passenger", "status"])
def test_other_names_are_not_taken_for_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("wrapped", ["{}", "said {!r}", "x={}&y=2"])
def test_a_value_sent_under_a_secrets_name_is_struck_out_wherever_it_stands(wrapped: str) -> None:
    sent = {"user": "grace", "credentials": [{"answer": CANARY}], "pin": 471199}
    with about(Facts("r1")):
        mention(sent)
        for spelled in (CANARY, json.dumps(CANARY), repr(CANARY)):
            said = redacted(wrapped.format(spelled))
            assert "nary" not in said, said
        assert "471199" not in redacted("the number was 471199")
        assert redacted("grace") == "grace"
    assert "471199" in redacted("the number was 471199"), "another request's values are not searched for"


def test_the_deployments_own_secrets_are_struck_out_in_every_spelling() -> None:
    never_show("postgresql+asyncpg://duka:p%40ss-canary@db/duka", "signing-key-of-the-canary")
    for text in ("p@ss-canary", "p%40ss-canary", "signing-key-of-the-canary"):
        assert "canary" not in redacted(f"cannot reach db as duka with {text}")


def test_settings_do_not_show_their_secrets() -> None:
    settings = Settings(secret_key="canary" * 8, database_url="postgresql+asyncpg://duka:canary@db/duka")
    assert "canary" not in repr(settings)
    assert "canary" not in f"{settings}"
    assert "port=8400" in repr(settings)


@pytest.fixture
def quiet_logging() -> Iterator[io.StringIO]:
    """The house's logging on a text in memory; afterwards everything is as it was."""
    root, hook = logging.getLogger(), sys.excepthook
    before, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in ("aiosqlite", "alembic", "asyncio", "httpx", "httpcore")}
    stream = io.StringIO()
    yield stream
    root.handlers[:], sys.excepthook = before, hook
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


def test_a_line_of_json_holds_the_facts_and_no_secret(quiet_logging: io.StringIO) -> None:
    set_up("debug", "json", quiet_logging)
    with about(Facts("r1")):
        mention({"password": "canary with spaces"})
        try:
            raise ValueError("body was canary with spaces")
        except ValueError:
            logging.getLogger("duka.web").exception("failed for %s", "canary with spaces", extra={"facts": {"n": 1}})
    said = json.loads(quiet_logging.getvalue())
    assert "canary" not in quiet_logging.getvalue()
    assert (said["level"], said["logger"], said["request_id"], said["n"]) == ("error", "duka.web", "r1", 1)
    assert said["message"] == f"failed for {STRUCK}"
    assert "ValueError" in said["traceback"]


def test_a_formatter_that_forgets_to_redact_is_found(quiet_logging: io.StringIO) -> None:
    """The broken twin: the same line through the framework's own formatter."""
    handler = set_up("debug", "text", quiet_logging)
    for formatter, shows in ((Line("text"), False), (logging.Formatter("%(message)s"), True)):
        handler.setFormatter(formatter)
        with about(Facts("r1")):
            mention({"password": "canary with spaces"})
            logging.getLogger("duka.web").warning("got %s", "canary with spaces")
        assert ("canary" in quiet_logging.getvalue()) is shows


def test_an_error_that_ends_the_process_is_logged_without_its_secrets(quiet_logging: io.StringIO) -> None:
    set_up("info", "text", quiet_logging)
    error: Any = RuntimeError("password=canary")
    sys.excepthook(RuntimeError, error, None)
    assert "RuntimeError" in quiet_logging.getvalue()
    assert "canary" not in quiet_logging.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_line_of_a_request_bears_its_business_its_actor_and_whose_code_runs(
    quiet_logging: io.StringIO, form: Any
) -> None:
    set_up("info", form, quiet_logging)
    log = logging.getLogger("plugins.sales")
    with about(Facts("r1")):
        log.info("before")
        now_known(business="b1", actor="a1", plugin="sales")
        with on_behalf_of("inventory"):
            log.info("inside")
        try:
            raise ValueError("broken")
        except ValueError:
            log.exception("after")
    before, inside, after, *_ = quiet_logging.getvalue().splitlines()
    if form == "json":
        lines = [json.loads(one) for one in (before, inside, after)]
        told = [tuple(one.get(name) for name in ("request_id", "business", "actor", "plugin")) for one in lines]
        assert told == [("r1", None, None, None), ("r1", "b1", "a1", "inventory"), ("r1", "b1", "a1", "sales")]
    else:
        assert before.endswith("before request_id=r1")
        assert inside.endswith("inside request_id=r1 business=b1 actor=a1 plugin=inventory")
        assert after.endswith("after request_id=r1 business=b1 actor=a1 plugin=sales")
        assert "ValueError: broken" in quiet_logging.getvalue()


def test_the_servers_own_line_a_request_is_not_written_since_it_shows_what_was_asked(
    quiet_logging: io.StringIO,
) -> None:
    set_up("debug", "text", quiet_logging)
    logging.getLogger("uvicorn.access").info("GET /search?q=canary")
    assert quiet_logging.getvalue() == ""
