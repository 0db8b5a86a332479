"""The environment for a real portal process (worker, beat, web) on the test's own database."""

from __future__ import annotations

import os
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def portal_environ(**changes: str) -> dict[str, str]:
    """This process's environment, with the test database and data directory; then `changes`."""
    environ = {
        **os.environ,
        "DATA_DIR": str(settings.WEBJOBS_DATA_DIR),
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": settings.SECRET_KEY,
    }
    return {**environ, **changes}


def database_url() -> str:
    """The DATABASE_URL of the database that this test uses."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    values = connection.settings_dict
    user, host, port = values["USER"], quote(values["HOST"], safe=""), values["PORT"]
    password = f":{quote(values['PASSWORD'], safe='')}" if values["PASSWORD"] else ""
    return f"postgres://{user}{password}@{host}{f':{port}' if port else ''}/{name}"
