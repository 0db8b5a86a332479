"""Whose log it is."""

from __future__ import annotations

from webjobs.models import Copy, Log, Run, Schedule

# The scheduler is no instance; this stands in its log lines where others have an instance's key.
SCHEDULER = "beat"


def log_of_run(run: Run, instance_key: str) -> Log:
    """The log of `run`, made when it is missing; `instance_key` is who writes it first."""
    return Log.objects.get_or_create(run=run, defaults={"instance_key": instance_key})[0]


def log_of_copy(copy: Copy) -> Log:
    """The log of one continuous WebJob on one instance, over all its restarts."""
    key = copy.instance.key
    return Log.objects.get_or_create(copy=copy, defaults={"instance_key": key})[0]


def log_of_schedule(schedule: Schedule) -> Log:
    """What the scheduler says about one WebJob."""
    return Log.objects.get_or_create(schedule=schedule, defaults={"instance_key": SCHEDULER})[0]
