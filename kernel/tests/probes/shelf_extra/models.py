"""The neighbour's table."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from kernel.db import Base, Owned


class Slip(Owned, Base):
    """A slip."""

    __tablename__ = "probe_shelf_extra_slip"

    words: Mapped[str]
