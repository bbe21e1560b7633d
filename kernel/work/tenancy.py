"""The ORM's fence: every statement of a session is filtered by its business, every new row stamped with it.

What it is about to change of rows that are there is noted for the audit trail.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from kernel.db import Owned
from kernel.work.watching import Watched, look_at


class TenantSession(Session):
    """A session of one business, named in `info["business_id"]`."""


class TenancyBroken(RuntimeError):
    """Code tried to write a row of another business."""


@event.listens_for(TenantSession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    watched: Watched | None = state.session.info.get("watched")
    if watched is not None and isinstance(state.statement, sa.UpdateBase):
        watched.writes_to(state.statement.table)
    if (
        state.is_column_load
        or state.is_relationship_load
        or not (state.is_select or state.is_update or state.is_delete)
    ):
        return
    business = state.session.info["business_id"]
    state.statement = state.statement.options(
        with_loader_criteria(Owned, lambda cls: cls.business_id == business, include_aliases=True)
    )


@event.listens_for(TenantSession, "before_flush")
def _stamp(session: Session, _context: Any, _instances: Any) -> None:
    business = session.info["business_id"]
    for thing in session.new:
        if isinstance(thing, Owned) and thing.business_id is None:
            thing.business_id = business
    for thing in (*session.new, *session.dirty, *session.deleted):
        if isinstance(thing, Owned) and thing.business_id != business:
            raise TenancyBroken(f"{type(thing).__name__} of another business in this unit of work")
    watched: Watched | None = session.info.get("watched")
    if watched is not None:
        look_at(session, watched)
