"""Putting a run into its WebJob's history: the one way in for people, clients and schedules."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from webjobs.models.run import Run, RunQuerySet, run_number

# How often a run number may be taken by another run of the same WebJob in the same 0.1 ms.
MAX_NUMBER_TRIES = 100


class CannotQueue(Exception):
    """The run has no place in the history of its WebJob; nothing was written."""


class LaneHeld(CannotQueue):
    """Another run of the WebJob is active on the lane that was wanted."""


class OccurrenceTaken(CannotQueue):
    """The occurrence has its entry already."""


class NumbersTaken(CannotQueue):
    """Too many runs of the WebJob begin at the same moment."""


def insert_run(run: Run) -> Run:
    """Insert `run` under the next free number from its `queued_at` on; raises CannotQueue."""
    first = run_number(run.queued_at)
    for number in range(first, first + MAX_NUMBER_TRIES):
        run.number = number
        try:
            with transaction.atomic():
                run.save(force_insert=True)
            return run
        except IntegrityError:
            others = Run.objects.filter(job_id=run.job_id)
            _refuse_unless_free(run, others)
            if not others.filter(number=number).exists():
                raise
    raise NumbersTaken


def _refuse_unless_free(run: Run, others: RunQuerySet) -> None:
    taken = others.filter(scheduled_for=run.scheduled_for, attempt=run.attempt)
    if run.scheduled_for is not None and taken.exists():
        raise OccurrenceTaken
    if run.lane is not None and others.filter(lane=run.lane).exists():
        raise LaneHeld
