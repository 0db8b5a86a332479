"""Adding, changing, starting, stopping and deleting WebJobs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from webjobs import endings, ncrontab, packages, timezones
from webjobs.dispatch.asking import (
    ALREADY_EXISTS,
    GONE,
    STOPPED,
    Actor,
    Refused,
    hold,
    path_of,
    record,
)
from webjobs.models import Package, PackageVersion, Run, Schedule, Slot, WebJob
from webjobs.models.setting import lenient_engine_settings, settings_of
from webjobs.runner.settings_job import JobSettings, SettingsError, from_dict
from webjobs.states import JobType
from webjobs.tasks import nudge_workers

NOT_KEPT = gettext_noop(
    "The package storage does not take the file: %(error)s. Nothing has changed. Try again later, "
    "or ask an administrator to look at the storage."
)

# What the column takes.
EXPRESSION_MAX_LENGTH = 255
CHANGED_MEANWHILE = gettext_noop("Somebody else has changed this WebJob meanwhile.")
SERVES_ALREADY = gettext_noop("This version serves already. Nothing has changed.")


@dataclass(frozen=True)
class NewWebJob:
    """A WebJob to add. Fields that are None leave what the package's settings.job says."""

    name: str
    type: JobType
    upload: packages.Upload
    schedule: str | None = None
    time_zone: str | None = None
    is_singleton: bool | None = None


@dataclass(frozen=True)
class Policy:
    """What becomes of runs that overlap, and of runs that fail; None stands for the default.

    The fields are keys of settings.job.
    """

    concurrency: str | None = None
    max_parallel: int | None = None
    queue_limit: int | None = None
    retry_attempts: int | None = None
    retry_delay: int | None = None
    retry_on: list[str] | None = None


@dataclass(frozen=True)
class Edit:
    """What to change of a WebJob: keys of settings.job (None removes one), switch and package.

    Where the package says something about a key that is named here, what is named here counts.
    """

    settings: dict[str, Any]
    is_enabled: bool | None = None
    package: Package | None = None

    def settings_after(self, job: WebJob) -> JobSettings:
        """The effective settings.job that this leads to from the present one; raises Refused."""
        given = self.package.settings_job if self.package else {}
        wished = job.settings_job | given | self.settings
        try:
            settings = from_dict({key: value for key, value in wished.items() if value is not None})
        except SettingsError as error:
            raise Refused("settings", error.text, 400, **error.params) from error
        _check_settings(settings, JobType(job.type))
        return settings


def state_of(job: WebJob) -> str:
    """What an edit begins from; differs whenever something was changed that an edit can change."""
    schedule = getattr(job, "schedule", None)
    enabled = schedule.is_enabled if schedule else None
    state = [job.package_id, job.script, job.settings_job, enabled]
    return sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def edit_webjob(job: WebJob, edit: Edit, seen: str, actor: Actor) -> None:
    """Apply all of `edit`, or raise Refused: `changed` when the state is no longer `seen`."""
    hold(job)
    if state_of(job) != seen:
        raise Refused("changed", CHANGED_MEANWHILE)
    wished = edit.settings_after(job)
    if edit.package is not None:
        job.package, job.script = edit.package, edit.package.script
    _apply(job, wished)
    _save_changed(job, "package", "script")
    _apply_schedule(job, wished, is_enabled=edit.is_enabled)
    if edit.package is not None:
        _note_version(job, actor)
    record(
        actor, "webjob.edit", job.slot, path_of(job), settings=edit.settings,
        is_enabled=edit.is_enabled, package=edit.package.sha256 if edit.package else None,
    )  # fmt: skip
    job.refresh_from_db()
    transaction.on_commit(nudge_workers)


