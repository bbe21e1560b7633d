"""Products found as somebody types: the words of a question in any order, their beginnings, shortened words, codes.

What fits surely comes page by page: exact codes, then products with all the words, then those with their beginnings.
Behind it come up to `MOST_LOOSE` that fit loosely: beginnings and ends of codes, words with letters left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.orm import aliased

from kernel.custom import Shape, conditions
from kernel.db import Prepared, among
from kernel.errors import InvalidCursor
from kernel.web import make_cursor, read_cursor
from kernel.work import Work
from plugins.catalog.models import Product, SearchKey, SearchWord
from plugins.catalog.rules.goods import (
    BadBarcode,
    check_gtin,
    closeness,
    code_key,
    letters_of,
    search_terms,
    tail_key,
)
from plugins.catalog.schemas.goods import ENTITY, ProductQuery
from plugins.catalog.services.narrowing import Narrowed, conditions_of

MOST_TERMS = 6
MOST_LOOSE = 200
MOST_WORDS = 8
"""Of the words a shortened one may mean."""
_BRANCHES = (1, 2, 4, MOST_WORDS)
"""Into how many ranges at most a statement looks; few statements, and none much longer than it must be."""
_LAST = "\U0010ffff"
"""Behind all that begins alike."""
_SHORTEST_TAIL = 3
_SHORTEST_INSIDE = 3
_CODES, _WORDS, _BEGINNINGS, _LOOSE = range(4)

_business = sa.bindparam("business_id", type_=sa.Uuid())


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


class _Filters(Struct, frozen=True):
    """Which filters narrow a question, by name. custom: the shape of those by fields of the shop's own."""

    custom: Shape
    names: tuple[str, ...]


async def find_products(work: Work, query: ProductQuery, narrowed: Narrowed) -> Found:
    """A page of products by a question, best first. Raises InvalidCursor."""
    question = _taken_apart(query.q or "")
    filters = _Filters(narrowed.custom, narrowed.names)
    given = _given(question) | narrowed.given
    place = _place(work, query)
    rows: list[_Place] = []
    if place.stage < _LOOSE:
        rows = await _surely(work, question, filters, given, place, query.limit + 1)
    if len(rows) <= query.limit:
        loose = await _loosely(work, question, filters, given)
        behind = [one for one in loose if place.stage < _LOOSE or _order(one) > _order(place)]
        rows += behind[: query.limit + 1 - len(rows)]
    total: int | UnsetType = UNSET
    if query.include_total:
        counted = await work.one(_count(len(question.terms), filters), **given)
        total = (counted.n if counted else 0) + len(await _loosely(work, question, filters, given))
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


def _given(question: _Question) -> dict[str, Any]:
    """The parameters that all statements of a question share."""
    given: dict[str, Any] = {"code0": question.codes[0], "code1": question.codes[-1]}
    for place, term in enumerate(question.terms):
        given |= {f"term{place}": term, f"end{place}": term + _LAST}
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


async def _surely(
    work: Work, question: _Question, filters: _Filters, given: dict[str, Any], place: _Place, limit: int
) -> list[_Place]:
    """The first rows behind a place of what fits surely. Each stage is asked for only where it is needed."""
    found: list[_Place] = []
    known = await _known(work, question, given)
    for stage, statement in enumerate(_stages(len(question.terms), filters)):
        if stage < place.stage or stage not in known or len(found) >= limit:
            continue
        begin = place if stage == place.stage else _Place(key=question.terms[0] if question.terms else "")
        after = {"after_key": begin.key, "after_label": begin.label, "after_id": begin.id}
        rows = await work.fetch(statement, **given, **after, rows=MOST_LOOSE if stage == _CODES else limit - len(found))
        here = [_Place(stage, row.key, row.label, row.product_id) for row in rows]
        found += [one for one in here if stage != place.stage or _order(one) > _order(place)]
    return found[:limit]


async def _known(work: Work, question: _Question, given: dict[str, Any]) -> set[int]:
    """The stages that can find anything: a word that no product has need not be looked for among those of the rest."""
    terms = len(question.terms)
    if terms < 2:
        return {_CODES, _WORDS, _BEGINNINGS}
    row = await work.one(_knowing(terms), **given)
    held = tuple(row or ())
    stages = {_WORDS: held[:terms], _BEGINNINGS: held[terms:]}
    return {_CODES} | {stage for stage, said in stages.items() if all(said)}


