"""What people and clients may ask for; pages, API and admin all go through here.

Each function writes the wish and its audit entry in one transaction and tells the workers after
the commit. What cannot be done raises Refused, and then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from webjobs import ncrontab, packages, timezones
from webjobs.models import (
    App,
    AppSetting,
    AuditEntry,
    Membership,
    Role,
    Run,
    Schedule,
    Slot,
    WebJob,
    engine_settings,
)
from webjobs.models.run import run_number
from webjobs.models.setting import SettingError, lenient_engine_settings, steers_engine
from webjobs.runner.interpreters import split_arguments
from webjobs.runner.settings_job import JobSettings, SettingsError, parse_settings
from webjobs.states import JobType, RunStatus, Trigger
from webjobs.tasks import enqueue_run, nudge_workers

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Azure's own words.
ALREADY_RUNNING = "Cannot start a new run since job is already running."
STOPPED = 'WebJobs are currently in "stopped" state.'
ALREADY_EXISTS = "The WebJob already exists."
# How often a run number may be taken by another run of the same WebJob in the same 0.1 ms.
MAX_NUMBER_TRIES = 100


@dataclass(frozen=True)
class Actor:
    """Who asks, for the record. `user` is None for the portal itself."""

    user: User | None
    name: str
    address: str | None = None


PORTAL = Actor(user=None, name="WebJobs Portal")


class Refused(Exception):
    """What was asked cannot be done; `status` is the HTTP status that says so."""

    def __init__(self, code: str, message: str, status: int = 409) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


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
class SettingChange:
    """Add or change (`value` given) or delete (`value` None) the app setting `name`."""

    name: str
    value: str | None
    is_secret: bool = False
    is_slot_setting: bool = False


def settings_of(slot: Slot) -> dict[str, str]:
    """The app settings of `slot`, decrypted, by name."""
    return {setting.name: setting.value for setting in AppSetting.objects.filter(slot=slot)}


def record(actor: Actor, action: str, slot: Slot | App, target: str, **details: Any) -> None:
    """Write the audit entry of an action; never pass a secret in `details`."""
    app = slot.app if isinstance(slot, Slot) else slot
    AuditEntry.objects.create(
        user=actor.user,
        user_name=actor.name,
        address=actor.address,
        action=action,
        app=app,
        target=f"{slot}/{target}" if target else str(slot),
        details=details,
    )


@transaction.atomic
def create_app(name: str, actor: Actor) -> App:
    """A new app with its production slot; its maker becomes Contributor."""
    if App.objects.filter(name__iexact=name).exists():
        raise Refused("app-exists", f"An app named {name} exists already. Choose another name.")
    app = App.objects.create(name=name)
    Slot.objects.create(app=app)
    if actor.user is not None:
        Membership.objects.create(app=app, user=actor.user, role=Role.CONTRIBUTOR)
    record(actor, "app.create", app, "")
    return app


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
    if lenient_engine_settings(settings_of(job.slot)).stopped:
        raise Refused("stopped", STOPPED)
    try:
        split_arguments(arguments)
    except ValueError as error:
        raise Refused("arguments", f"The arguments cannot be read: {error}", 400) from error
    with transaction.atomic():
        run = _insert_run(
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
        record(actor, "webjob.run", job.slot, _path(job), run=run.number, arguments=arguments)
        transaction.on_commit(lambda: enqueue_run(run.pk))
    return run


def _insert_run(run: Run) -> Run:
    """Insert with the next free number; the lane's constraint says that another run is active."""
    first = run_number(run.queued_at)
    for number in range(first, first + MAX_NUMBER_TRIES):
        run.number = number
        try:
            with transaction.atomic():
                run.save(force_insert=True)
            return run
        except IntegrityError:
            if Run.objects.filter(job=run.job, lane=run.lane).exists():
                raise Refused("already-running", ALREADY_RUNNING) from None
    raise Refused("busy", "Too many runs are being started at once. Try again.", 503)


def stop_run(run: Run, actor: Actor) -> None:
    """Ask for the end of an active run; a queued one ends at once."""
    now = timezone.now()
    reason = f"Stopped by {actor.name}."
    with transaction.atomic():
        wished = run.request_stop(now, reason)
        if not wished and Run.objects.filter(pk=run.pk, status__in=["Queued"]).exists():
            wished = True
        if not wished and not Run.objects.active().filter(pk=run.pk).exists():
            raise Refused("not-running", "This run has ended already.")
        run.cancel(now, reason)
        if wished:
            record(actor, "run.stop", run.job.slot, _path(run.job), run=run.number)
        transaction.on_commit(nudge_workers)


