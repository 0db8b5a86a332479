"""Starting and stopping runs."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from webjobs.dispatch.asking import (
    ALREADY_RUNNING,
    STOPPED,
    Actor,
    Refused,
    hold,
    path_of,
    record,
)
from webjobs.endings import cancel, give_lanes
from webjobs.messages import enqueue_run
from webjobs.models import Run, WebJob
from webjobs.models.lanes import free_lane, is_held, lock_job
from webjobs.models.queueing import CannotQueue, LaneHeld, insert_run
from webjobs.models.setting import is_stopped
from webjobs.runner.interpreters import ArgumentsError, split_arguments
from webjobs.states import RunStatus, Trigger
from webjobs.tasks import nudge_workers

QUEUE_FULL = gettext_noop(
    "The queue is full: %(count)d runs of this WebJob are waiting. Wait until one of them has "
    "started, stop one, or raise queue_limit in its settings."
)


def run_now(
    job: WebJob,
    actor: Actor,
    *,
    arguments: str = "",
    trigger: Trigger = Trigger.MANUAL,
    trigger_text: str = "External - WebJobs Portal",
) -> Run:
    """Start a run of a triggered WebJob, or let it wait in its queue.

    Raises Refused when all is stopped, or when the WebJob's concurrency has no place for it.
    """
    if job.is_continuous:
        text = gettext_noop("A continuous WebJob is started and stopped, not run.")
        raise Refused("not-triggered", text, 400)
    _check_arguments(arguments)
    with transaction.atomic():
        hold(job)
        if is_stopped(job.slot):
            raise Refused("stopped", STOPPED)
        run = _insert(
            Run(
                job=job,
                status=RunStatus.QUEUED,
                trigger=trigger,
                trigger_text=trigger_text[:512],
                arguments=arguments,
                requested_by=actor.user,
                package_id=job.package_id,
                script=job.script,
                queued_at=timezone.now(),
                lane=_lane_for(job),
            )
        )
        record(actor, "webjob.run", job.slot, path_of(job), run=run.number, arguments=arguments)
        if run.lane is not None:
            transaction.on_commit(lambda: enqueue_run(run.pk))
    return run


def _lane_for(job: WebJob) -> int | None:
    """The lane for a new run of `job`, which is held; None: it waits in the queue."""
    if is_held(job):
        _check_place_after_swap(job)
        return None
    lane = free_lane(job)
    if not job.queue_room:
        if lane is None:
            raise Refused("already-running", ALREADY_RUNNING)
        return lane
    waiting = Run.objects.waiting(timezone.now()).filter(job=job).count()
    if waiting >= job.queue_room:
        raise Refused("queue-full", QUEUE_FULL, count=waiting)
    # What waits already goes first.
    return None if waiting else lane


def _check_place_after_swap(job: WebJob) -> None:
    """What would find a place if the slot were not being swapped waits for the end of that."""
    if Run.objects.active().filter(job=job).count() >= job.lanes + job.queue_room:
        raise Refused("already-running", ALREADY_RUNNING)


def _check_arguments(arguments: str) -> None:
    try:
        split_arguments(arguments)
    except ArgumentsError as error:
        text = gettext_noop("The arguments cannot be read: %(error)s")
        raise Refused("arguments", text, 400, error=error) from error
    if "\0" in arguments:
        text = gettext_noop("The arguments cannot contain a null character.")
        raise Refused("arguments", text, 400)


def _insert(run: Run) -> Run:
    """The constraints decide: of many who ask at once, one gets the lane."""
    try:
        return insert_run(run)
    except LaneHeld:
        raise Refused("already-running", ALREADY_RUNNING) from None
    except CannotQueue:
        text = gettext_noop("Too many runs are being started at once. Try again.")
        raise Refused("busy", text, 503) from None


def stop_run(run: Run, actor: Actor) -> None:
    """Ask for the end of an active run; a queued one ends at once. Asking twice is no error."""
    now = timezone.now()
    reason = gettext_noop("Stopped by %(name)s.") % {"name": actor.name}
    with transaction.atomic():
        # Before the run's own row, as everybody does who ends runs.
        job = lock_job(run.job_id)
        wished = run.request_stop(now, reason)
        if not wished and not Run.objects.active().filter(pk=run.pk).exists():
            raise Refused("not-running", gettext_noop("This run has ended already."))
        if cancel(run, now, reason) and job:
            give_lanes(job, now)
        if wished:
            record(actor, "run.stop", run.job.slot, path_of(run.job), run=run.number)
        transaction.on_commit(nudge_workers)
