"""What other plugins may use of discounts: giving back what a sale took that is returned to the last unit."""

from __future__ import annotations

from plugins.discounts.services.uses import give_back_uses

__all__ = ["give_back_uses"]
