"""Putting runs into the history of their WebJobs: the one way for people, clients and schedules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from webjobs.models.prepared import PreparedInsert
from webjobs.models.run import Run, RunQuerySet, run_number

# How often a run number may be taken by another run of the same WebJob in the same 0.1 ms.
MAX_NUMBER_TRIES = 100
# Rows of one statement; beneath SQLite's 32,766 parameters with all columns.
ROWS_PER_INSERT = 500


class CannotQueue(Exception):
    """The run has no place in the history of its WebJob; nothing was written."""


class LaneHeld(CannotQueue):
    """Another run of the WebJob is active on the lane that was wanted."""


class OccurrenceTaken(CannotQueue):
    """The occurrence has its entry already."""


class NumbersTaken(CannotQueue):
    """Too many runs of the WebJob begin at the same moment."""


_INSERT = PreparedInsert(Run)


def insert_run(run: Run) -> Run:
    """Insert `run` under the next free number from its `queued_at` on; raises CannotQueue."""
    first = run_number(run.queued_at)
    for number in range(first, first + MAX_NUMBER_TRIES):
        run.number = number
        if _INSERT(run):
            return run
        others = Run.objects.filter(job_id=run.job_id)
        _refuse_unless_free(run, others)
        if not others.filter(number=number).exists():
            run.save(force_insert=True)  # It raises what the constraint is called.
            return run
    raise NumbersTaken


def _refuse_unless_free(run: Run, others: RunQuerySet) -> None:
    taken = others.filter(scheduled_for=run.scheduled_for, attempt=run.attempt)
    if run.scheduled_for is not None and taken.exists():
        raise OccurrenceTaken
    if run.lane is not None and others.filter(lane=run.lane).exists():
        raise LaneHeld


def insert_runs(template: Run, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """Insert many runs that differ from `template` in the attributes `names`; their keys in order.

    All of them or, raising IntegrityError, none: call it in a transaction that ends then. A tenth
    of the price of bulk_create.
    """
    if not rows:
        return []
    fields = [field for field in Run._meta.concrete_fields if not field.primary_key]
    places = {name: index for index, name in enumerate(names)}
    ordered = sorted(fields, key=lambda field: places.get(field.attname, len(places)))
    constants = [
        field.get_db_prep_save(getattr(template, field.attname), connection)
        for field in ordered[len(names) :]
    ]
    prepared = list(_prepared(ordered, rows))
    write = _insert_arrays if connection.vendor == "postgresql" else _insert_values
    with connection.cursor() as cursor:
        return write(cursor, ordered, prepared, constants)


def _prepared(
    fields: Sequence[models.Field[Any, Any]], rows: Sequence[Sequence[Any]]
) -> Iterator[list[Any]]:
    """The rows as the database takes them. Equal values, which are many, are converted once."""
    known: dict[tuple[int, Any], Any] = {}
    for row in rows:
        values: list[Any] = []
        for place, value in enumerate(row):
            if type(value) is not int and value is not None:
                key = place, value
                if key not in known:
                    known[key] = fields[place].get_db_prep_save(value, connection)
                value = known[key]
            values.append(value)
        yield values


def _insert_values(
    cursor: CursorWrapper,
    fields: Sequence[models.Field[Any, Any]],
    rows: Sequence[list[Any]],
    constants: list[Any],
) -> list[int]:
    """What is the same for all rows is given once: half the price."""
    place = f"({', '.join(['%s'] * len(rows[0]))})"
    selected = ", ".join(["*", *["%s"] * len(constants)])
    keys: list[int] = []
    for start in range(0, len(rows), ROWS_PER_INSERT):
        part = rows[start : start + ROWS_PER_INSERT]
        places = ", ".join([place] * len(part))
        source = f"SELECT {selected} FROM (VALUES {places})"  # noqa: S608
        parameters = [*constants, *(value for row in part for value in row)]
        cursor.execute(_insert_statement(fields, source), parameters)
        # SQLite promises no order of what it returns; the keys grow in that of the rows.
        keys.extend(sorted(key for (key,) in cursor.fetchall()))
    return keys


def _insert_arrays(
    cursor: CursorWrapper,
    fields: Sequence[models.Field[Any, Any]],
    rows: Sequence[list[Any]],
    constants: list[Any],
) -> list[int]:
    """One parameter for each column: psycopg is slow with thousands of them."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    arrays = [f"%s::{field.db_type(connection)}[]" for field in fields[: len(columns)]]
    selected = ", ".join(["row.*", *["%s"] * len(constants)])
    source = f"SELECT {selected} FROM unnest({', '.join(arrays)}) AS row"  # noqa: S608
    cursor.execute(_insert_statement(fields, source), [*constants, *columns])
    # The sequence grows in the order of the rows.
    return sorted(key for (key,) in cursor.fetchall())


def _insert_statement(fields: Sequence[models.Field[Any, Any]], source: str) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    table = quote(Run._meta.db_table)
    return f"INSERT INTO {table} ({columns}) {source} RETURNING {quote('id')}"  # noqa: S608
