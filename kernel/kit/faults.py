"""What stops the kit."""


class KitFault(Exception):
    """Something is not as it must be; the message says what to do about it."""
