"""Letters by e-mail: written from templates, sent over SMTP, or laid in a folder while developing."""

from kernel.mail.addresses import plain_email
from kernel.mail.letters import Letter, letter_kinds, write
from kernel.mail.sending import MailNotSet, deliver

__all__ = ["Letter", "MailNotSet", "deliver", "letter_kinds", "plain_email", "write"]
