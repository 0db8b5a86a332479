"""The effective settings.job of a WebJob: read from its columns, checked, and put into them."""

from __future__ import annotations

import json

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from webjobs import ncrontab, timezones
from webjobs.dispatch.asking import Refused
from webjobs.models import Schedule, WebJob
from webjobs.runner.settings_job import JobSettings, SettingsError, from_dict
from webjobs.states import JobType

# What the column takes.
EXPRESSION_MAX_LENGTH = 255


def checked(values: JobSettings) -> JobSettings:
    try:
        return from_dict(values.to_dict())
    except SettingsError as error:
        raise Refused("settings", error.text, 400, **error.params) from error


def parse_settings_of(job: WebJob) -> JobSettings:
    """The effective settings.job of `job`, typed."""
    known = {key: value for key, value in job.settings_job.items() if key not in job.extra_settings}
    return JobSettings(**known, extra=dict(job.extra_settings))


def check_settings(values: JobSettings, type: JobType) -> None:
    _check_storable(values)
    try:
        if values.schedule and type == JobType.TRIGGERED:
            _check_expression(values.schedule)
        if values.time_zone:
            timezones.resolve(values.time_zone)
    except ncrontab.NcrontabError as error:
        text = gettext_noop("schedule: %(error)s")
        raise Refused("schedule", text, 400, error=error) from error
    except timezones.UnknownTimeZone as error:
        text = gettext_noop("time_zone: %(error)s")
        raise Refused("time_zone", text, 400, error=error) from error


def _check_expression(text: str) -> None:
    ncrontab.parse(text)
    if len(text) > EXPRESSION_MAX_LENGTH:
        raise Refused(
            "schedule",
            gettext_noop(
                "schedule: has %(count)d characters, and at most %(most)d can be kept. Write "
                "ranges such as 0-30 instead of lists."
            ),
            400,
            count=len(text),
            most=EXPRESSION_MAX_LENGTH,
        )


def _check_storable(values: JobSettings) -> None:
    """PostgreSQL's jsonb takes every JSON text but null characters and halves of characters."""
    try:
        text = json.dumps(values.to_dict(), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        half = gettext_noop("settings.job holds half a character.")
        raise Refused("settings", half, 400) from None
    if rb"\u0000" in text:
        null = gettext_noop("settings.job cannot hold a null character.")
        raise Refused("settings", null, 400)


# Columns of WebJob that hold keys of settings.job under the same names.
_KEYS = (
    "is_singleton", "is_in_place", "stopping_wait_time", "max_parallel", "queue_limit",
    "retry_attempts", "retry_delay", "retry_on",
)  # fmt: skip


def apply(job: WebJob, values: JobSettings) -> None:
    for key in _KEYS:
        setattr(job, key, getattr(values, key))
    job.concurrency = values.concurrency or ""
    job.extra_settings = dict(values.extra)


def save_changed(job: WebJob, *fields: str) -> None:
    job.save(update_fields=[*_KEYS, "concurrency", "extra_settings", "updated_at", *fields])
    WebJob.objects.filter(pk=job.pk).update(revision=F("revision") + 1)


def apply_schedule(job: WebJob, values: JobSettings, *, is_enabled: bool | None = None) -> None:
    """Make the Schedule row what `values` say; occurrences before now never count."""
    if job.is_continuous:
        return
    now = timezone.now()
    if not values.schedule:
        Schedule.objects.filter(job=job).delete()
        return
    expression, time_zone = values.schedule, (values.time_zone or "").strip()
    schedule, created = Schedule.objects.get_or_create(
        job=job,
        defaults={"expression": expression, "time_zone": time_zone, "since": now}
        | ({} if is_enabled is None else {"is_enabled": is_enabled}),
    )
    wished = is_enabled if is_enabled is not None else schedule.is_enabled
    if not created:
        Schedule.objects.filter(pk=schedule.pk).filter(
            ~Q(expression=expression) | ~Q(time_zone=time_zone) | ~Q(is_enabled=wished)
        ).update(
            expression=expression, time_zone=time_zone, is_enabled=wished,
            since=now, changed_at=now,
        )  # fmt: skip
