"""Apps without Always On: they idle when nobody has used them for a while, until the next use.

An idle app's continuous and scheduled WebJobs pause. Use is a request to a page of the app or to
its API.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, transaction

from webjobs.models import App, Schedule
from webjobs.reasons import gettext_noop

# Use is written down at most this often.
NOTED_EVERY = timedelta(minutes=1)
REASON = gettext_noop(
    "The app is idle: it has no Always On, and nobody has used it for a while. It goes on with "
    "the next use of the app."
)
# Azure's own words.
NO_ALWAYS_ON = (
    "'Always On' doesn't appear to be enabled for this Web App. To ensure your continuous job "
    "doesn't stop running when the SCM host is idle for too long, consider enabling 'Always On' "
    "in the configuration settings for your Web App. Note: 'Always On' is available only in "
    "Basic, Standard and Premium modes."
)

logger = logging.getLogger(__name__)


def idle_after() -> timedelta:
    """From the last use on."""
    return timedelta(seconds=settings.WEBJOBS_IDLE_AFTER)


def let_idle(now: datetime) -> int:
    """Let apps idle that nobody has used for long enough; how many."""
    unused = App.objects.can_idle().filter(is_idle=False, last_used_at__lte=now - idle_after())
    return sum(_let_idle(app, now) for app in list(unused))


def _let_idle(app: App, now: datetime) -> bool:
    with transaction.atomic():
        same = App.objects.can_idle().filter(
            pk=app.pk, is_idle=False, last_used_at=app.last_used_at
        )
        if not same.update(is_idle=True, idle_since=now, woken_at=None):
            return False
        _tell_beat(app, now)
    logger.info("App %s idles", app.name)
    return True


def note_use(app: App, now: datetime) -> bool:
    """Somebody uses `app`, which is as it was read a moment ago; whether that has woken it up.

    Costs nothing while it is always on, and at most one write a minute otherwise.
    """
    if app.is_always_on and not app.is_idle:
        return False
    if not app.is_idle and app.last_used_at > now - min(NOTED_EVERY, idle_after() / 3):
        return False
    with suppress(Error):  # To see a page must not need a database that can be written to.
        return wake(app, now)
    return False


def wake(app: App, now: datetime) -> bool:
    """Write a use down; true when `app` was idle until now."""
    with transaction.atomic():
        idle = App.objects.filter(pk=app.pk, is_idle=True)
        woken = bool(idle.update(is_idle=False, woken_at=now, last_used_at=now))
        if woken:
            _tell_beat(app, now)
        else:
            App.objects.filter(pk=app.pk).update(last_used_at=now)
    return woken


def _tell_beat(app: App, now: datetime) -> None:
    Schedule.objects.filter(job__slot__app=app).update(changed_at=now)
