"""Looking, from this process, at the rows of a portal with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dj_database_url
from django.db import connections
from django.db.utils import ConnectionHandler

_NAME = "default"


@contextmanager
def rows_of(url: str) -> Iterator[None]:
    """Models read and write the database at `url` within the block, in this thread."""
    settings, before = connections.settings[_NAME], connections[_NAME]
    handler = ConnectionHandler({_NAME: dict(dj_database_url.parse(url))})
    connections.settings[_NAME] = handler.settings[_NAME]
    del connections[_NAME]
    try:
        yield
    finally:
        connections[_NAME].close()
        connections.settings[_NAME] = settings
        connections[_NAME] = before


def look_anew() -> None:
    """Forget a connection that the server has closed, as by its end."""
    connections[_NAME].close()
