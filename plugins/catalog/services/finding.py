"""Products found as somebody types: the words of a question in any order, their beginnings, shortened words, codes.

What fits surely comes page by page: exact codes, then products with all the words, then those with their beginnings.
Behind it come up to `MOST_LOOSE` that fit loosely: beginnings and ends of codes, words with letters left out.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, Struct, UnsetType

from kernel.errors import InvalidCursor
from kernel.web import make_cursor, read_cursor
from kernel.work import Work
from plugins.catalog.models import SearchKey
from plugins.catalog.rules import (
    BadBarcode,
    check_gtin,
    closeness,
    code_key,
    letters_of,
    search_terms,
    tail_key,
)
from plugins.catalog.schemas import ProductQuery
from plugins.catalog.services.asking import (
    BEGINNINGS,
    BRANCHES,
    CODES,
    LOOSE,
    MEANT,
    MOST_LOOSE,
    MOST_TERMS,
    WORDS,
    Filters,
    count,
    looking,
    loose,
)

_LAST = "\U0010ffff"
"""Behind all that begins alike."""
_SHORTEST_TAIL = 3
_SHORTEST_INSIDE = 3


class Found(Struct, frozen=True):
    """Ids of products, best first; the cursor of the page after them; how many there are, where it was asked."""

    ids: list[UUID]
    next_cursor: str | None
    total: int | UnsetType


class _Question(Struct, frozen=True):
    """A question taken apart. terms: the longest first, since the fewest products hold it."""

    terms: tuple[str, ...]
    codes: tuple[str, ...]
    ranges: tuple[tuple[str, str], ...]


class _Place(Struct, frozen=True):
    """Where a page begins: behind this key, label and product of this stage."""

    stage: int = -1
    key: str = ""
    label: str = ""
    id: UUID = UUID(int=0)


async def find_products(work: Work, query: ProductQuery) -> Found:
    """A page of products by a question, best first. Raises InvalidCursor."""
    question = _taken_apart(query.q or "")
    filters = Filters(query.category_id is not None, query.brand_id is not None, query.is_active is not None)
    given = _given(question, query)
    place = _place(work, query)
    first = await _look(work, question, filters, given, place, query.limit + 1)
    rows = [one for one in first.surely if one.stage != place.stage or _order(one) > _order(place)]
    if len(rows) <= query.limit:
        others = await _loosely(work, question, filters, given, first)
        behind = [one for one in others if place.stage < LOOSE or _order(one) > _order(place)]
        rows += behind[: query.limit + 1 - len(rows)]
    total: int | UnsetType = UNSET
    if query.include_total:
        counted = await work.one(count(len(question.terms), filters), **given)
        all_ = await _look(work, question, filters, given, _Place(LOOSE), query.limit + 1)
        total = (counted.n if counted else 0) + len(await _loosely(work, question, filters, given, all_))
    here = rows[: query.limit]
    cursor = None
    if len(rows) > query.limit:
        last = here[-1]
        cursor = make_cursor(work, query, [last.stage, last.key, last.label, last.id])
    return Found([one.id for one in here], cursor, total)


def surely_fits(question: str, business_id: UUID, product_id: Any) -> sa.ColumnElement[bool]:
    """A condition on a column of product ids: what a question finds but for shortened words, for any list's query."""
    asked = _taken_apart(question)
    key = SearchKey.__table__.c

    def found_by(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        within: sa.ColumnElement[bool] = product_id.in_(
            sa.select(key.product_id).where(key.business_id == business_id, sa.or_(*conditions))
        )
        return within

    def between(low: str, high: str) -> sa.ColumnElement[bool]:
        return key.key.between(sa.literal(low, sa.Text()), sa.literal(high, sa.Text()))

    codes = [(code, code) for code in asked.codes]
    by_code = found_by(*(between(*one) for one in (*codes, *asked.ranges)))
    if not asked.terms:
        return by_code
    return sa.or_(by_code, sa.and_(*(found_by(between(term, term + _LAST)) for term in asked.terms)))


def _taken_apart(said: str) -> _Question:
    terms = sorted(search_terms(said)[:MOST_TERMS], key=len, reverse=True)
    code, tail = code_key(said), tail_key(said)
    codes = [code]
    with contextlib.suppress(BadBarcode):
        codes.append(code_key(check_gtin(said)))
    ranges = [(code, code + _LAST)] if terms else []
    if len(tail) > _SHORTEST_TAIL and any(map(str.isdigit, tail)):
        ranges.append((tail, tail + _LAST))
    return _Question(tuple(terms), tuple(dict.fromkeys(codes)), tuple(ranges))


def _given(question: _Question, query: ProductQuery) -> dict[str, Any]:
    """The parameters that all statements of a question share."""
    given: dict[str, Any] = {"code0": question.codes[0], "code1": question.codes[-1]}
    for place, term in enumerate(question.terms):
        given |= {f"term{place}": term, f"end{place}": term + _LAST}
    if query.category_id is not None:
        given["category"] = f"%{query.category_id.hex}%"
    if query.brand_id is not None:
        given["brand"] = query.brand_id
    if query.is_active is not None:
        given["active"] = query.is_active
    return given


def _place(work: Work, query: ProductQuery) -> _Place:
    if query.cursor is None:
        return _Place()
    try:
        stage, key, label, id_ = read_cursor(work, query)
        return _Place(stage, key, label, UUID(id_))
    except (TypeError, ValueError) as fault:
        raise InvalidCursor from fault


def _order(one: _Place) -> tuple[str, str, UUID]:
    return one.key, one.label, one.id


class _Looked(Struct, frozen=True):
    """What the first statement of a question says: what fits surely, by code, and the words its terms may mean."""

    surely: list[_Place]
    by_code: list[_Place]
    words: list[list[str]]


async def _look(
    work: Work, question: _Question, filters: Filters, given: dict[str, Any], place: _Place, limit: int
) -> _Looked:
    """The first rows behind a place of what fits surely; where they are fewer than the limit, what else may fit."""
    known: dict[str, Any] = {"stage": place.stage, "most": limit + (MOST_LOOSE if place.stage == CODES else 0)}
    for stage in (WORDS, BEGINNINGS):
        begin = place if stage == place.stage else _Place(key=question.terms[0] if question.terms else "")
        known |= {f"after_key{stage}": begin.key, f"after_label{stage}": begin.label, f"after_id{stage}": begin.id}
    for n, (low, high) in enumerate(question.ranges):
        known |= {f"low{n}": low, f"high{n}": high}
    for n, term in enumerate(question.terms):
        letters = letters_of(term)
        inside = f"_%{term}%" if letters is not None and len(term) >= _SHORTEST_INSIDE else None
        known |= {f"first{n}": term[0], f"last{n}": term[0] + _LAST, f"letters{n}": letters}
        known |= {f"beginning{n}": f"{term}%", f"inside{n}": inside}
    rows = await work.fetch(looking(len(question.terms), len(question.ranges), filters), **given, **known)
    surely = [_Place(row.stage, row.key, row.label, row.product_id) for row in rows if row.stage < LOOSE]
    by_code = [_Place(LOOSE, f"0{row.n}", row.label, row.product_id) for row in rows if row.stage == LOOSE]
    words: list[list[str]] = [[] for _ in question.terms]
    for row in rows:
        if row.stage == MEANT:
            words[row.n].append(row.key)
    ordered = [
        sorted(found, key=partial(closeness, term=term)) for found, term in zip(words, question.terms, strict=True)
    ]
    return _Looked(surely, by_code, ordered)


async def _loosely(
    work: Work, question: _Question, filters: Filters, given: dict[str, Any], looked: _Looked
) -> list[_Place]:
    """All that fits loosely, best first: by codes, then by how little is missing of the words."""
    found = list(looked.by_code)
    ranks = [(rank, word) for words in looked.words for rank, word in enumerate(words)]
    if ranks:
        branches = next(size for size in BRANCHES if size >= len(ranks))
        meant = {f"word{n}": ranks[n][1] if n < len(ranks) else "" for n in range(branches)}
        meaning = {f"words{n}": words for n, words in enumerate(looked.words)}
        rows = await work.fetch(loose(len(question.terms), branches, filters), **given, **meant, **meaning)
        found += [_Place(LOOSE, f"1{ranks[row.n][0]}", row.label, row.product_id) for row in rows]
    best: dict[UUID, _Place] = {}
    for one in found:
        if one.id not in best or _order(one) < _order(best[one.id]):
            best[one.id] = one
    return sorted(best.values(), key=_order)[:MOST_LOOSE]
