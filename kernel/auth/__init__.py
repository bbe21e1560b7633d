"""People, roles, tokens, businesses and their places."""

from kernel.auth.acting import act, look
from kernel.auth.businesses.regions import businesses_in
from kernel.auth.guessing import wrong_guess
from kernel.auth.limits import count_try, may_guess
from kernel.auth.models import Location, User
from kernel.auth.rights.permissions import Rights

__all__ = ["Location", "Rights", "User", "act", "businesses_in", "count_try", "look", "may_guess", "wrong_guess"]
