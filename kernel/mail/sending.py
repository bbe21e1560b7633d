"""Sending: over SMTP in a thread of its own, or into a folder where a developer reads the letters."""

from __future__ import annotations

import asyncio
import os
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kernel.db import new_id
from kernel.settings import Settings

TIMEOUT_S = 20.0
"""For each step of talking with the mail server."""


class MailNotSet(RuntimeError):
    """A production deployment has no mail server: letters are not left lying about in a folder there."""


class NotPrivate(RuntimeError):
    """The mail server offers no TLS, and the password is not sent without."""


def deliver(settings: Settings, message: EmailMessage) -> Callable[[], Awaitable[None]]:
    """The call that sends a message, to be made with no transaction open.

    It raises MailNotSet, NotPrivate, or what the mail server refuses with.
    """

    async def call() -> None:
        if settings.smtp_url:
            await asyncio.to_thread(_send, settings.smtp_url, message)
        elif settings.production:
            raise MailNotSet("DUKA_SMTP_URL is not set: this letter cannot be sent")
        else:
            await asyncio.to_thread(_lay_down, settings.home_path / "mail", message)

    return call


def _send(url: str, message: EmailMessage) -> None:
    parts = urlsplit(url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        connection = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_S)
    with connection as smtp:
        smtp.ehlo()
        if parts.scheme == "smtp" and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
        elif parts.scheme == "smtp" and parts.username:
            raise NotPrivate("the mail server offers no STARTTLS, so the password is not sent")
        if parts.username:
            smtp.login(unquote(parts.username), unquote(parts.password or ""))
        to = message["To"].addresses[0].addr_spec
        smtp.send_message(message, from_addr=message["From"].addresses[0].addr_spec, to_addrs=[to])


def _lay_down(folder: Path, message: EmailMessage) -> None:
    """One file a letter, for its owner's eyes only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{new_id()}.eml"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
