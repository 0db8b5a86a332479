"""Whose log it is."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from webjobs.models import Copy, Log, Run, Schedule

# Every run begins with it, nearly always the first.
_INSERT = """
    INSERT INTO webjobs_log (run_id, instance_key, created_at, size, lines, dropped, is_complete)
    VALUES (%s, %s, %s, 0, 0, 0, FALSE) ON CONFLICT (run_id) DO NOTHING RETURNING id
"""

# The scheduler is no instance; this stands in its log lines where others have an instance's key.
SCHEDULER = "beat"


def log_of_run(run: Run, instance_key: str) -> Log:
    """The log of `run`, made when it is missing; `instance_key` is who writes it first."""
    now = timezone.now()
    created_at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [run.pk, instance_key, created_at])
        new = cursor.fetchone()
    if new is None:
        return Log.objects.get(run=run)
    log = Log(pk=new[0], run_id=run.pk, instance_key=instance_key, created_at=now)
    log._state.adding, log._state.db = False, connection.alias
    return log


def log_of_copy(copy: Copy) -> Log:
    """The log of one continuous WebJob on one instance, over all its restarts."""
    return _log_of(copy.instance.key, copy=copy)


def log_of_schedule(schedule: Schedule) -> Log:
    """What the scheduler says about one WebJob."""
    return _log_of(SCHEDULER, schedule=schedule)


def _log_of(instance_key: str, **owner: Copy | Schedule) -> Log:
    found = Log.objects.filter(**owner).first()
    if found is None:
        # Two beats may come here at once, and to be refused would be an error in the server's log.
        new = Log(instance_key=instance_key, **owner)
        Log.objects.bulk_create([new], ignore_conflicts=True)
        found = Log.objects.get(**owner)
    return found