@transaction.atomic
def start(job: WebJob, actor: Actor) -> None:
    """Wish a continuous WebJob running; one that waits for its restart starts now."""
    _require_continuous(job)
    if lenient_engine_settings(settings_of(job.slot)).stopped:
        raise Refused("stopped", STOPPED)
    if not job.request_start():
        raise Refused("gone", "This WebJob is being deleted.", 404)
    record(actor, "webjob.start", job.slot, _path(job))
    transaction.on_commit(nudge_workers)


@transaction.atomic
def stop(job: WebJob, actor: Actor) -> None:
    """Wish a continuous WebJob stopped; asking twice is no error."""
    _require_continuous(job)
    if job.request_stop():
        record(actor, "webjob.stop", job.slot, _path(job))
        transaction.on_commit(nudge_workers)


@transaction.atomic
def delete(job: WebJob, actor: Actor) -> None:
    """Let a WebJob vanish at once; its processes are stopped first, then its history goes."""
    now = timezone.now()
    if job.request_delete(now):
        for run in Run.objects.active().filter(job=job):
            reason = f"The WebJob was deleted by {actor.name}."
            run.request_stop(now, reason)
            run.cancel(now, reason)
        Schedule.objects.filter(job=job).update(changed_at=now)
        record(actor, "webjob.delete", job.slot, _path(job))
        transaction.on_commit(nudge_workers)


def add_webjob(slot: Slot, new: NewWebJob, actor: Actor) -> WebJob:
    """Add a WebJob; a continuous one starts at once. Raises Refused, also for a taken name."""
    if WebJob.objects.living().filter(slot=slot, type=new.type, name__iexact=new.name).exists():
        raise Refused("exists", ALREADY_EXISTS)
    wished = replace(
        new.upload.checked.settings,
        **{
            key: value
            for key, value in (
                ("schedule", new.schedule),
                ("time_zone", new.time_zone),
                ("is_singleton", new.is_singleton),
            )
            if value is not None
        },
    )
    _check_settings(wished, new.type)
    try:
        with transaction.atomic():
            package = packages.store(new.upload, actor.user)
            job = WebJob(
                slot=slot, name=new.name, type=new.type, package=package, script=package.script
            )
            _apply(job, wished)
            job.save(force_insert=True)
            _apply_schedule(job, wished)
            record(actor, "webjob.add", slot, _path(job), package=package.sha256)
            transaction.on_commit(nudge_workers)
    except IntegrityError:
        raise Refused("exists", ALREADY_EXISTS) from None
    return job


def replace_package(job: WebJob, upload: packages.Upload, actor: Actor) -> None:
    """Give a WebJob new files; keys of the new settings.job replace, all others stay."""
    wished = upload.checked.settings.merged_over(parse_settings_of(job))
    _check_settings(wished, JobType(job.type))
    with transaction.atomic():
        package = packages.store(upload, actor.user)
        job.package, job.script = package, package.script
        _apply(job, wished)
        _save_changed(job, "package", "script")
        _apply_schedule(job, wished)
        record(actor, "webjob.replace", job.slot, _path(job), package=package.sha256)
        transaction.on_commit(nudge_workers)


def set_settings_job(job: WebJob, values: JobSettings, actor: Actor) -> None:
    """Replace the effective settings.job; raises Refused naming the key that cannot be."""
    _check_settings(values, JobType(job.type))
    with transaction.atomic():
        _apply(job, values)
        _save_changed(job)
        _apply_schedule(job, values)
        record(actor, "webjob.settings", job.slot, _path(job), settings=values.to_dict())
        transaction.on_commit(nudge_workers)


def set_schedule(
    job: WebJob, expression: str | None, time_zone: str, is_enabled: bool, actor: Actor
) -> None:
    """Change, switch, or (None) remove the schedule of a triggered WebJob."""
    wished = replace(
        parse_settings_of(job), schedule=expression or None, time_zone=time_zone or None
    )
    _check_settings(wished, JobType(job.type))
    with transaction.atomic():
        _apply_schedule(job, wished, is_enabled=is_enabled)
        record(
            actor, "webjob.schedule", job.slot, _path(job),
            schedule=expression, time_zone=time_zone, is_enabled=is_enabled,
        )  # fmt: skip


