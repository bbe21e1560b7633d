"""People, roles, tokens, businesses and their places."""

from kernel.auth.acting import act, look
from kernel.auth.limits import count_guess, may_guess
from kernel.auth.models import Location, User
from kernel.auth.rights.permissions import Rights

__all__ = ["Location", "Rights", "User", "act", "count_guess", "look", "may_guess"]
