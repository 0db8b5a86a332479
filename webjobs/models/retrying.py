"""Retries: a run that failed or was lost is tried again, as a run of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from webjobs.models.run import Run
from webjobs.models.webjob import WebJob
from webjobs.reasons import gettext_noop
from webjobs.states import RetryOn, RunStatus


def plan_retry(run: Run, ending: RetryOn, now: datetime) -> Run | None:
    """The retry of `run`, which ends now, not yet stored; None when there is none.

    Nobody wants another try of what people stopped or deleted. The lanes must be locked.
    """
    job = WebJob.objects.living().filter(pk=run.job_id).first()
    if job is None or run.attempt > job.retries_after(ending):
        return None
    if not Run.objects.filter(pk=run.pk, stop_requested_at=None).exists():
        return None
    return Run(
        job=job,
        status=RunStatus.QUEUED,
        trigger=run.trigger,
        trigger_text=run.trigger_text,
        arguments=run.arguments,
        requested_by_id=run.requested_by_id,
        package_id=job.package_id,
        script=job.script,
        scheduled_for=run.scheduled_for,
        attempt=run.attempt + 1,
        retry_of=run,
        queued_at=now,
        not_before=now + job.retry_wait,
    )


def announcement(retry: Run) -> str:
    """`Retry 2 of 3 at 14:05:00 UTC.`"""
    at = retry.not_before or retry.queued_at
    text = gettext_noop("Retry %(number)d of %(all)d at %(time)s UTC.")
    time = f"{at.astimezone(UTC):%H:%M:%S}"
    return text % {"number": retry.attempt - 1, "all": retry.retries, "time": time}
