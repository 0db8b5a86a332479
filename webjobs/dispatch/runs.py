"""Starting and stopping runs."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from webjobs.dispatch.asking import (
    ALREADY_RUNNING,
    STOPPED,
    Actor,
    Refused,
    hold,
    path_of,
    record,
)
from webjobs.models import Run, WebJob
from webjobs.models.queueing import CannotQueue, LaneHeld, insert_run
from webjobs.models.setting import lenient_engine_settings, settings_of
from webjobs.runner.interpreters import ArgumentsError, split_arguments
from webjobs.states import RunStatus, Trigger
from webjobs.tasks import enqueue_run, nudge_workers


def run_now(
    job: WebJob,
    actor: Actor,
    *,
    arguments: str = "",
    trigger: Trigger = Trigger.MANUAL,
    trigger_text: str = "External - WebJobs Portal",
) -> Run:
    """Start a run of a triggered WebJob; raises Refused while one is active or all is stopped."""
    if job.is_continuous:
        raise Refused("not-triggered", "A continuous WebJob is started and stopped, not run.", 400)
    _check_arguments(arguments)
    with transaction.atomic():
        hold(job)
        if lenient_engine_settings(settings_of(job.slot)).stopped:
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
                lane=0,
            )
        )
        record(actor, "webjob.run", job.slot, path_of(job), run=run.number, arguments=arguments)
        transaction.on_commit(lambda: enqueue_run(run.pk))
    return run


def _check_arguments(arguments: str) -> None:
    try:
        split_arguments(arguments)
    except ArgumentsError as error:
        raise Refused("arguments", f"The arguments cannot be read: {error}", 400) from error
    if "\0" in arguments:
        raise Refused("arguments", "The arguments cannot contain a null character.", 400)


def _insert(run: Run) -> Run:
    """The constraints decide: of many who ask at once, one gets the lane."""
    try:
        return insert_run(run)
    except LaneHeld:
        raise Refused("already-running", ALREADY_RUNNING) from None
    except CannotQueue:
        message = "Too many runs are being started at once. Try again."
        raise Refused("busy", message, 503) from None


def stop_run(run: Run, actor: Actor) -> None:
    """Ask for the end of an active run; a queued one ends at once. Asking twice is no error."""
    now = timezone.now()
    reason = f"Stopped by {actor.name}."
    with transaction.atomic():
        wished = run.request_stop(now, reason)
        if not wished and not Run.objects.active().filter(pk=run.pk).exists():
            raise Refused("not-running", "This run has ended already.")
        run.cancel(now, reason)
        if wished:
            record(actor, "run.stop", run.job.slot, path_of(run.job), run=run.number)
        transaction.on_commit(nudge_workers)
