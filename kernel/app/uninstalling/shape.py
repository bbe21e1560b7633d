"""What tables are like in their database, as lines of text: columns, constraints, indexes, triggers, policies, grants.

Two tables with equal lines are made alike. The lines of PostgreSQL and of SQLite are not comparable.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.uninstalling.ground import is_postgres

_SQLITE = "SELECT sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL ORDER BY type DESC, name"
_POSTGRES = """
SELECT line FROM (
  SELECT 1 AS part, lpad(a.attnum::text, 4) AS place,
    'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 2, conname, 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE conrelid = to_regclass(:table) AND contype <> 'n'
  UNION ALL
  SELECT 3, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = :table
  UNION ALL
  SELECT 4, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal
  UNION ALL
  SELECT 5, '', 'row security ' || relrowsecurity || ', forced ' || relforcerowsecurity
  FROM pg_class WHERE oid = to_regclass(:table)
  UNION ALL
  SELECT 6, policyname, 'policy ' || policyname || ' ' || permissive || ' ' || cmd || ' to ' || roles::text
    || ' using ' || coalesce(qual, '') || ' check ' || coalesce(with_check, '')
  FROM pg_policies WHERE schemaname = 'public' AND tablename = :table
  UNION ALL
  SELECT 7, grantee, 'grant ' || string_agg(privilege_type, ', ' ORDER BY privilege_type) || ' to ' || grantee
  FROM information_schema.role_table_grants
  WHERE table_schema = 'public' AND table_name = :table AND grantee <> current_user GROUP BY grantee
) AS all_lines ORDER BY part, place, line
"""


async def shape_of(connection: AsyncConnection, tables: Iterable[str]) -> dict[str, list[str]]:
    """Table → its lines, in an order that is always the same."""
    query = sa.text(_POSTGRES if is_postgres(connection) else _SQLITE)
    return {
        table: [" ".join(row[0].split()) for row in (await connection.execute(query, {"table": table})).all()]
        for table in sorted(tables)
    }
