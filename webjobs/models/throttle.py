"""How often signing in has failed lately; shared by all web processes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import connection, models
from django.db.models import F

from webjobs.models.prepared import Given, PreparedQuery

WINDOW = timedelta(minutes=1)
# Rows as old as this say nothing any more.
FORGOTTEN_AFTER = timedelta(hours=1)


def key_of(*parts: str) -> str:
    """What is counted: a hash, because names and addresses of people are nobody's business."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Throttle(models.Model):
    """Failures under one key within a window that begins with the first of them."""

    key = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=1)
    since = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.failures} since {self.since}"

    @classmethod
    def wait(cls, limits: Mapping[str, int], now: datetime) -> int:
        """Seconds until another try is allowed; 0 while no key is over its limit."""
        if not _is_any_known(list(limits)):
            return 0
        rows = [row for key in limits for row in _RECENT.all(key=key, since=now - WINDOW)]
        over = [row.since for row in rows if row.failures >= limits[row.key]]
        return max((int((at + WINDOW - now).total_seconds()) + 1 for at in over), default=0)

    @classmethod
    def count(cls, keys: Iterable[str], now: datetime) -> None:
        """One more failure under each of `keys`."""
        for key in keys:
            current = cls.objects.filter(key=key, since__gt=now - WINDOW)
            if current.update(failures=F("failures") + 1):
                continue
            cls.objects.filter(since__lt=now - FORGOTTEN_AFTER).delete()
            cls.objects.update_or_create(key=key, defaults={"failures": 1, "since": now})


def _is_any_known(keys: list[str]) -> bool:
    """One small statement, because every call of the API asks, nearly always for nothing."""
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT 1 FROM webjobs_throttle WHERE "key" IN ({places}) LIMIT 1', keys)  # noqa: S608
        return cursor.fetchone() is not None


_RECENT = PreparedQuery(
    lambda: Throttle.objects.filter(
        key=Given("key", models.CharField()), since__gt=Given("since", models.DateTimeField())
    )
)
