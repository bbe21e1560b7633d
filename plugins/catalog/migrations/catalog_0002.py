"""What products are found by."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kernel.migrate import tenant_table
from plugins.catalog.rules.goods import search_keys, search_label, search_terms

revision = "catalog_0002"
down_revision = "catalog_0001"
requires: tuple[str, ...] = ()

_READ = ("catalog_product", "catalog_barcode")
_BATCH = 2000


def upgrade() -> None:
    """What products are found by."""
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    key = op.create_table(
        "catalog_search_key",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("key", text, nullable=False),
        sa.Column("label", text, nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "product_id"],
            ["catalog_product.business_id", "catalog_product.id"],
            name=op.f("fk_catalog_search_key_business_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "product_id", "key", name=op.f("pk_catalog_search_key")),
    )
    op.create_index(
        "ix_catalog_search_key_key", "catalog_search_key", ["business_id", "key", "label", "product_id"], unique=False
    )
    word = op.create_table(
        "catalog_search_word",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("word", text, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "word", name=op.f("pk_catalog_search_word")),
    )
    _fill(key, word)
    tenant_table("catalog_search_key")
    tenant_table("catalog_search_word")
    op.execute("ALTER TABLE catalog_product DROP COLUMN search")


def _fill(key: sa.Table, word: sa.Table) -> None:
    """Write what the products of all businesses are found by; the owner of the tables sees them all for that long."""
    _force(False)
    connection = op.get_bind()
    codes: dict[tuple[Any, Any], list[str]] = {}
    barcode = sa.table("catalog_barcode", *_columns("business_id", "product_id"), sa.column("code"))
    for row in connection.execute(sa.select(barcode)):
        codes.setdefault((row.business_id, row.product_id), []).append(row.code)
    product = sa.table("catalog_product", *_columns("business_id", "id"), sa.column("name"), sa.column("sku"))
    words: set[tuple[Any, str]] = set()
    rows = connection.execute(sa.select(product)).all()
    for start in range(0, len(rows), _BATCH):
        keys = []
        for row in rows[start : start + _BATCH]:
            found = search_keys(row.name, row.sku, codes.get((row.business_id, row.id), ()))
            base = {"business_id": row.business_id, "product_id": row.id, "label": search_label(row.name)}
            keys += [base | {"key": one} for one in found]
            words |= {(row.business_id, one) for one in search_terms(row.name)}
        connection.execute(sa.insert(key), keys)
    if words:
        connection.execute(sa.insert(word), [{"business_id": business, "word": one} for business, one in words])
    _force(True)


def _columns(*names: str) -> list[Any]:
    return [sa.column(name, sa.Uuid()) for name in names]


def _force(on: bool) -> None:
    if op.get_context().dialect.name == "postgresql":
        for table in _READ:
            op.execute(f"ALTER TABLE {table} {'' if on else 'NO '}FORCE ROW LEVEL SECURITY")
