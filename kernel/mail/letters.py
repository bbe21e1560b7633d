"""Letters: their words in `words/<language>.toml`, filled by jinja2, laid out as text and as HTML.

In the words a value is escaped in the HTML part and plain in the text part; nothing a person typed is ever a template.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from kernel.mail.addresses import recipient, sender
from kernel.settings import Settings

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
LANGUAGES = ("en",)
"""Languages the letters are written in; the first serves for all others."""


class Letter(msgspec.Struct, frozen=True):
    """One letter to one person. facts: what its words name; link: where its button leads."""

    kind: str
    to: str
    facts: Mapping[str, str]
    link: str = ""
    language: str | None = None


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of one kind of letter: templates of its subject, paragraphs and button."""

    subject: str
    paragraphs: list[str]
    button: str = ""


def letter_kinds(language: str = LANGUAGES[0]) -> Mapping[str, Words]:
    """Every kind of letter there is, with its words."""
    return _words(language if language in LANGUAGES else LANGUAGES[0])


def write(settings: Settings, letter: Letter) -> EmailMessage:
    """The message of a letter. Raises Unmailable for an address that is not one, UndefinedError for a missing fact."""
    words = letter_kinds(letter.language or "")[letter.kind]
    message = EmailMessage()
    message["Subject"] = _filled(_PLAIN, words.subject, _one_line(letter.facts))[:200]
    message["From"] = sender(settings.mail_from)
    message["To"] = recipient(letter.to)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender(settings.mail_from).domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_laid_out(_PLAIN, "letter.txt", words, letter))
    message.add_alternative(_laid_out(_HTML, "letter.html", words, letter), subtype="html")
    return message


def _laid_out(environment: jinja2.Environment, layout: str, words: Words, letter: Letter) -> str:
    paragraphs = [_filled(environment, one, _one_line(letter.facts)) for one in words.paragraphs]
    return environment.get_template(layout).render(paragraphs=paragraphs, button=words.button, link=letter.link)


def _one_line(facts: Mapping[str, str]) -> dict[str, str]:
    """Facts as they may stand in a header or a line: without line breaks, and not without end."""
    return {name: _CONTROL.sub(" ", said)[:200] for name, said in facts.items()}


def _filled(environment: jinja2.Environment, words: str, facts: Mapping[str, str]) -> Any:
    """Words with their facts; of the HTML environment already safe to stand in a page."""
    said = environment.from_string(words).render(facts)
    return Markup(said) if environment is _HTML else said  # noqa: S704 - was rendered with autoescape


@cache
def _words(language: str) -> Mapping[str, Words]:
    text = files("kernel.mail").joinpath("words", f"{language}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Words])


def _environment(*, escape: bool) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("kernel.mail"),
        autoescape=escape,  # noqa: S701 - off for the text part alone
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_PLAIN, _HTML = _environment(escape=False), _environment(escape=True)
