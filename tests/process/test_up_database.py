"""`manage.py up` on the database of DATABASE_URL."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.support.environment import database_url
from tests.support.portal import Portal, living

pytestmark = [pytest.mark.xdist_group("up"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of a new database beside the one of the tests."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is tried in test_up.py")
    server, _, _ = database_url().rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as session:
        session.execute("CREATE DATABASE up_test")
        yield f"{server}/up_test"
        session.execute("DROP DATABASE up_test WITH (FORCE)")


def test_it_begins_and_goes_on_with_postgresql(empty_database: str) -> None:
    data_dir = Path(tempfile.mkdtemp(prefix="webjobs-up-"))
    try:
        for is_first in (True, False):
            portal = Portal(data_dir, DATABASE_URL=empty_database)
            try:
                portal.wait_until_ready()
                assert ("Password:" in portal.output) is is_first
                everything = portal.everything()
                portal.signal(signal.SIGTERM)
                assert portal.wait() == 0
            finally:
                portal.close()
            assert living(everything) == []
        assert not (data_dir / "db.sqlite3").exists()
    finally:
        shutil.rmtree(data_dir)