@transaction.atomic
def change_settings(slot: Slot, changes: Sequence[SettingChange], actor: Actor) -> None:
    """Apply all `changes` or none; they take effect at once. Raises Refused naming the setting."""
    before = settings_of(slot)
    after = {name.lower(): value for name, value in before.items()}
    for change in changes:
        if change.value is None:
            after.pop(change.name.lower(), None)
        else:
            after[change.name.lower()] = change.value
    try:
        engine = engine_settings(after)
    except SettingError as error:
        raise Refused("setting", str(error), 400) from error
    for change in changes:
        _write_setting(slot, change)
    restart = any(not steers_engine(change.name) for change in changes)
    Slot.objects.filter(pk=slot.pk).update(
        settings_revision=F("settings_revision") + 1,
        environment_revision=F("environment_revision") + int(restart),
    )
    Schedule.objects.filter(job__slot=slot).update(changed_at=timezone.now())
    if engine.stopped and not lenient_engine_settings(before).stopped:
        _stop_all_runs(slot)
    record(actor, "settings.change", slot, "", names=sorted(change.name for change in changes))
    transaction.on_commit(nudge_workers)


def _write_setting(slot: Slot, change: SettingChange) -> None:
    existing = AppSetting.objects.filter(slot=slot, name__iexact=change.name)
    if change.value is None:
        existing.delete()
        return
    setting = existing.first() or AppSetting(slot=slot)
    setting.name, setting.value = change.name, change.value
    setting.is_secret, setting.is_slot_setting = change.is_secret, change.is_slot_setting
    setting.save()


def _stop_all_runs(slot: Slot) -> None:
    now = timezone.now()
    reason = "WEBJOBS_STOPPED was set to 1, which stops every WebJob of the app."
    for run in Run.objects.active().filter(job__slot=slot):
        run.request_stop(now, reason)
        run.cancel(now, reason)


@transaction.atomic
def set_publishing_password(slot: Slot, password: str, actor: Actor) -> None:
    """Change the webhook's password; the old one is refused from now on."""
    slot.publishing_password = password
    slot.save(update_fields=["publishing_password"])
    record(actor, "slot.password", slot, "")


def parse_settings_of(job: WebJob) -> JobSettings:
    """The effective settings.job of `job`, typed."""
    known = {key: value for key, value in job.settings_job.items() if key not in job.extra_settings}
    return JobSettings(
        schedule=known.get("schedule"),
        time_zone=known.get("time_zone"),
        is_singleton=known.get("is_singleton"),
        is_in_place=known.get("is_in_place"),
        stopping_wait_time=known.get("stopping_wait_time"),
        extra=dict(job.extra_settings),
    )


def _require_continuous(job: WebJob) -> None:
    if not job.is_continuous:
        raise Refused("not-continuous", "Only continuous WebJobs are started and stopped.", 400)


def _check_settings(values: JobSettings, type: JobType) -> None:
    try:
        if values.schedule is not None and type == JobType.TRIGGERED:
            ncrontab.parse(values.schedule)
        if values.time_zone is not None:
            timezones.resolve(values.time_zone)
    except ncrontab.NcrontabError as error:
        raise Refused("schedule", f"schedule: {error}", 400) from error
    except timezones.UnknownTimeZone as error:
        raise Refused("time_zone", f"time_zone: {error}", 400) from error


def _apply(job: WebJob, values: JobSettings) -> None:
    job.is_singleton = values.is_singleton
    job.is_in_place = values.is_in_place
    job.stopping_wait_time = values.stopping_wait_time
    job.extra_settings = dict(values.extra)


def _save_changed(job: WebJob, *fields: str) -> None:
    job.save(
        update_fields=[
            "is_singleton", "is_in_place", "stopping_wait_time", "extra_settings", "updated_at",
            *fields,
        ]
    )  # fmt: skip
    WebJob.objects.filter(pk=job.pk).update(revision=F("revision") + 1)


def _apply_schedule(job: WebJob, values: JobSettings, *, is_enabled: bool | None = None) -> None:
    """Make the Schedule row what `values` say; occurrences before now never count."""
    if job.is_continuous:
        return
    now = timezone.now()
    if values.schedule is None:
        Schedule.objects.filter(job=job).delete()
        return
    expression, time_zone = values.schedule, values.time_zone or ""
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


def _path(job: WebJob) -> str:
    return f"{job.type}/{job.name}"


__all__ = ["Actor", "NewWebJob", "Refused", "SettingChange", "SettingsError", "parse_settings"]
