"""Small statements of the hot paths, compiled once.

To compile a query costs Django five to ten times what SQLite needs to answer it. What is written
here is a queryset as everywhere, with a Given wherever a value comes later; it is compiled at its
first use in a process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import query as django_query
from django.db.models.expressions import Expression
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=models.Model)
# Its stubs are of another version of Django.
_populators: Any = django_query.get_related_populators


class Given(Expression):
    """The place of a value that is given at the execution, under this name."""

    def __init__(self, name: str, output_field: models.Field[Any, Any] | None = None) -> None:
        super().__init__(output_field=output_field or models.BigIntegerField())
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        return "%s", [self]

    def bind(self, values: dict[str, Any], connection: BaseDatabaseWrapper) -> Any:
        """Its value as the database takes it."""
        return _prepared(self.output_field, values[self.name], connection)


class Among(Expression):
    """Whether a column is among the keys that are given at the execution: one text for any number.

    The lookup `in` costs a parameter for each of them, in Django as in the database.
    """

    conditional = True

    def __init__(self, column: str, name: str) -> None:
        super().__init__(output_field=models.BooleanField())
        self._column: Any = models.F(column)
        self.name = name

    def get_source_expressions(self) -> list[Any]:
        return [self._column]

    def set_source_expressions(self, expressions: Sequence[Any]) -> None:
        (self._column,) = expressions

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        column, params = compiler.compile(self._column)
        given = "= ANY(%s)"
        if connection.vendor == "sqlite":
            given = "IN (SELECT value FROM json_each(%s))"
        return f"{column} {given}", [*params, self]

    def bind(self, values: dict[str, Any], connection: BaseDatabaseWrapper) -> Any:
        """The keys as the database takes them."""
        keys = list(values[self.name])
        return json.dumps(keys) if connection.vendor == "sqlite" else keys


def _own_connection() -> BaseDatabaseWrapper:
    """This thread's: to look it up, as Django's `connection` does for every attribute, would cost
    a tenth of what these statements cost."""
    return connections[DEFAULT_DB_ALIAS]


def _prepared(field: models.Field[Any, Any], value: Any, connection: BaseDatabaseWrapper) -> Any:
    """The value of a field as the database takes it."""
    if value is None or type(value) is int:
        return value
    return field.get_db_prep_save(value, connection)


def _bound(
    params: Iterable[Any], values: dict[str, Any], connection: BaseDatabaseWrapper
) -> list[Any]:
    return [
        param.bind(values, connection) if isinstance(param, (Given, Among)) else param
        for param in params
    ]


@dataclass
class _Plan(Generic[M]):
    """A compiled SELECT, and how its rows become objects, as in Django's ModelIterable."""

    sql: str
    params: Sequence[Any]
    compiler: SQLCompiler
    model: type[M]
    place: slice
    names: Sequence[str]
    related: Sequence[Any]
    converters: Any

    @classmethod
    def of(cls, queryset: models.QuerySet[M]) -> _Plan[M]:
        connection = _own_connection()
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        select, info = compiler.select, compiler.klass_info
        place = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        fields = [column for column, _, _ in select]
        return cls(
            sql,
            params,
            compiler,
            info["model"],
            place,
            [field.target.attname for field in fields[place]],
            _populators(info, select, connection.alias),
            compiler.get_converters(fields),
        )

    def objects(self, rows: Iterable[Sequence[Any]]) -> list[M]:
        return [self._object(row) for row in self.compiler.apply_converters(rows, self.converters)]

    def _object(self, row: Sequence[Any]) -> M:
        found = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.place])
        for populator in self.related:
            populator.populate(row, found)
        return found


class PreparedQuery(Generic[M]):
    """A SELECT of whole objects, perhaps with others that they refer to."""

    def __init__(self, build: Callable[[], models.QuerySet[M]]) -> None:
        self._build = build

    @cached_property
    def _plan(self) -> _Plan[M]:
        return _Plan.of(self._build())

    def all(self, **values: Any) -> list[M]:
        """The objects that are found with these values for its Givens."""
        plan, connection = self._plan, _own_connection()
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, _bound(plan.params, values, connection))
            rows = cursor.fetchall()
        return plan.objects(rows)

    def first(self, **values: Any) -> M | None:
        """The first of them, if there is any."""
        return next(iter(self.all(**values)), None)


class PreparedRows:
    """A SELECT of values, as `values_list` gives them."""

    def __init__(self, build: Callable[[], models.QuerySet[Any, Any]]) -> None:
        self._build = build

    @cached_property
    def _plan(self) -> tuple[str, Sequence[Any], SQLCompiler, Any]:
        compiler = self._build().query.get_compiler(connection=_own_connection())
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        return sql, params, compiler, converters

    def all(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows that are found with these values for its Givens."""
        (sql, params, compiler, converters), connection = self._plan, _own_connection()
        with connection.cursor() as cursor:
            cursor.execute(sql, _bound(params, values, connection))
            rows = cursor.fetchall()
        return [tuple(row) for row in compiler.apply_converters(rows, converters)]


class PreparedUpdate:
    """An UPDATE of `columns` (as in the table), whose new values are given under their names."""

    def __init__(self, build: Callable[[], models.QuerySet[Any]], *columns: str) -> None:
        self._build = build
        self._columns = columns

    @cached_property
    def _plan(self) -> tuple[str, Sequence[Any]]:
        queryset = self._build()
        query: Any = queryset.query.chain(UpdateQuery)
        fields = {field.attname: field for field in queryset.model._meta.concrete_fields}
        query.add_update_values(
            {fields[name].name: Given(name, fields[name]) for name in self._columns}
        )
        sql, params = query.get_compiler(connection=_own_connection()).as_sql()
        return sql, params

    def __call__(self, **values: Any) -> int:
        """How many rows it changed."""
        (sql, params), connection = self._plan, _own_connection()
        with connection.cursor() as cursor:
            cursor.execute(sql, _bound(params, values, connection))
            return int(cursor.rowcount)


class PreparedInsert(Generic[M]):
    """The INSERT of one new object, as `save(force_insert=True)` but for signals."""

    def __init__(self, model: type[M]) -> None:
        self._model = model

    @cached_property
    def _plan(self) -> tuple[str, Sequence[models.Field[Any, Any]]]:
        quote = _own_connection().ops.quote_name
        meta = self._model._meta
        fields = [field for field in meta.concrete_fields if not field.primary_key]
        columns = ", ".join(quote(str(field.column)) for field in fields)
        places = ", ".join(["%s"] * len(fields))
        sql = (
            f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places}) "  # noqa: S608
            f"ON CONFLICT DO NOTHING RETURNING {quote(str(meta.pk.column))}"
        )
        return sql, fields

    def __call__(self, new: M) -> bool:
        """False, and nothing is written, when it would break a constraint of uniqueness."""
        (sql, fields), connection = self._plan, _own_connection()
        values = [_prepared(field, field.pre_save(new, True), connection) for field in fields]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            row = cursor.fetchone()
        if row is None:
            return False
        new.pk = row[0]
        new._state.adding, new._state.db = False, DEFAULT_DB_ALIAS
        return True
