"""Whether the portal works, for load balancers and people: needs no login and tells no secret."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from webjobs import outages, packages, room
from webjobs.models import Beat, Instance
from webjobs.telling import is_database_full

logger = logging.getLogger(__name__)

# A beat ticks at least every few seconds.
BEAT_SILENT_AFTER = timedelta(seconds=30)
BROKER_SECONDS = 1.0
DISK_FULL = "its disk is full"
NOT_WRITTEN = "cannot be written"
# Anybody may ask, and each question to an object storage costs.
ASKED_EVERY = 5.0


@login_not_required
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when everything is there, else 503; each part is `ok` or words that say what is not."""
    period = int(time.monotonic() / ASKED_EVERY)
    parts: dict[str, str | int] = {
        **_database_parts(period),
        "broker": _broker(),
        "packages": _packages(period),
    }
    works = parts["instances"] != 0 and all(
        value == "ok" for name, value in parts.items() if name != "instances"
    )
    return JsonResponse(
        {"status": "ok" if works else "unavailable", **parts},
        status=200 if works else 503,
        headers={"Cache-Control": "no-store"},
    )


def _database_parts(period: int) -> dict[str, str | int]:
    now = timezone.now()
    try:
        ticked = Beat.objects.filter(ticked_at__gt=now - BEAT_SILENT_AFTER).exists()
        instances = Instance.objects.live(now).count()
        state = _writing(period)
    except DatabaseError as error:
        outages.database.gone(error)
        unknown = "unknown without the database"
        return {"database": "does not answer", "instances": 0, "beat": unknown}
    silent = f"no tick for {BEAT_SILENT_AFTER.seconds} seconds"
    return {"database": state, "instances": instances, "beat": "ok" if ticked else silent}


def _writing(period: int) -> str:
    """Whether the database, which answers, also stores; by what it and its disk say of themselves,
    and by what it has refused. Nothing is written: a probe could find the room that logs lack."""
    if is_database_full(outages.database.trouble):
        return DISK_FULL
    return _disk_of_sqlite(period) if connection.vendor == "sqlite" else _mode_of_server(period)


@lru_cache(maxsize=1)
def _disk_of_sqlite(_period: int) -> str:
    path = Path(connection.settings_dict["NAME"])
    try:
        room.check(path.parent, path)
    except OSError as error:
        logger.warning("The database cannot be written: %s", error)
        return DISK_FULL if room.is_full(error) else NOT_WRITTEN
    return "ok"


@lru_cache(maxsize=1)
def _mode_of_server(_period: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return NOT_WRITTEN if cursor.fetchone() == ("on",) else "ok"


def _broker() -> str:
    try:
        _client().ping()
    except (RedisError, OSError):
        return "does not answer"
    return "ok"


@lru_cache(maxsize=1)
def _packages(_period: int) -> str:
    """Asked once in each period; the answer is kept until the next one."""
    try:
        packages.check_storage()
    except OSError as error:
        logger.warning("The package storage cannot be used: %s", error)
        if room.is_full(error):
            return "their disk is full"
        return NOT_WRITTEN if room.is_read_only(error) else "do not answer"
    return "ok"


@cache
def _client() -> Redis:
    # Celery's word for a Unix socket is not the one of the client library.
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://", 1)
    return Redis.from_url(
        url,
        socket_timeout=BROKER_SECONDS,
        socket_connect_timeout=BROKER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
