"""Adding, changing, starting, stopping and deleting WebJobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from webjobs import endings, packages
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
from webjobs.dispatch.meanwhile import CHANGED_MEANWHILE, require_seen
from webjobs.dispatch.settings_job import (
    apply,
    apply_schedule,
    check_settings,
    checked,
    parse_settings_of,
    save_changed,
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

NO_SUCH_SCRIPT = gettext_noop(
    'The package has no file "%(script)s" that could be started. Choose another one.'
)
# What whoever asks has seen of the WebJob, as `meanwhile.present` tells it.
Seen = Mapping[str, Any]
GONE_FOR_GOOD = gettext_noop("This WebJob cannot be brought back.")
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
    """What to change of a WebJob: keys of settings.job (None removes one), switch, package and
    which of its scripts is started.

    Where the package says something about a key that is named here, what is named here counts.
    """

    settings: dict[str, Any]
    is_enabled: bool | None = None
    package: Package | None = None
    script: str | None = None

    def script_after(self, job: WebJob) -> str:
        """The file that this lets `job` start; raises Refused when the package has none such."""
        package = self.package or job.package
        if self.script is None:
            return job.script if self.package is None else job.script_in(package)
        if self.script not in package.candidates:
            raise Refused("script", NO_SUCH_SCRIPT, 400, script=self.script)
        return self.script

    def settings_after(self, job: WebJob) -> JobSettings:
        """The effective settings.job that this leads to from the present one; raises Refused."""
        given = self.package.settings_job if self.package else {}
        wished = job.settings_job | given | self.settings
        try:
            settings = from_dict({key: value for key, value in wished.items() if value is not None})
        except SettingsError as error:
            raise Refused("settings", error.text, 400, **error.params) from error
        check_settings(settings, JobType(job.type))
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
    job.script = edit.script_after(job)
    job.package = edit.package or job.package
    apply(job, wished)
    save_changed(job, "package", "script")
    apply_schedule(job, wished, is_enabled=edit.is_enabled)
    if edit.package is not None:
        _note_version(job, actor)
    record(
        actor, "webjob.edit", job.slot, path_of(job), settings=edit.settings,
        is_enabled=edit.is_enabled, package=edit.package.sha256 if edit.package else None,
        script=job.script,
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


@transaction.atomic
def restore(job: WebJob, actor: Actor) -> None:
    """Let a WebJob that was deleted a moment ago be there as before; runs that ended with it stay
    ended. Raises Refused when its name was taken meanwhile, or when it is gone."""
    try:
        with transaction.atomic():
            is_back = job.request_restore()
    except IntegrityError:
        raise Refused("exists", ALREADY_EXISTS) from None
    if not is_back:
        raise Refused("gone", GONE_FOR_GOOD, 404)
    now = timezone.now()
    Schedule.objects.filter(job=job).update(since=now, changed_at=now)
    record(actor, "webjob.restore", job.slot, path_of(job))
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
    check_settings(wished, new.type)
    keep_upload(new.upload)
    try:
        with transaction.atomic():
            package = packages.store(new.upload, actor.user)
            job = WebJob(
                slot=slot, name=new.name, type=new.type, package=package, script=package.script
            )
            apply(job, wished)
            job.save(force_insert=True)
            apply_schedule(job, wished)
            _note_version(job, actor)
            record(actor, "webjob.add", slot, path_of(job), package=package.sha256)
            transaction.on_commit(nudge_workers)
    except IntegrityError:
        raise Refused("exists", ALREADY_EXISTS) from None
    return job


def replace_package(
    job: WebJob, upload: packages.Upload, actor: Actor, seen: Seen | None = None
) -> None:
    """Give a WebJob new files; keys of the new settings.job replace, all others stay."""
    keep_upload(upload)
    with transaction.atomic():
        hold(job)
        require_seen(job, seen)
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
    check_settings(wished, JobType(job.type))
    job.package, job.script = package, job.script_in(package)
    apply(job, wished)
    save_changed(job, "package", "script")
    apply_schedule(job, wished)
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
    check_settings(values, JobType(job.type))
    with transaction.atomic():
        hold(job)
        apply(job, values)
        save_changed(job)
        apply_schedule(job, values)
        record(actor, "webjob.settings", job.slot, path_of(job), settings=values.to_dict())
        job.refresh_from_db()
        transaction.on_commit(nudge_workers)


def set_schedule(
    job: WebJob,
    expression: str | None,
    time_zone: str,
    is_enabled: bool,
    actor: Actor,
    seen: Seen | None = None,
) -> None:
    """Change, switch, or (None) remove the schedule of a triggered WebJob."""
    if job.is_continuous:
        text = gettext_noop("Only triggered WebJobs have a schedule.")
        raise Refused("not-triggered", text, 400)
    with transaction.atomic():
        hold(job)
        require_seen(job, seen)
        wished = replace(
            parse_settings_of(job), schedule=expression or None, time_zone=time_zone or None
        )
        check_settings(wished, JobType(job.type))
        apply_schedule(job, wished, is_enabled=is_enabled)
        record(
            actor, "webjob.schedule", job.slot, path_of(job),
            schedule=expression, time_zone=time_zone, is_enabled=is_enabled,
        )  # fmt: skip
        job.refresh_from_db()


def set_policy(job: WebJob, policy: Policy, actor: Actor, seen: Seen | None = None) -> None:
    """Change how the runs of a triggered WebJob follow each other; all other settings stay."""
    if job.is_continuous:
        text = gettext_noop("Only triggered WebJobs have runs.")
        raise Refused("not-triggered", text, 400)
    wished = asdict(policy)
    with transaction.atomic():
        hold(job)
        require_seen(job, seen)
        apply(job, checked(replace(parse_settings_of(job), **wished)))
        save_changed(job)
        record(actor, "webjob.policy", job.slot, path_of(job), **wished)
        job.refresh_from_db()


def _require_continuous(job: WebJob) -> None:
    if not job.is_continuous:
        text = gettext_noop("Only continuous WebJobs are started and stopped.")
        raise Refused("not-continuous", text, 400)
