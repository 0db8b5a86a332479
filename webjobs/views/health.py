"""Whether the portal works, for load balancers and people: needs no login and tells no secret."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import cache, lru_cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from webjobs import outages, packages
from webjobs.models import Beat, Instance

logger = logging.getLogger(__name__)

# A beat ticks at least every few seconds.
BEAT_SILENT_AFTER = timedelta(seconds=30)
BROKER_SECONDS = 1.0
# Anybody may ask, and each question to an object storage costs.
STORAGE_ASKED_EVERY = 5.0


@login_not_required
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when everything is there, else 503; each part is `ok` or words that say what is not."""
    parts: dict[str, str | int] = {
        **_database_parts(),
        "broker": _broker(),
        "packages": _packages(int(time.monotonic() / STORAGE_ASKED_EVERY)),
    }
    works = parts["instances"] != 0 and all(
        value == "ok" for name, value in parts.items() if name != "instances"
    )
    return JsonResponse(
        {"status": "ok" if works else "unavailable", **parts},
        status=200 if works else 503,
        headers={"Cache-Control": "no-store"},
    )


def _database_parts() -> dict[str, str | int]:
    now = timezone.now()
    try:
        ticked = Beat.objects.filter(ticked_at__gt=now - BEAT_SILENT_AFTER).exists()
        instances = Instance.objects.live(now).count()
    except DatabaseError as error:
        outages.database.gone(error)
        unknown = "unknown without the database"
        return {"database": "does not answer", "instances": 0, "beat": unknown}
    silent = f"no tick for {BEAT_SILENT_AFTER.seconds} seconds"
    return {"database": "ok", "instances": instances, "beat": "ok" if ticked else silent}


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
        logger.warning("The package storage does not answer: %s", error)
        return "do not answer"
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
