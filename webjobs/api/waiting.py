"""`?wait=`: the answer comes when the run has ended, or after so many seconds."""

from __future__ import annotations

import select
import threading
import time

from django.conf import settings
from django.http import HttpRequest

from webjobs.dispatch import Refused
from webjobs.models import Run

# Azure's front end gives a request up after this long.
MAX_SECONDS = 230
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.25

# The other half of the threads answers everybody else meanwhile.
_places = threading.BoundedSemaphore(max(1, settings.CONFIG.web_threads // 2))


def seconds_of(request: HttpRequest) -> int:
    """What `?wait=` asks for; 0 without it."""
    text = request.GET.get("wait", "")
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Refused("BadRequest", f"wait: must be seconds from 0 to {MAX_SECONDS}.", 400)
    return min(int(text), MAX_SECONDS)


def wait_for(request: HttpRequest, run: Run, seconds: float) -> bool:
    """Whether the run ended within `seconds`.

    Where too many wait already it looks only once; it goes on for nobody who has gone away.
    """
    is_waiting = _places.acquire(blocking=False)
    try:
        return _watch(request, run, seconds if is_waiting else 0.0)
    finally:
        if is_waiting:
            _places.release()


def _has_gone(request: HttpRequest) -> bool:
    """Whether the client has closed its connection, as far as the system can tell."""
    if "gunicorn.socket" not in request.META:
        return False
    poll = select.poll()
    poll.register(request.META["gunicorn.socket"], getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))


def _watch(request: HttpRequest, run: Run, seconds: float) -> bool:
    until, pause = time.monotonic() + seconds, FIRST_PAUSE
    while Run.objects.active().filter(pk=run.pk).exists():
        if time.monotonic() >= until or _has_gone(request):
            return False
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(LONGEST_PAUSE, pause * 1.5)
    return True
