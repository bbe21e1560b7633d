"""How people have arranged their dashboards."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Json, Versioned
from kernel.db.personal import impersonal, names


class Arrangement(Versioned, Base):
    """A person's dashboard in a business. cards: in their order, as `schemas.dashboard.Arranged` has them."""

    __tablename__ = "console_arrangement"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("user", whole=True))
    cards: Mapped[list[dict[str, Any]]] = mapped_column(Json, info=impersonal("names of cards"))
    changed_at: Mapped[dt.datetime]