async def _loosely(work: Work, question: _Question, filters: _Filters, given: dict[str, Any]) -> list[_Place]:
    """All that fits loosely, best first: by codes, then by how little is missing of the words."""
    words = [await _words_for(work, term) for term in question.terms]
    given = given | {f"words{place}": found for place, found in enumerate(words)}
    best: dict[UUID, _Place] = {}
    driven = [question.ranges, *([(word, word) for word in found] for found in words)]
    for driver, ranges in enumerate(driven):
        if not ranges:
            continue
        branches = next(size for size in _BRANCHES if size >= len(ranges))
        statement = _loose(len(question.terms), branches, filters)
        padded = [*ranges, *[("", "")] * (branches - len(ranges))]
        bounds = {f"{side}{n}": one[at] for n, one in enumerate(padded) for at, side in enumerate(("low", "high"))}
        rows = await work.fetch(statement, **given, **bounds, by_code=driver == 0, rows=MOST_LOOSE)
        for row in rows:
            one = _Place(_LOOSE, f"{min(driver, 1)}{row.rank}", row.label, row.product_id)
            if row.product_id not in best or _order(one) < _order(best[row.product_id]):
                best[row.product_id] = one
    return sorted(best.values(), key=_order)[:MOST_LOOSE]


async def _words_for(work: Work, term: str) -> list[str]:
    """The words a term may be short for, those with the fewest other letters first; else those it is inside of."""
    letters = letters_of(term)
    if letters is None:
        return []
    first = term[0]
    rows = await work.fetch(_SHORTENED, first=first, last=first + _LAST, letters=letters, beginning=f"{term}%")
    found = sorted((row.word for row in rows), key=lambda word: closeness(word, term))
    if found or len(term) < _SHORTEST_INSIDE:
        return found
    inside = await work.fetch(_INSIDE, inside=f"_%{term}%")
    return [row.word for row in inside if not row.word.startswith(term)]


_word = SearchWord.__table__.c
_length = sa.func.length(_word.word)
_SHORTENED = Prepared(
    sa.select(_word.word)
    .where(
        _word.business_id == _business,
        _word.word >= sa.bindparam("first"),
        _word.word <= sa.bindparam("last"),
        _word.word.like(sa.bindparam("letters")),
        _word.word.not_like(sa.bindparam("beginning")),
    )
    .order_by(_length, _word.word)
    .limit(MOST_WORDS)
)
_INSIDE = Prepared(
    sa.select(_word.word)
    .where(_word.business_id == _business, _word.word.like(sa.bindparam("inside")))
    .order_by(_length, _word.word)
    .limit(MOST_WORDS)
)


@lru_cache(maxsize=MOST_TERMS)
def _knowing(terms: int) -> Prepared:
    """Whether any product has each term as a word, and then whether any has a word that begins with it."""
    columns = []
    for name, condition in (("word", _is_word), ("beginning", _begins)):
        for n in range(terms):
            k = aliased(SearchKey)
            one: sa.Select[Any] = sa.select(sa.literal_column("1")).where(k.business_id == _business, condition(n)(k))
            columns.append(one.limit(sa.literal_column("1")).scalar_subquery().is_not(None).label(f"{name}{n}"))
    return Prepared(sa.select(*columns))


@lru_cache(maxsize=256)
def _stages(terms: int, filters: _Filters) -> tuple[Prepared, ...]:
    """The statements of what fits surely, in order: exact codes, whole words, beginnings of words."""
    p = aliased(SearchKey, name="p")
    rows = sa.bindparam("rows", type_=sa.BigInteger())
    base = sa.select(p.key, p.label, p.product_id).where(p.business_id == _business, *_narrowed(p, filters))
    order = (p.key, p.label, p.product_id)
    behind = sa.tuple_(*order) > sa.tuple_(
        sa.bindparam("after_key", type_=sa.Text()),
        sa.bindparam("after_label", type_=sa.Text()),
        sa.bindparam("after_id", type_=sa.Uuid()),
    )
    ordered = base.where(behind).order_by(*order).limit(rows)
    exact = base.where(_is_code(p)).order_by(*order).limit(rows)
    if not terms:
        return (Prepared(exact),)
    no_code = ~_holds(p, _is_code)
    others = range(1, terms)
    whole = ordered.where(p.key == _term(0), *(_holds(p, _is_word(n)) for n in others), no_code)
    smaller = _holds(p, lambda k: sa.and_(k.key >= _term(0), k.key < p.key))
    begin = ordered.where(p.key.between(_term(0), _end(0)), *(_holds(p, _begins(n)) for n in others), ~smaller, no_code)
    begin = begin.where(
        ~sa.and_(p.key == _term(0), *(_holds(p, _is_word(n)) for n in others)),
    )
    return Prepared(exact), Prepared(whole), Prepared(begin)


