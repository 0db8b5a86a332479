"""WebJobs and the schedules of the triggered ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from webjobs.models.app import Slot, validate_name
from webjobs.models.package import Package
from webjobs.states import Concurrency, JobType, RetryOn

if TYPE_CHECKING:
    from datetime import datetime

NAME_MAX_LENGTH = 100
# Seconds between the request to stop and the kill (Kudu's defaults).
DEFAULT_STOPPING_WAIT = {JobType.CONTINUOUS: 5, JobType.TRIGGERED: 30}
DEFAULT_MAX_PARALLEL = 2
DEFAULT_QUEUE_LIMIT = 10
# Seconds between the end of a run and its retry.
DEFAULT_RETRY_DELAY = 60


# A deleted one can be brought back for so long; then its rows go.
KEEP_DELETED = timedelta(minutes=10)


class WebJobQuerySet(models.QuerySet["WebJob"]):
    def continuous(self) -> Self:
        return self.filter(type=JobType.CONTINUOUS)

    def triggered(self) -> Self:
        return self.filter(type=JobType.TRIGGERED)

    def for_windows(self) -> Self:
        """Whose script is a Windows program, which needs Wine elsewhere."""
        return self.filter(script__iregex=r"\.(cmd|bat|exe)$")

    def living(self) -> Self:
        """Without those that are being deleted."""
        return self.filter(deleted_at=None)

    def to_purge(self, now: datetime) -> Self:
        """Deleted, and not to be brought back any more."""
        is_over = Q(deleted_at__lte=now - KEEP_DELETED) | ~Q(slot__deleted_at=None)
        return self.exclude(deleted_at=None).filter(is_over)


def lanes_of(concurrency: str, max_parallel: int | None) -> int:
    """How many runs of a WebJob with these settings may be in progress at once."""
    if concurrency != Concurrency.PARALLEL:
        return 1
    return DEFAULT_MAX_PARALLEL if max_parallel is None else max_parallel


def queue_room_of(concurrency: str, queue_limit: int | None) -> int:
    """How many runs of a WebJob with these settings may wait for their turn."""
    if concurrency != Concurrency.QUEUE:
        return 0
    return DEFAULT_QUEUE_LIMIT if queue_limit is None else queue_limit


class WebJob(models.Model):
    """A program of a slot: its package and its wishes. What happens with it is in Run and Copy."""

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="webjobs")
    name = models.CharField(
        max_length=NAME_MAX_LENGTH,
        validators=[validate_name, MaxLengthValidator(NAME_MAX_LENGTH)],
    )
    type = models.CharField(max_length=10, choices=[(item.value, item.value) for item in JobType])
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="webjobs")
    script = models.CharField(max_length=1024, help_text="The file that runs, in the package")

    # The keys of the effective settings.job; None stands for an absent key.
    is_singleton = models.BooleanField(null=True, blank=True)
    is_in_place = models.BooleanField(null=True, blank=True)
    stopping_wait_time = models.PositiveIntegerField(null=True, blank=True)
    concurrency = models.CharField(
        max_length=8, blank=True, choices=[(item.value, item.value) for item in Concurrency]
    )
    max_parallel = models.PositiveSmallIntegerField(null=True, blank=True)
    queue_limit = models.PositiveSmallIntegerField(null=True, blank=True)
    retry_attempts = models.PositiveSmallIntegerField(null=True, blank=True)
    retry_delay = models.PositiveIntegerField(null=True, blank=True)
    retry_on = models.JSONField(null=True, blank=True)
    extra_settings = models.JSONField(default=dict, blank=True)

    is_stopped = models.BooleanField(default=False, help_text="The wish for a continuous WebJob")
    start_requested_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Wish to stop and vanish")
    # Raised when package or settings change, so that copies that run start anew.
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WebJobQuerySet.as_manager()

    class Meta:
        ordering = [Lower("name"), "type"]
        constraints = [
            models.UniqueConstraint(
                "slot",
                "type",
                Lower("name"),
                condition=Q(deleted_at=None),
                name="webjob_name_unique_in_slot_and_type",
            ),
            models.CheckConstraint(
                condition=Q(type__in=[item.value for item in JobType]), name="webjob_type_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_continuous(self) -> bool:
        return self.type == JobType.CONTINUOUS

    @property
    def runs_once(self) -> bool:
        """A continuous one runs on one instance only, by its own setting or by its app's tier."""
        return bool(self.is_singleton) or not self.slot.app.can_scale

    @property
    def grace(self) -> int:
        """Seconds between the request to stop and the kill."""
        if self.stopping_wait_time is not None:
            return self.stopping_wait_time
        return DEFAULT_STOPPING_WAIT[JobType(self.type)]

    @property
    def runs_in_place(self) -> bool:
        """`is_in_place`, whose default is true for Node.js."""
        if self.is_in_place is not None:
            return self.is_in_place
        return self.script.lower().endswith(".js")

    def script_in(self, package: Package) -> str:
        """The file of `package` that it would start: a choice that was made stays if it can."""
        is_chosen = self.script != self.package.script
        return self.script if is_chosen and self.script in package.candidates else package.script

    @property
    def lanes(self) -> int:
        """How many of its runs may be in progress at once."""
        return lanes_of(self.concurrency, self.max_parallel)

    @property
    def queue_room(self) -> int:
        """How many runs may wait for their turn; none unless it has a queue."""
        return queue_room_of(self.concurrency, self.queue_limit)

    @property
    def retry_wait(self) -> timedelta:
        """From the end of a run to the start of its retry."""
        seconds = DEFAULT_RETRY_DELAY if self.retry_delay is None else self.retry_delay
        return timedelta(seconds=seconds)

    def retries_after(self, ending: RetryOn) -> int:
        """How often a run is tried again that ended so."""
        wanted = self.retry_on if self.retry_on is not None else list(RetryOn)
        return self.retry_attempts or 0 if ending in wanted else 0

    @property
    def settings_job(self) -> dict[str, Any]:
        """The effective settings.job as the API and the working copy show it."""
        schedule = getattr(self, "schedule", None)
        known = {
            "schedule": schedule.expression if schedule else None,
            "time_zone": (schedule.time_zone or None) if schedule else None,
            "is_singleton": self.is_singleton,
            "is_in_place": self.is_in_place,
            "stopping_wait_time": self.stopping_wait_time,
            "concurrency": self.concurrency or None,
            "max_parallel": self.max_parallel,
            "queue_limit": self.queue_limit,
            "retry_attempts": self.retry_attempts,
            "retry_delay": self.retry_delay,
            "retry_on": self.retry_on,
        }
        present = {key: value for key, value in known.items() if value is not None}
        return present | dict(self.extra_settings)

    def request_start(self, now: datetime | None = None) -> bool:
        """Wish it running and skip a wait for restart; false when it is being deleted."""
        return bool(
            WebJob.objects.living()
            .filter(pk=self.pk)
            .update(is_stopped=False, start_requested_at=now or timezone.now())
        )

    def request_stop(self) -> bool:
        """Wish it stopped; false when it already was."""
        return bool(
            WebJob.objects.living().filter(pk=self.pk, is_stopped=False).update(is_stopped=True)
        )

    def request_delete(self, now: datetime | None = None) -> bool:
        """Wish it gone: it vanishes from every list now and from the database once stopped."""
        return bool(
            WebJob.objects.living()
            .filter(pk=self.pk)
            .update(deleted_at=now or timezone.now(), revision=F("revision") + 1)
        )

    def request_restore(self) -> bool:
        """Wish it back; false when it is not deleted, or is gone. IntegrityError: another one has
        its name."""
        gone = WebJob.objects.exclude(deleted_at=None).filter(pk=self.pk, slot__deleted_at=None)
        return bool(gone.update(deleted_at=None, revision=F("revision") + 1))


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def live(self) -> Self:
        """Of WebJobs that exist."""
        return self.filter(job__deleted_at=None)


class Schedule(models.Model):
    """When a triggered WebJob runs by itself."""

    job = models.OneToOneField(WebJob, on_delete=models.CASCADE, related_name="schedule")
    expression = models.CharField(max_length=255, help_text="NCRONTAB with six fields")
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="Empty: WEBSITE_TIME_ZONE of the app, else UTC"
    )
    is_enabled = models.BooleanField(default=True)
    # The fact: the newest occurrence that was fired, skipped or missed. Occurrences are computed
    # from it, so a manual run never swallows one. Only webjobs.scheduler writes it, to rows that
    # it has locked and found as it knew them.
    last_occurrence = models.DateTimeField(null=True, blank=True)
    # From when occurrences count: creation, or the latest change of expression, zone or switch.
    since = models.DateTimeField(default=timezone.now)
    # Raised with every change that decides about occurrences, also of the app's settings and with
    # the deletion of the WebJob: what beat reads to see changes.
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = ScheduleQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.expression} ({self.job})"