@transaction.atomic
def start(job: WebJob, actor: Actor) -> None:
    """Wish a continuous WebJob running; one that waits for its restart starts now."""
    _require_continuous(job)
    if lenient_engine_settings(settings_of(job.slot)).stopped:
        raise Refused("stopped", STOPPED)
    if not job.request_start():
        raise Refused("gone", GONE, 404)
    record(actor, "webjob.start", job.slot, path_of(job))
    transaction.on_commit(nudge_workers)


@transaction.atomic
def stop(job: WebJob, actor: Actor) -> None:
    """Wish a continuous WebJob stopped; asking twice is no error."""
    _require_continuous(job)
    if job.request_stop():
        record(actor, "webjob.stop", job.slot, path_of(job))
        transaction.on_commit(nudge_workers)


@transaction.atomic
def delete(job: WebJob, actor: Actor) -> None:
    """Let a WebJob vanish at once; its processes are stopped first, then its history goes."""
    now = timezone.now()
    if job.request_delete(now):
        for run in Run.objects.active().filter(job=job):
            reason = gettext_noop("The WebJob was deleted by %(name)s.") % {"name": actor.name}
            run.request_stop(now, reason)
            endings.cancel(run, now, reason)
        Schedule.objects.filter(job=job).update(changed_at=now)
        record(actor, "webjob.delete", job.slot, path_of(job))
        transaction.on_commit(nudge_workers)


def keep_upload(upload: packages.Upload) -> None:
    """Put the file into the storage, unless it is there. Raises Refused."""
    try:
        packages.keep(upload)
    except packages.NotKept as error:
        raise Refused("storage", NOT_KEPT, 503, error=str(error)) from error


def add_webjob(slot: Slot, new: NewWebJob, actor: Actor) -> WebJob:
    """Add a WebJob; a continuous one starts at once. Raises Refused, also for a taken name."""
    if WebJob.objects.living().filter(slot=slot, type=new.type, name__iexact=new.name).exists():
        raise Refused("exists", ALREADY_EXISTS)
    asked = JobSettings(
        schedule=new.schedule, time_zone=new.time_zone, is_singleton=new.is_singleton
    )
    wished = asked.merged_over(new.upload.checked.settings)
    _check_settings(wished, new.type)
    keep_upload(new.upload)
    try:
        with transaction.atomic():
            package = packages.store(new.upload, actor.user)
            job = WebJob(
                slot=slot, name=new.name, type=new.type, package=package, script=package.script
            )
            _apply(job, wished)
            job.save(force_insert=True)
            _apply_schedule(job, wished)
            _note_version(job, actor)
            record(actor, "webjob.add", slot, path_of(job), package=package.sha256)
            transaction.on_commit(nudge_workers)
    except IntegrityError:
        raise Refused("exists", ALREADY_EXISTS) from None
    return job


def replace_package(job: WebJob, upload: packages.Upload, actor: Actor) -> None:
    """Give a WebJob new files; keys of the new settings.job replace, all others stay."""
    keep_upload(upload)
    with transaction.atomic():
        hold(job)
        package = packages.store(upload, actor.user)
        _serve(job, package, upload.checked.settings, actor)
        record(actor, "webjob.replace", job.slot, path_of(job), package=package.sha256)


@transaction.atomic
def roll_back(job: WebJob, version: PackageVersion, actor: Actor) -> PackageVersion:
    """Give a WebJob the files of an earlier version of it, as `replace_package` would.

    Returns the version that it is now. Raises Refused for the version that serves.
    """
    hold(job)
    if version.package_id == job.package_id:
        raise Refused("serves", SERVES_ALREADY)
    package = version.package
    noted = _serve(job, package, from_dict(package.settings_job), actor, restored=version.number)
    record(
        actor, "webjob.rollback", job.slot, path_of(job),
        package=package.sha256, version=version.number,
    )  # fmt: skip
    return noted


