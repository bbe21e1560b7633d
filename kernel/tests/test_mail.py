"""Letters: no header can be slipped in, no token stays behind, what cannot be sent is tried again."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import stat
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.identity import standing_of_business
from kernel.db.tables import Job, JobPayload
from kernel.errors import SettingsFault
from kernel.jobs import Call, Runner, Then, job
from kernel.mail import Letter, MailNotSet, deliver, letter_kinds, write
from kernel.mail.addresses import Unmailable, recipient
from kernel.mail.sending import NotPrivate
from kernel.settings import Settings, load_settings
from kernel.testing.box import Box
from kernel.tests.letters import everything_stored, post, text_of, token_in
from kernel.work import Work

FACTS = dict.fromkeys(("name", "hours", "days", "at", "masked", "inviter", "business", "role", "thing"), "Wanjiku")
EVIL = "Wanjiku\r\nBcc: thief@evil.example\r\n\r\n<script>alert(1)</script>{{ 7*7 }}{% raw %}"


def letter(kind: str = "invitation", to: str = "njeri@shop.example", **facts: str) -> Letter:
    return Letter(kind, to, FACTS | facts, "http://duka.test/console/join#m_x")


@pytest.mark.parametrize("kind", letter_kinds())
def test_every_letter_has_a_text_and_an_html_part_and_all_its_facts(kind: str) -> None:
    message = write(Settings(), letter(kind))
    parts = [part.get_content_type() for part in message.walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
    assert "{{" not in message.as_string()
    assert message["To"] == "njeri@shop.example"


@pytest.mark.parametrize("kind", letter_kinds())
def test_what_a_person_typed_is_neither_header_nor_tag_nor_template(kind: str) -> None:
    message = write(Settings(), letter(kind, **dict.fromkeys(FACTS, EVIL)))
    plain = write(Settings(), letter(kind))
    assert [name for name, _ in message.items()] == [name for name, _ in plain.items()]
    assert "\n" not in message["Subject"]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script>" not in html
    assert "{{ 7*7 }}" in html


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "root,a@b.example", "<a@b.example>",
        "a b@c.example", '"a\\"b"@c.example', "a@b.example;c@d.example", "a@", "@b.example", "a", "a@b..example",
        "a@b.example>", "é@b.example",
    ],
)  # fmt: skip
def test_a_letter_goes_to_one_plain_address_or_to_none(address: str) -> None:
    with pytest.raises(Unmailable):
        recipient(address)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUKA_SMTP_URL", "http://mail.example"),
        ("DUKA_SMTP_URL", "smtp://"),
        ("DUKA_SMTP_URL", "smtp://user:secret-word@"),
        ("DUKA_MAIL_FROM", "Duka <duka@x.example>\nBcc: thief@evil.example"),
        ("DUKA_MAIL_FROM", "nobody"),
        ("DUKA_PUBLIC_URL", "javascript:alert(1)"),
        ("DUKA_PUBLIC_URL", 'https://x.example/"onclick='),
        ("DUKA_CLOSE_IDLE_AFTER_DAYS", "-1"),
    ],
)
def test_a_bad_mail_setting_is_named_and_its_secret_is_not(name: str, value: str) -> None:
    with pytest.raises(SettingsFault, match=name) as told:
        load_settings({name: value})
    assert "secret-word" not in str(told.value)


async def test_without_a_mail_server_a_letter_is_a_file_for_its_owner_alone(box: Box) -> None:
    message = write(box.deployment.settings, letter())
    await deliver(box.deployment.settings, message)()
    (path,) = (box.deployment.settings.home_path / "mail").iterdir()
    assert path.suffix == ".eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_in_production_no_letter_is_left_in_a_folder(box: Box) -> None:
    settings = msgspec.structs.replace(box.deployment.settings, environment="production")
    with pytest.raises(MailNotSet):
        await deliver(settings, write(settings, letter()))()
    assert not (settings.home_path / "mail").exists()


class Postmaster:
    """A mail server that takes everything and offers no TLS."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 postmaster\r\n")
        in_data = False
        while line := (await reader.readline()).decode():
            self.heard.append(line.rstrip("\r\n"))
            if in_data:
                if line == ".\r\n":
                    in_data = False
                    writer.write(b"250 taken\r\n")
                continue
            word = line.split()[0].upper()
            in_data = word == "DATA"
            writer.write({"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 fine\r\n"))
            if word == "QUIT":
                break
        writer.close()


@pytest_asyncio.fixture
async def postmaster() -> AsyncIterator[Postmaster]:
    made = Postmaster()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


async def test_over_smtp_a_letter_goes_to_its_one_recipient(postmaster: Postmaster) -> None:
    settings = Settings(smtp_url=f"smtp://127.0.0.1:{postmaster.port}", mail_from="Mama Njeri <shop@njeri.example>")
    await deliver(settings, write(settings, letter(inviter=EVIL)))()
    assert [line for line in postmaster.heard if line.lower().startswith(("mail", "rcpt"))] == [
        "mail FROM:<shop@njeri.example>",
        "rcpt TO:<njeri@shop.example>",
    ]
    assert not [line for line in postmaster.heard if line.startswith("Bcc")]


async def test_a_password_is_not_sent_to_a_mail_server_without_tls(postmaster: Postmaster) -> None:
    settings = Settings(smtp_url=f"smtp://user:secret-word@127.0.0.1:{postmaster.port}")
    with pytest.raises(NotPrivate):
        await deliver(settings, write(settings, letter()))()
    assert "secret-word" not in str(postmaster.heard)
    assert not [line for line in postmaster.heard if line.upper().startswith("AUTH")]


