"""Tax classes and their dated rates."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Json, Owned, Versioned, owned_key
from kernel.db.personal import impersonal


class TaxClass(Owned, Versioned, Base):
    """A kind of goods as the tax office sees it. One class may be the default, for products that name none."""

    __tablename__ = "taxes_class"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "code"),
        sa.Index(
            "uq_taxes_class_default",
            "business_id",
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        ),
        {"info": CONFIGURATION},
    )

    code: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the class's"))
    category: Mapped[str] = mapped_column(info=impersonal("a code"))
    is_default: Mapped[bool] = mapped_column(default=False)


class TaxRate(Owned, Base):
    """What a class bears in a region from one day to another, both inclusive; no end: until further notice.

    components: `{"code", "rate", "kind", "amount_micro", "twin"}` each, figures scaled by `money.MICRO`.
    codes: the words authorities use for it, by their system, e.g. `{"etims": "B"}`.
    """

    __tablename__ = "taxes_rate"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "class_id", "region", "valid_from"),
        owned_key("class_id", "taxes_class"),
        {"info": CONFIGURATION},
    )

    class_id: Mapped[uuid.UUID]
    region: Mapped[str]
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]
    components: Mapped[list[dict[str, Any]]] = mapped_column(Json, info=impersonal("rates"))
    codes: Mapped[dict[str, Any]] = mapped_column(info=impersonal("authorities' words for it"))