@lru_cache(maxsize=256)
def _loose(terms: int, branches: int, filters: _Filters) -> Prepared:
    """What some ranges of keys find that the question does not find surely; by_code: whatever the words say."""
    parts = []
    for rank in range(branches):
        p = aliased(SearchKey, name=f"p{rank}")
        low, high = (sa.bindparam(f"{side}{rank}", type_=sa.Text()) for side in ("low", "high"))
        surely = [_holds(p, _begins(n)) for n in range(terms)]
        fitting = [_holds(p, _begins_or_means(n)) for n in range(terms)]
        by_code = sa.bindparam("by_code", type_=sa.Boolean())
        part: sa.Select[*tuple[Any, ...]] = (
            sa.select(sa.literal_column(str(rank)).label("rank"), p.key, p.label, p.product_id)
            .where(
                p.business_id == _business,
                p.key.between(low, high),
                p.key > "",
                ~_holds(p, _is_code),
                ~sa.and_(*surely) if surely else sa.true(),
                sa.or_(by_code, sa.and_(*fitting)) if fitting else by_code,
                *_narrowed(p, filters),
            )
            .order_by(p.key, p.label, p.product_id)
            .limit(sa.bindparam("rows", type_=sa.BigInteger()))
        )
        parts.append(sa.select(part.subquery(f"s{rank}")))
    return Prepared(sa.union_all(*parts))


@lru_cache(maxsize=256)
def _count(terms: int, filters: _Filters) -> Prepared:
    """How many products a question finds surely."""
    p = aliased(SearchKey, name="p")
    by_code = _is_code(p)
    by_words = sa.and_(p.key.between(_term(0), _end(0)), *(_holds(p, _begins(n)) for n in range(1, terms)))
    fits = sa.or_(by_code, by_words) if terms else by_code
    counted = sa.func.count(sa.distinct(p.product_id)).label("n")
    return Prepared(sa.select(counted).where(p.business_id == _business, fits, *_narrowed(p, filters)))


def _term(n: int) -> sa.BindParameter[str]:
    return sa.bindparam(f"term{n}", type_=sa.Text())


def _end(n: int) -> sa.BindParameter[str]:
    return sa.bindparam(f"end{n}", type_=sa.Text())


def _is_code(k: Any) -> sa.ColumnElement[bool]:
    is_code: sa.ColumnElement[bool] = k.key.in_([sa.bindparam(f"code{n}", type_=sa.Text()) for n in range(2)])
    return is_code


def _is_word(n: int) -> Any:
    return lambda k: k.key == _term(n)


def _begins(n: int) -> Any:
    return lambda k: k.key.between(_term(n), _end(n))


def _begins_or_means(n: int) -> Any:
    return lambda k: sa.or_(k.key.between(_term(n), _end(n)), among(k.key, f"words{n}"))


def _holds(p: Any, condition: Any) -> sa.ColumnElement[bool]:
    """The product of a row has another key for which a condition holds.

    Written as a value rather than EXISTS, which PostgreSQL would turn into a join of all rows before taking the first.
    """
    k = aliased(SearchKey)
    one: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        k.business_id == _business, k.product_id == p.product_id, condition(k)
    )
    return one.limit(sa.literal_column("1")).scalar_subquery().is_not(None)


def _narrowed(p: Any, filters: _Filters) -> Iterable[sa.ColumnElement[bool]]:
    """The filters of a list, of the product of a row."""
    product = aliased(Product)
    wanted = conditions_of(product, [name for name in filters.names if name != "tag"])
    tagged = [_holds(p, lambda k: k.key == sa.bindparam("tag", type_=sa.Text()))] if "tag" in filters.names else []
    own = [*conditions(ENTITY, p.product_id, filters.custom), *tagged]
    if not wanted:
        return own
    here: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        product.business_id == _business, product.id == p.product_id, *wanted
    )
    return (here.limit(sa.literal_column("1")).scalar_subquery().is_not(None), *own)
