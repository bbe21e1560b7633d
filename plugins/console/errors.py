"""What can stand in the way of saving a view."""

from __future__ import annotations

from kernel.errors import Conflict


class TooManyViews(Conflict):
    """A list has as many views already as one finds one's way among."""

    code, title = "too-many-views", "This list has too many views"
