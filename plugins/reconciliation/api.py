"""What other plugins may use of reconciliation: the values of its hooks."""

from plugins.reconciliation.schemas.told import Spent

__all__ = ["Spent"]
