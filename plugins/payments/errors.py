"""What payments refuses."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.errors import Conflict, Fault, Invalid, Unauthenticated


class UnknownMethod(Invalid):
    """No plugin that is on offers the method."""

    title = "Unknown payment method"


class PaymentNotWhole(Invalid):
    """A payment contradicts itself: nothing to pay, finer than the currency, change for what is not cash."""

    title = "The payment is not valid"


class RefundTooLarge(Conflict):
    """More is to be given back than is left of the payment."""

    code, title = "refund-too-large", "More than is left of the payment"

    @classmethod
    def above(cls, left: str, pointer: str = "/amount") -> RefundTooLarge:
        """The refusal, saying what is left as a decimal string."""
        said = f"{left} of the payment may still be given back"
        return cls(said, faults=[Fault(pointer, cls.code, said, {"available": left})])


class NotAwaited(Conflict):
    """The money of a payment is not waited for: it has come, or nobody waits for it any more."""

    code, title = "not-awaited", "Nobody waits for this money"


class AlreadyClaimed(Conflict):
    """Money is counted for another payment already, or was set aside."""

    code, title = "already-claimed", "This money is claimed already"


class NoticeRefused(Unauthenticated):
    """A message came to a path of ours, and its provider did not send it."""

    code, title = "notice-refused", "The message is not its provider's"


class UnknownGateway(Invalid):
    """No plugin that is installed offers the gateway."""

    code, title = "unknown-gateway", "Unknown payment gateway"


class AccountNotUsable(Conflict):
    """An account at a gateway lacks something, or its secrets cannot be opened."""

    code, title = "account-not-usable", "The account at the gateway cannot be used"


class GatewayUnavailable(Conflict):
    """A gateway cannot be used here, now or for this amount; `why` is a code, `others` the methods that can be."""

    code, title = "gateway-unavailable", "This way of paying cannot be used here now"

    def __init__(self, said: str, gateway: str, why: str, others: Sequence[str] = ()) -> None:
        instead = f"; pay with {', '.join(others)}" if others else ""
        super().__init__(f"{said}{instead}")
        self.members = {"gateway": gateway, "why": why, "others": list(others)}


class PaymentUnderWay(Conflict):
    """The payer was asked for money for this document already, and may still pay."""

    code, title = "payment-under-way", "The payer was asked already"


class NotCancellable(Conflict):
    """A request for money cannot be called back: it has ended, or its provider calls none back."""

    code, title = "not-cancellable", "This request cannot be called back"


class RefundNotSupported(Conflict):
    """The provider gives no money back this way; it can be given back by hand, and recorded."""

    code, title = "refund-not-supported", "The provider does not give this money back"


class ReviewClosed(Conflict):
    """Somebody has decided already."""

    code, title = "review-closed", "This was decided already"


class ActionNotOffered(Conflict):
    """What is to be done does not fit what is asked."""

    code, title = "action-not-offered", "This cannot be done here"


class NotByHand(Conflict):
    """A provider says itself when money has come, so that no person needs to."""

    code, title = "not-by-hand", "The provider itself says when this money comes"


class NothingToScan(Conflict):
    """There is no code by which this could be paid."""

    code, title = "nothing-to-scan", "There is no code to scan"
