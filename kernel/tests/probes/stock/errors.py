"""What can go wrong."""

from kernel.errors import Conflict


class OutOfStock(Conflict):
    """Less is left than is wanted."""

    code, title = "out-of-stock", "Not enough stock"