def _serve(
    job: WebJob,
    package: Package,
    given: JobSettings,
    actor: Actor,
    restored: int | None = None,
) -> PackageVersion:
    """Let `job`, which is held, have `package`; `given` is what its settings.job says."""
    wished = given.merged_over(parse_settings_of(job))
    _check_settings(wished, JobType(job.type))
    job.package, job.script = package, package.script
    _apply(job, wished)
    _save_changed(job, "package", "script")
    _apply_schedule(job, wished)
    noted = _note_version(job, actor, restored)
    job.refresh_from_db()
    transaction.on_commit(nudge_workers)
    return noted


def _note_version(job: WebJob, actor: Actor, restored: int | None = None) -> PackageVersion:
    return PackageVersion.note(
        job,
        created_at=timezone.now(),
        created_by=actor.user,
        by_name=actor.name[:150],
        restored=restored,
    )


def set_settings_job(job: WebJob, values: JobSettings, actor: Actor) -> None:
    """Replace the effective settings.job; raises Refused naming the key that cannot be."""
    _check_settings(values, JobType(job.type))
    with transaction.atomic():
        hold(job)
        _apply(job, values)
        _save_changed(job)
        _apply_schedule(job, values)
        record(actor, "webjob.settings", job.slot, path_of(job), settings=values.to_dict())
        job.refresh_from_db()
        transaction.on_commit(nudge_workers)


def set_schedule(
    job: WebJob, expression: str | None, time_zone: str, is_enabled: bool, actor: Actor
) -> None:
    """Change, switch, or (None) remove the schedule of a triggered WebJob."""
    if job.is_continuous:
        text = gettext_noop("Only triggered WebJobs have a schedule.")
        raise Refused("not-triggered", text, 400)
    with transaction.atomic():
        hold(job)
        wished = replace(
            parse_settings_of(job), schedule=expression or None, time_zone=time_zone or None
        )
        _check_settings(wished, JobType(job.type))
        _apply_schedule(job, wished, is_enabled=is_enabled)
        record(
            actor, "webjob.schedule", job.slot, path_of(job),
            schedule=expression, time_zone=time_zone, is_enabled=is_enabled,
        )  # fmt: skip
        job.refresh_from_db()


def set_policy(job: WebJob, policy: Policy, actor: Actor) -> None:
    """Change how the runs of a triggered WebJob follow each other; all other settings stay."""
    if job.is_continuous:
        text = gettext_noop("Only triggered WebJobs have runs.")
        raise Refused("not-triggered", text, 400)
    wished = asdict(policy)
    with transaction.atomic():
        hold(job)
        _apply(job, _checked(replace(parse_settings_of(job), **wished)))
        _save_changed(job)
        record(actor, "webjob.policy", job.slot, path_of(job), **wished)
        job.refresh_from_db()


def _checked(values: JobSettings) -> JobSettings:
    try:
        return from_dict(values.to_dict())
    except SettingsError as error:
        raise Refused("settings", error.text, 400, **error.params) from error


def parse_settings_of(job: WebJob) -> JobSettings:
    """The effective settings.job of `job`, typed."""
    known = {key: value for key, value in job.settings_job.items() if key not in job.extra_settings}
    return JobSettings(**known, extra=dict(job.extra_settings))


def _require_continuous(job: WebJob) -> None:
    if not job.is_continuous:
        text = gettext_noop("Only continuous WebJobs are started and stopped.")
        raise Refused("not-continuous", text, 400)


def _check_settings(values: JobSettings, type: JobType) -> None:
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


def _apply(job: WebJob, values: JobSettings) -> None:
    for key in _KEYS:
        setattr(job, key, getattr(values, key))
    job.concurrency = values.concurrency or ""
    job.extra_settings = dict(values.extra)


def _save_changed(job: WebJob, *fields: str) -> None:
    job.save(update_fields=[*_KEYS, "concurrency", "extra_settings", "updated_at", *fields])
    WebJob.objects.filter(pk=job.pk).update(revision=F("revision") + 1)


def _apply_schedule(job: WebJob, values: JobSettings, *, is_enabled: bool | None = None) -> None:
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
