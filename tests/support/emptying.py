"""Emptying the database after a test that commits, in milliseconds.

Django truncates every table, for which PostgreSQL makes new files, and then writes its content
types and permissions anew. Here rows are deleted, and those two stay: no test changes them.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.test import TransactionTestCase

_KEPT = {"auth_permission", "django_content_type"}


def install() -> None:
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(case: TransactionTestCase) -> None:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    # References are looked at when it commits, so that the order does not matter.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in set(tables) - _KEPT:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608
