"""A person's dashboard: which cards it has, in which order, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
import sqlalchemy as sa

from kernel.errors import Invalid
from kernel.work import Work
from plugins.console import hooks as places
from plugins.console.models import Arrangement
from plugins.console.schemas import Card
from plugins.console.schemas.contributions import OPERATOR
from plugins.console.schemas.dashboard import Arranged, ArrangementIn, CardOut, DashboardOut

SIZES = ("s", "m", "l")
_A = Arrangement.__table__.c


class Placed(Protocol):
    """What may name the place where it stands."""

    @property
    def place(self) -> int | None:
        """From 1 on; None where it is given."""


T = TypeVar("T", bound=Placed)


async def dashboard(work: Work) -> tuple[DashboardOut, int]:
    """The caller's dashboard, and its version: 0 where they have not arranged it."""
    row = await _own(work)
    said = _read(row)
    return DashboardOut(arranged(cards_of(work), said), row is not None), row.version if row else 0


async def arrange(work: Work, data: ArrangementIn) -> None:
    """Keep an order of cards. Raises Invalid for a card that is named twice, PreconditionFailed.

    What was said of cards that cannot be seen now (their plugin is off) stays.
    """
    names = [one.card for one in data.cards]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Invalid.at(f"/cards/{place}/card", "Named before", code="duplicate")
    await work.write()
    row = await _own(work, to_change=True)
    work.check_version(row.version if row else 0)
    seen = {*names, *(name for name, _ in cards_of(work))}
    kept = [one for one in _read(row) if one.card not in seen]
    cards = [_stored(one) for one in (*in_order(data.cards), *kept)]
    values = {"cards": cards, "changed_at": work.now}
    if row is None:
        await work.execute(sa.insert(Arrangement).values(**_key(work), **values, version=1))
    else:
        raised = sa.update(Arrangement).where(_mine(work)).values(**values, version=row.version + 1)
        await work.execute(raised)
    work.audit(subject=_subject(work), cards=len(names))


async def reset(work: Work) -> None:
    """Forget how the caller has arranged their dashboard; nothing where they have not."""
    row = await _own(work, to_change=True)
    work.audit(subject=_subject(work))
    if row is not None:
        await work.execute(sa.delete(Arrangement).where(_mine(work)))
        work.changed(Arrangement, str(work.actor.id), {"cards": len(row.cards)}, None)


def cards_of(work: Work) -> list[tuple[str, Card]]:
    """The cards that the caller may see, by name, in the order in which they come."""
    offered = [(one.plugin, card) for one in work.hooks.offers(places.console_cards) for card in one.value or ()]
    offered.sort(key=lambda pair: (pair[1].order, pair[1].name))
    return [(f"{plugin}.{card.name}", card) for plugin, card in offered if may_see(work, card.permission)]


def arranged(cards: Sequence[tuple[str, Card]], said: Sequence[Arranged]) -> list[CardOut]:
    """Cards as somebody has arranged them: those in their order, then those of which nothing was said."""
    known = dict(cards)
    first = [(one, known[one.card]) for one in said if one.card in known]
    named = {one.card for one, _ in first}
    rest = [(Arranged(card=name), card) for name, card in cards if name not in named]
    return [_out(one, card) for one, card in (*first, *rest)]


def in_order(said: Sequence[T]) -> list[T]:
    """Cards, or columns, in the order given, but for those that name their place, which are put there."""
    found = [one for one in said if one.place is None]
    for one in sorted((one for one in said if one.place is not None), key=lambda one: one.place or 0):
        found.insert((one.place or 1) - 1, one)
    return found


def _out(said: Arranged, card: Card) -> CardOut:
    sizes = [] if card.size == "l" else list(SIZES)
    size = said.size if said.size in sizes else card.size
    plugin = said.card.partition(".")[0]
    return CardOut(
        *(said.card, plugin, card.title, size, sizes, said.is_shown),  # type: ignore[arg-type]
        *(list(card.follows), card.to),
    )


def may_see(work: Work, permission: str) -> bool:
    """Whether the caller may see what asks for a permission, as pages and cards do."""
    if permission == OPERATOR:
        return work.actor.is_operator
    return not permission or work.actor.may(permission)


def _stored(said: Arranged) -> Mapping[str, Any]:
    return {"card": said.card, "is_shown": said.is_shown, "size": said.size}


def _read(row: Any) -> list[Arranged]:
    return [msgspec.convert(one, Arranged) for one in row.cards] if row else []


async def _own(work: Work, *, to_change: bool = False) -> Any:
    statement = sa.select(_A.cards, _A.version).where(_mine(work))
    return (await work.execute(statement.with_for_update() if to_change else statement)).one_or_none()


def _mine(work: Work) -> sa.ColumnElement[bool]:
    return sa.and_(_A.business_id == work.business_id, _A.user_id == work.actor.id)


def _key(work: Work) -> Mapping[str, Any]:
    return {"business_id": work.business_id, "user_id": work.actor.id}


def _subject(work: Work) -> str:
    return f"dashboard:{work.actor.id}"
