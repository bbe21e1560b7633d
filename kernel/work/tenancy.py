"""The ORM's fence: every statement of a session is filtered by its business, every new row stamped with it.

What it is about to change of rows that are there is noted for the audit trail.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from kernel.db import Owned
from kernel.hooks.answering import NotYours, refuse_to_answers
from kernel.work.watching import Watched, look_at


class TenantSession(Session):
    """A session of one business, named in `info["business_id"]`. The transaction that it stands in is the kernel's."""

    def commit(self) -> None:
        """Never."""
        raise _kernels("commit the transaction")

    def rollback(self) -> None:
        """Never."""
        raise _kernels("roll the transaction back")

    def close(self) -> None:
        """Never; see `end_session`."""
        raise _kernels("end the transaction")

    def reset(self) -> None:
        """Never."""
        raise _kernels("end the transaction")

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Never."""
        raise _kernels("begin a transaction")

    def begin_nested(self) -> SessionTransaction:
        """Never."""
        raise _kernels("set a savepoint")

    def invalidate(self) -> None:
        """Never."""
        raise _kernels("throw the connection away")

    def connection(self, *_args: Any, **_kwargs: Any) -> sa.Connection:
        """Never: statements go through the session or `work.execute`."""
        raise _kernels("take the connection")


async def end_session(session: AsyncSession) -> None:
    """Leave a session, and the transaction as it is."""
    await session.run_sync(Session.close)


def _kernels(what: str) -> NotYours:
    refuse_to_answers(what)
    return NotYours(f"only the kernel may {what}")


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
