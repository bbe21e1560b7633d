"""What products are found by, kept by the deeds that change their names and codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared, among, upsert
from kernel.work import Work
from plugins.catalog.models import Barcode, Product, SearchKey, SearchWord
from plugins.catalog.rules.goods import search_keys, search_label, search_terms

_KEYS = SearchKey.__table__
_business = sa.bindparam("business_id", type_=sa.Uuid())
_CODES = Prepared(
    sa.select(Barcode.product_id, Barcode.code).where(
        Barcode.business_id == _business, among(Barcode.product_id, "product_ids")
    )
)
_KEPT = Prepared(
    sa.select(_KEYS.c.product_id, _KEYS.c.key, _KEYS.c.label).where(
        _KEYS.c.business_id == _business, among(_KEYS.c.product_id, "product_ids")
    )
)


_W = SearchWord.__table__.c
MOST_FORGOTTEN = 500
"""Words that are deleted at once; the job comes again for the rest."""
_is_used = sa.exists().where(_KEYS.c.business_id == _W.business_id, _KEYS.c.key == _W.word)
_HOLD = Prepared(
    sa.select(_W.word)
    .where(_W.business_id == _business, among(_W.word, "words"))
    .order_by(_W.word)
    .with_for_update(read=True, key_share=True)
)
_LOCK_UNUSED = Prepared(
    sa.select(_W.word)
    .where(_W.business_id == _business, ~_is_used)
    .order_by(_W.word)
    .limit(sa.bindparam("most", type_=sa.BigInteger()))
    .with_for_update(skip_locked=True)
)


async def write_search(work: Work, products: Sequence[Product], *, are_new: bool = False) -> None:
    """Write what products are found by, from their names, SKUs, tags and barcodes as they stand in the database.

    Their rows are held, or new; whether they have a barcode is written with the rest of them.
    """
    ids = [one.id for one in products]
    codes: dict[UUID, list[str]] = {}
    for row in await work.fetch(_CODES, product_ids=ids):
        codes.setdefault(row.product_id, []).append(row.code)
    for one in products:
        one.has_barcode = one.id in codes
    wanted = {
        (one.id, key): search_label(one.name)
        for one in products
        for key in search_keys(one.name, one.sku, codes.get(one.id, ()), one.tags)
    }
    kept = {} if are_new else {(row.product_id, row.key): row.label for row in await work.fetch(_KEPT, product_ids=ids)}
    await _forget(work, [place for place, label in kept.items() if wanted.get(place) != label])
    fresh = [place for place, label in wanted.items() if kept.get(place) != label]
    if fresh:
        rows = [
            {"business_id": work.business_id, "product_id": id_, "key": key, "label": wanted[id_, key]}
            for id_, key in fresh
        ]
        await work.execute(sa.insert(SearchKey), rows)
    await _note_words(work, {term for one in products for term in search_terms(one.name)})


async def _forget(work: Work, gone: Iterable[tuple[UUID, str]]) -> None:
    here = sa.and_(
        _KEYS.c.business_id == work.business_id,
        _KEYS.c.product_id == sa.bindparam("its_product"),
        _KEYS.c.key == sa.bindparam("its_key"),
    )
    if rows := [{"its_product": id_, "its_key": key} for id_, key in gone]:
        await work.execute(sa.delete(SearchKey).where(here), rows)


async def _note_words(work: Work, words: set[str]) -> None:
    """In one order, so that of two deeds that note the same new words neither waits for the other in a circle.

    Words that are there already are held until the deed ends: `forget_words` must not take one away that this deed
    has found, and one that it was just taking away is noted again.
    """
    missing = sorted(words)
    while missing:
        rows = [{"business_id": work.business_id, "word": word} for word in missing]
        await work.execute(upsert(work.deployment.database, SearchWord).on_conflict_do_nothing(), rows)
        held = {row.word for row in await work.fetch(_HOLD, words=missing)}
        missing = [word for word in missing if word not in held]


async def forget_words(work: Work, most: int = MOST_FORGOTTEN) -> bool:
    """Delete words that no product is found by any more, so many at most; whether there may be more.

    They are locked before they are looked at again: what a deed under way holds is passed over, and what one has
    committed since the first look is seen by the second.
    """
    unused = [row.word for row in await work.fetch(_LOCK_UNUSED, most=most)]
    if unused:
        await work.execute(_forget_unused(work, unused))
    return len(unused) == most


def _forget_unused(work: Work, words: Sequence[str]) -> sa.Delete:
    return sa.delete(SearchWord).where(_W.business_id == work.business_id, _W.word.in_(words), ~_is_used)
