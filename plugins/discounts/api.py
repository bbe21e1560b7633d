"""What other plugins may use of discounts: what returns of a sale give back, and its uses once all of it is back."""

from __future__ import annotations

from plugins.discounts.rules.returning import Bought, Kept, after_return, all_kept
from plugins.discounts.schemas.terms import Offer
from plugins.discounts.services.uses import give_back_uses, offers_of_sale

__all__ = ["Bought", "Kept", "Offer", "after_return", "all_kept", "give_back_uses", "offers_of_sale"]