async def mail_jobs(box: Box) -> list[tuple[str, int, str | None, object]]:
    async def read(work: Work) -> list[tuple[str, int, str | None, object]]:
        rows = await work.execute(
            sa.select(Job.state, Job.attempts, Job.error, JobPayload.payload)
            .join(JobPayload, JobPayload.job_id == Job.id)
            .where(Job.name == "kernel.mail", JobPayload.business_id == work.business_id)
            .order_by(Job.id)
        )
        return [tuple(row) for row in rows.all()]

    return await box.look(read)


async def ask_to_verify(box: Box) -> None:
    assert (await box.client("owner").post("/api/v1/auth/email/verify/send")).status_code == 204


async def test_no_token_of_a_link_is_stored_anywhere_and_a_sent_job_forgets_what_it_said(box: Box) -> None:
    await ask_to_verify(box)
    (sent,) = await post(box)
    token = token_in(sent)
    assert "token" not in json.dumps(await mail_jobs(box))
    assert await mail_jobs(box) == [("done", 1, None, {})]
    assert token not in await everything_stored(box)
    assert len(token) >= 45


async def test_the_broken_twin_that_hands_the_token_to_the_job_is_found_out(box: Box) -> None:
    async def twin(work: Work) -> None:
        work.later("kernel.mail", {"kind": "email_verify", "user_id": "x", "token": "m_in_clear"})

    await box.act(twin)
    assert "m_in_clear" in await everything_stored(box)


async def test_a_letter_that_cannot_be_sent_is_tried_again_with_another_token(box: Box) -> None:
    whole = box.deployment.settings
    box.deployment.settings = msgspec.structs.replace(whole, smtp_url="smtp://127.0.0.1:1")
    await ask_to_verify(box)
    assert await post(box) == []
    ((state, attempts, error, payload),) = await mail_jobs(box)
    assert (state, attempts, payload) == (
        "pending",
        1,
        {"kind": "email_verify", "user_id": str(box.people["mama-njeri", "owner"].id)},
    )
    assert "refused" in str(error).lower()
    box.deployment.settings = whole
    box.clock.pass_by(seconds=5)
    (sent,) = await post(box)
    assert "#m_" in text_of(sent)
    assert (await mail_jobs(box))[0][:2] == ("done", 2)


async def test_a_letter_that_can_never_be_sent_ends_in_the_dead_letters(box: Box) -> None:
    box.deployment.settings = msgspec.structs.replace(box.deployment.settings, environment="production")
    await ask_to_verify(box)
    for _ in range(10):
        await post(box)
        box.clock.pass_by(hours=2)
    ((state, attempts, error, _),) = await mail_jobs(box)
    assert (state, attempts) == ("dead", 8)
    assert "DUKA_SMTP_URL" in str(error)


async def test_a_job_that_calls_holds_no_transaction_and_nobody_else_runs_it_meanwhile(box: Box) -> None:
    seen: list[object] = []

    @job("probe_stock.call")
    async def calling(work: Work, _payload: object) -> Call:
        async def call() -> None:
            seen.append(await runner.run_due())
            await box.act(lambda other: other.execute(sa.select(1)))

        return call

    runner = Runner(box.deployment, standing_of_business)
    runner.handlers = {**runner.handlers, calling.name: calling}
    await box.act(lambda work: _later(work, calling.name))
    assert await runner.run_due() == 1
    assert seen == [0]


async def test_a_job_that_died_in_its_call_is_run_again_after_its_lease(box: Box) -> None:
    calls: list[int] = []

    @job("probe_stock.dying")
    async def dying(work: Work, _payload: object) -> Call:
        async def call() -> None:
            calls.append(1)
            if len(calls) == 1:
                raise KeyboardInterrupt  # as a process that is killed: nothing is noted

        return call

    runner = Runner(box.deployment, standing_of_business)
    runner.handlers = {**runner.handlers, dying.name: dying}
    await box.act(lambda work: _later(work, dying.name))
    with pytest.raises(KeyboardInterrupt):
        await runner.run_due()
    assert await runner.run_due() == 0
    box.clock.pass_by(minutes=5)
    assert await runner.run_due() == 1
    assert len(calls) == 2


async def test_what_a_call_came_to_takes_effect_with_the_mark_that_its_job_is_done_or_not_at_all(box: Box) -> None:
    deeds: list[str] = []

    @job("probe_stock.asking")
    async def asking(work: Work, _payload: object) -> Call:
        async def then(work: Work) -> None:
            deeds.append(work.origin.deed)
            work.later("probe_stock.heard", {}, at=work.now + dt.timedelta(days=1))
            if len(deeds) == 1:
                raise RuntimeError("somebody refuses it")

        async def call() -> Then:
            return then

        return call

    runner = Runner(box.deployment, standing_of_business)
    runner.handlers = {**runner.handlers, asking.name: asking}
    await box.act(lambda work: _later(work, asking.name))
    for left in (["probe_stock.asking"], ["probe_stock.heard"]):
        assert await runner.run_due() == 1
        assert [one["name"] for one in await box.jobs()] == left
        box.clock.pass_by(minutes=1)
    assert deeds == ["probe_stock.asking"] * 2
    assert [(one["name"], one["error"]) for one in await box.jobs("done")] == [("probe_stock.asking", None)]


async def test_a_letter_about_nobody_is_none(box: Box) -> None:
    asked = await box.client(None).post("/api/v1/auth/password/forgot", {"email": "nobody@shop.example"})
    assert asked.status_code == 204
    assert await post(box) == []


async def _later(work: Work, name: str) -> None:
    work.later(name, {})
