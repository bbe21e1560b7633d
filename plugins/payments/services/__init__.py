"""Taking money, waiting for it, giving it back; whoever owns the document it belongs to commits it."""

from plugins.payments.services.accounts import asked_methods, offered
from plugins.payments.services.asking import coins, methods, read_payments
from plugins.payments.services.calling_back import cancel_payment
from plugins.payments.services.columns import captured_payments, made_refunds
from plugins.payments.services.polling import ask_now
from plugins.payments.services.proving import ask_about_unverified
from plugins.payments.services.reading import payments_of
from plugins.payments.services.refunding import give_back, refund_one
from plugins.payments.services.requesting import request_again, under_way
from plugins.payments.services.taking import take
from plugins.payments.services.waiting import confirm, give_up_waiting, rename_subject

__all__ = [
    "ask_about_unverified",
    "ask_now",
    "asked_methods",
    "cancel_payment",
    "captured_payments",
    "coins",
    "confirm",
    "give_back",
    "give_up_waiting",
    "made_refunds",
    "methods",
    "offered",
    "payments_of",
    "read_payments",
    "refund_one",
    "rename_subject",
    "request_again",
    "take",
    "under_way",
]
