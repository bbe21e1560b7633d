"""Taking money and giving it back. Both only declare what is written; whoever owns the document commits it."""

from plugins.payments.services.asking import methods, read_payments
from plugins.payments.services.reading import payments_of
from plugins.payments.services.refunding import give_back, refund_one
from plugins.payments.services.taking import take

__all__ = ["give_back", "methods", "payments_of", "read_payments", "refund_one", "take"]
