"""Prepared statements: compiled once, their text constant, sent straight to the driver.

SQLAlchemy writes the SQL; for the hot paths its execution layer is stepped around, which halves the cost of a query.
"""

from __future__ import annotations

import json
import uuid
from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator, TypeEngine

from kernel.db.base import is_configuration

Rows = list[Any]


class _ListOf(TypeDecorator[Sequence[Any]]):
    """A list as one parameter: an array on PostgreSQL, a JSON text on SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """An array of the item's type where the database has arrays."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.item))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        """The list as the driver takes it."""
        if value is None or dialect.name == "postgresql":
            return value
        return json.dumps([item.hex if isinstance(item, uuid.UUID) else item for item in value])


class _Among(ColumnElement[bool]):
    """`column` is one of the values of a list parameter, in a text that does not depend on the list's length."""

    __visit_name__ = "among"
    _traverse_internals = [
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]
    type = sa.Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True
    """Otherwise SQLite is told `… = 1`, and looks through all rows for it."""

    def __init__(self, column: ColumnElement[Any], values: sa.BindParameter[Any]) -> None:
        self.column = column
        self.values = values


@compiles(_Among, "postgresql")
def _among_postgres(element: _Among, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"{compiler.process(element.column, **kwargs)} = ANY ({compiler.process(element.values, **kwargs)})"


@compiles(_Among)
def _among_elsewhere(element: _Among, compiler: SQLCompiler, **kwargs: Any) -> str:
    values = compiler.process(element.values, **kwargs)
    return f"{compiler.process(element.column, **kwargs)} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - compiled parts


def among(column: Any, name: str) -> ColumnElement[bool]:
    """`column IN (the list given as parameter name)`."""
    expression: ColumnElement[Any] = (
        sa.type_coerce(column, column.type) if not isinstance(column, ColumnElement) else column
    )
    return _Among(expression, sa.bindparam(name, type_=_ListOf(column.type)))


class joined(FunctionElement[str]):  # a function in SQL, so in small letters
    """The texts of a group in one, with commas between."""

    type = sa.Text()
    inherit_cache = True


@compiles(joined, "postgresql")
def _joined_postgres(element: joined, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **kwargs)}, ',')"


@compiles(joined)
def _joined_elsewhere(element: joined, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kwargs)}, ',')"


class gathered(FunctionElement[str]):  # a function in SQL, so in small letters
    """The rows of a group as a text: a JSON list of lists, in no order; none at all may be None or an empty list."""

    type = sa.Text()
    inherit_cache = True


@compiles(gathered, "postgresql")
def _gathered_postgres(element: gathered, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **kwargs)})) AS text)"


@compiles(gathered)
def _gathered_elsewhere(element: gathered, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **kwargs)}))"


class Prepared:
    """A statement known at import time. Parameters are its `bindparam` names; rows are named tuples."""

    def __init__(self, statement: sa.Executable) -> None:
        self.statement = statement
        self._texts: dict[str, _Text] = {}

    def text(self, dialect: Dialect) -> _Text:
        """The compiled text for a dialect."""
        if dialect.name not in self._texts:
            self._texts[dialect.name] = _Text(self.statement, dialect)
        return self._texts[dialect.name]


class Configured(Prepared):
    """A prepared statement that reads tables of configuration alone, so that what it answers may be kept.

    Raises ValueError, when it is made, for any other table.
    """

    def __init__(self, statement: sa.Executable) -> None:
        super().__init__(statement)
        seen = visitors.iterate(cast("Any", statement))
        tables = {getattr(one, "table", one) for one in seen if isinstance(one, sa.Table | sa.Column)}
        if others := sorted(one.name for one in tables if not is_configuration(one)):
            raise ValueError(f"{', '.join(others)}: not configuration, so what it answers cannot be kept")


class _Text:
    """SQL, the order of its parameters, and what to do with values on the way in and out."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.names: list[str] = list(compiled.positiontup or [])
        self.fixed: dict[str, Any] = {k: v for k, v in compiled.params.items() if v is not None}
        self.incoming: dict[str, Callable[[Any], Any]] = dict(compiled._bind_processors)
        columns = compiled._result_columns
        self.row: Any = namedtuple("Row", [c.keyname for c in columns], rename=True) if columns else None
        self.outgoing = [
            (index, processor)
            for index, column in enumerate(columns)
            if (processor := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    def arguments(self, parameters: dict[str, Any]) -> list[Any]:
        """The parameters in the order of the text, as the driver takes them."""
        given = self.fixed | parameters if self.fixed else parameters
        processors = self.incoming
        return [processors[name](given[name]) if name in processors else given[name] for name in self.names]

    def rows(self, records: Sequence[Any]) -> Rows:
        """Driver records as named tuples."""
        if self.row is None:
            return []
        make = self.row._make
        if not self.outgoing:
            return [make(record) for record in records]
        found = []
        for record in records:
            values = list(record)
            for index, processor in self.outgoing:
                values[index] = processor(values[index])
            found.append(make(values))
        return found
