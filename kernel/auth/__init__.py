"""People, roles, tokens, businesses and their places."""

from kernel.auth.acting import act, look
from kernel.auth.guessing import wrong_guess
from kernel.auth.limits import may_guess
from kernel.auth.models import Location, User
from kernel.auth.rights.permissions import Rights

__all__ = ["Location", "Rights", "User", "act", "look", "may_guess", "wrong_guess"]
