"""What migrations say of tables: whose rows they hold, and that books are never edited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

_POLICY = "business_id = (SELECT nullif(current_setting('app.business', true), '')::uuid)"


def tenant_table(table: str, *, append_only: bool = False) -> None:
    """In a migration: rows of a business, seen and written only by that business; append-only for books."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_POLICY}) WITH CHECK ({_POLICY})")
    _grant(table, "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE")
    if append_only:
        _refuse_edits(table)


def global_table(table: str) -> None:
    """In a migration: a table above all businesses, without row-level security."""
    _grant(table, "SELECT, INSERT, UPDATE, DELETE")


def _grant(table: str, rights: str) -> None:
    role = op.get_context().opts.get("duka_role")
    if role and op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT {rights} ON {table} TO {role}")


def _refuse_edits(table: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(_APPEND_ONLY)
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION duka_append_only()"
        )
        op.execute(_no_truncate(table))
        return
    for deed in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def protect_books() -> None:
    """In a migration: give books made before this release what `tenant_table` gives new ones."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(_APPEND_ONLY)
    books = op.get_bind().execute(
        sa.text(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname = c.relname || '_append_only' AND NOT EXISTS (SELECT FROM pg_trigger o"
            " WHERE o.tgrelid = c.oid AND o.tgname = c.relname || '_no_truncate')"
        )
    )
    for table in books.scalars().all():
        op.execute(_no_truncate(table))


_APPEND_ONLY = (
    "CREATE OR REPLACE FUNCTION duka_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'DELETE' THEN IF OLD.business_id::text = current_setting('app.purge', true) THEN RETURN OLD; END IF;"
    " END IF; RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '42501'; END $$"
)
"""Refuses every edit. Rows of a business that is being deleted go: the application's role cannot, it may not delete."""


def _no_truncate(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
    )
