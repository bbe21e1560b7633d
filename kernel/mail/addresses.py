"""E-mail addresses: one spelling of each for Duka to know it by, and a strict one for letters to go to."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.utils import parseaddr

_MAILABLE = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}\Z")
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\Z")


class Unmailable(ValueError):
    """An address no letter goes to: it could be read as several, or carry a header of its own."""


def plain_email(email: str) -> str:
    """The spelling an address is known by."""
    return email.strip().lower()


def recipient(email: str) -> Address:
    """An address for a header: one recipient, whatever the text tries to be. Raises Unmailable."""
    name, _, host = email.rpartition("@")
    try:
        ascii_host = host.encode("idna").decode()
    except UnicodeError as fault:
        raise Unmailable("the host of the address cannot be written in ASCII") from fault
    if not _MAILABLE.match(name) or not _HOST.match(ascii_host):
        raise Unmailable("the address is not one that letters go to")
    return Address(username=name, domain=ascii_host)


def sender(said: str) -> Address:
    """The sender as the settings name it: `Name <address@host>`. Raises Unmailable."""
    name, email = parseaddr(said)
    bare = recipient(email)
    return Address(display_name=name, username=bare.username, domain=bare.domain)
