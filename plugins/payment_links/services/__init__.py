"""Links: made, shown to payers, paid."""

from plugins.payment_links.services.addresses import Place, address_of, read_token, token_of
from plugins.payment_links.services.making import OWN, cancel, make_link, resend
from plugins.payment_links.services.money import (
    count_missed,
    document_ended,
    missed_money,
    money_came,
    still_wanted,
    take_on,
)
from plugins.payment_links.services.paying import Outcome, call_off, look_again, pay
from plugins.payment_links.services.reading import link_out, list_links, list_turns, picture
from plugins.payment_links.services.showing import CLOSED, screen_of

__all__ = [
    "CLOSED",
    "OWN",
    "Outcome",
    "Place",
    "address_of",
    "call_off",
    "cancel",
    "count_missed",
    "document_ended",
    "link_out",
    "list_links",
    "list_turns",
    "look_again",
    "make_link",
    "missed_money",
    "money_came",
    "pay",
    "picture",
    "read_token",
    "resend",
    "screen_of",
    "still_wanted",
    "take_on",
    "token_of",
]
