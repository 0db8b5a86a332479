"""How long a run took, against what its WebJob's runs usually take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from webjobs.models import Run
from webjobs.states import RunStatus

# Runs before this one that are looked at, and how many of them must have succeeded.
LOOKED_AT = 50
ENOUGH = 3
# Far off is this many times as long or as short, and by so much at least.
FACTOR = 2
AT_LEAST = timedelta(seconds=2)


@dataclass(frozen=True)
class Usual:
    """The median of earlier successes, and how `duration` compares with it."""

    median: timedelta
    is_longer: bool
    is_shorter: bool


def usual_of(run: Run) -> Usual | None:
    """None when the run never started, or too few before it have succeeded. One short query."""
    duration = run.duration()
    if duration is None:
        return None
    before = (
        Run.objects.filter(job=run.job_id, number__lt=run.number)
        .order_by("-number")
        .values_list("status", "started_at", "ended_at")[:LOOKED_AT]
    )
    lengths = [
        ended - started
        for status, started, ended in before
        if status == RunStatus.SUCCESS and started and ended
    ]
    if len(lengths) < ENOUGH:
        return None
    usual = timedelta(seconds=median(length.total_seconds() for length in lengths))
    is_far = abs(duration - usual) >= AT_LEAST
    return Usual(
        usual,
        is_longer=is_far and duration > usual * FACTOR,
        # A run that goes on may yet take as long.
        is_shorter=is_far and duration < usual / FACTOR and run.is_final,
    )
