"""What a search asks of the database: one statement for what fits surely and what may, one for what its terms may mean.

Conditions on other keys of a product are written as values rather than EXISTS (`_holds`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import aliased

from kernel.db import Prepared, among
from plugins.catalog.models import Category, Product, SearchKey, SearchWord

MOST_TERMS = 6
MOST_LOOSE = 200
MOST_WORDS = 8
"""Of the words a shortened one may mean."""
BRANCHES = (1, 2, 4, MOST_WORDS, 2 * MOST_WORDS, MOST_TERMS * MOST_WORDS)
"""For how many words at most a statement looks; few statements, and none much longer than it must be."""
CODES, WORDS, BEGINNINGS, LOOSE, MEANT = range(5)
"""The stages of a search, in order; last, words that its terms may mean."""

_business = sa.bindparam("business_id", type_=sa.Uuid())


class Filters(Struct, frozen=True):
    """Which filters narrow a question."""

    category: bool
    brand: bool
    active: bool


@lru_cache(maxsize=256)
def looking(terms: int, ranges: int, filters: Filters) -> Prepared:
    """The first statement of a question. Its parts stand in order, and each is looked at only as far as it is needed:
    exact codes, whole words, beginnings of words; then, where these are few, other codes and the words terms may mean.
    """
    stages = [_stage(number, part) for number, part in enumerate(_sure_parts(terms, filters))]
    most = sa.bindparam("most", type_=sa.BigInteger())
    sure = sa.union_all(*stages).limit(most).cte("sure")
    is_short = sa.select(sa.func.count()).select_from(sure).scalar_subquery() < most
    parts = [sa.select(sure)]
    parts += [_stage(LOOSE, _code_part(n, terms, filters, is_short), n) for n in range(ranges)]
    for n in range(terms):
        parts += [_stage(MEANT, part, n) for part in _word_parts(n, is_short)]
    return Prepared(sa.union_all(*parts))


def _stage(stage: int, part: sa.Select[*tuple[Any, ...]], n: int = 0) -> sa.Select[*tuple[Any, ...]]:
    """A part with its stage, as a subquery so that it keeps its own order and limit."""
    number: Any = sa.literal_column(str(stage)).label("stage")
    which: Any = sa.literal_column(str(n)).label("n")
    return sa.select(number, which, *part.subquery().c)


def _sure_parts(terms: int, filters: Filters) -> list[sa.Select[*tuple[Any, ...]]]:
    """What fits surely: exact codes, whole words, beginnings of words."""
    p = aliased(SearchKey, name="p")
    base = sa.select(p.key, p.label, p.product_id).where(p.business_id == _business, *_narrowed(p, filters))
    order = (p.key, p.label, p.product_id)
    stage = sa.bindparam("stage", type_=sa.BigInteger())
    exact = base.where(_is_code(p), stage <= CODES).order_by(*order).limit(sa.literal_column(str(MOST_LOOSE)))
    if not terms:
        return [exact]

    def behind(number: int) -> sa.Select[*tuple[Any, ...]]:
        after = sa.tuple_(
            sa.bindparam(f"after_key{number}", type_=sa.Text()),
            sa.bindparam(f"after_label{number}", type_=sa.Text()),
            sa.bindparam(f"after_id{number}", type_=sa.Uuid()),
        )
        ordered = base.where(stage <= number, sa.tuple_(*order) > after).order_by(*order)
        return ordered.limit(sa.bindparam("most", type_=sa.BigInteger()))

    no_code = ~_holds(p, _is_code)
    others = range(1, terms)
    all_whole = [_holds(p, _is_word(n)) for n in others]
    whole = behind(WORDS).where(p.key == _term(0), *all_whole, no_code, *_known(terms, _is_word))
    smaller = _holds(p, lambda k: sa.and_(k.key >= _term(0), k.key < p.key))
    begin = behind(BEGINNINGS).where(
        p.key.between(_term(0), _end(0)),
        *(_holds(p, _begins(n)) for n in others),
        ~smaller,
        no_code,
        ~sa.and_(p.key == _term(0), *all_whole),
        *_known(terms, _begins),
    )
    return [exact, whole, begin]


def _known(terms: int, condition: Any) -> Iterable[sa.ColumnElement[bool]]:
    """Any product has each term: otherwise it need not be looked for among those that have the others."""
    if terms < 2:
        return
    for n in range(terms):
        k = aliased(SearchKey)
        one: sa.Select[Any] = sa.select(sa.literal_column("1")).where(k.business_id == _business, condition(n)(k))
        yield one.limit(sa.literal_column("1")).scalar_subquery().is_not(None)


def _code_part(n: int, terms: int, filters: Filters, wanted: Any) -> sa.Select[*tuple[Any, ...]]:
    """What a range of codes finds that the question does not find surely, whatever its words say."""
    low, high = (sa.bindparam(f"{side}{n}", type_=sa.Text()) for side in ("low", "high"))
    return _not_surely(terms, filters, f"c{n}", lambda p: sa.and_(p.key.between(low, high), wanted))


@lru_cache(maxsize=256)
def loose(terms: int, branches: int, filters: Filters) -> Prepared:
    """What has some words and, of each term of the question, a beginning or a word that it may mean."""
    parts = []
    for n in range(branches):
        word = sa.bindparam(f"word{n}", type_=sa.Text())

        def fits(p: Any, word: sa.BindParameter[str] = word) -> sa.ColumnElement[bool]:
            return sa.and_(p.key == word, word > "", *(_holds(p, _begins_or_means(one)) for one in range(terms)))

        parts.append(_stage(LOOSE, _not_surely(terms, filters, f"w{n}", fits), n))
    return Prepared(sa.union_all(*parts))


def _not_surely(terms: int, filters: Filters, name: str, fits: Any) -> sa.Select[*tuple[Any, ...]]:
    """The first rows of which a condition holds, but for those the question finds surely."""
    p = aliased(SearchKey, name=name)
    surely = [~sa.and_(*(_holds(p, _begins(n)) for n in range(terms)))] if terms else []
    rows = sa.select(p.key, p.label, p.product_id).where(
        p.business_id == _business, fits(p), ~_holds(p, _is_code), *surely, *_narrowed(p, filters)
    )
    return rows.order_by(p.key, p.label, p.product_id).limit(sa.literal_column(str(MOST_LOOSE)))


def _word_parts(n: int, wanted: Any) -> Iterable[sa.Select[*tuple[Any, ...]]]:
    """The words a term may be short for, those with the fewest other letters first; else those it is inside of."""
    letters, inside = (sa.bindparam(f"{name}{n}", type_=sa.Text()) for name in ("letters", "inside"))
    beginning = sa.bindparam(f"beginning{n}", type_=sa.Text())
    w, i = (aliased(SearchWord, name=f"{name}{n}") for name in "si")
    short = (
        w.business_id == _business,
        w.word.between(sa.bindparam(f"first{n}", type_=sa.Text()), sa.bindparam(f"last{n}", type_=sa.Text())),
        w.word.like(letters),
        w.word.not_like(beginning),
    )
    none = sa.select(sa.literal_column("1")).where(*short).limit(sa.literal_column("1")).scalar_subquery().is_(None)
    within = (i.business_id == _business, i.word.like(inside), i.word.not_like(beginning))
    yield _words(w, wanted, letters.is_not(None), *short)
    yield _words(i, wanted, inside.is_not(None), none, *within)


def _words(w: Any, *conditions: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """Words in the columns of the other parts, the shortest first."""
    label: Any = sa.literal_column("''").label("label")
    product_id: Any = sa.cast(sa.null(), sa.Uuid()).label("product_id")
    said = sa.select(w.word.label("key"), label, product_id).where(*conditions)
    return said.order_by(sa.func.length(w.word), w.word).limit(sa.literal_column(str(MOST_WORDS)))


@lru_cache(maxsize=256)
def count(terms: int, filters: Filters) -> Prepared:
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


def _narrowed(p: Any, filters: Filters) -> Iterable[sa.ColumnElement[bool]]:
    """The filters of a list, of the product of a row."""
    wanted: list[sa.ColumnElement[bool]] = []
    product = aliased(Product)
    if filters.category:
        below = sa.select(Category.id).where(
            Category.business_id == _business, Category.path.like(sa.bindparam("category", type_=sa.Text()))
        )
        wanted.append(product.category_id.in_(below))
    if filters.brand:
        wanted.append(product.brand_id == sa.bindparam("brand", type_=sa.Uuid()))
    if filters.active:
        wanted.append(product.is_active == sa.bindparam("active", type_=sa.Boolean()))
    if not wanted:
        return ()
    here: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        product.business_id == _business, product.id == p.product_id, *wanted
    )
    return (here.limit(sa.literal_column("1")).scalar_subquery().is_not(None),)
