"""What other plugins may use of payment links: making one, and ending those of a document that is given up."""

from __future__ import annotations

from plugins.payment_links.schemas.links import LinkIn, LinkOut
from plugins.payment_links.services import document_ended, make_link

__all__ = ["LinkIn", "LinkOut", "document_ended", "make_link"]
