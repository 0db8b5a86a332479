"""Runs: one execution of a triggered WebJob each, or an occurrence that did not become one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from webjobs.models.instance import Instance
from webjobs.models.package import Package
from webjobs.models.prepared import Given, PreparedUpdate
from webjobs.models.webjob import WebJob
from webjobs.states import RUN_ACTIVE, RUN_EXECUTING, RUN_FINAL, RunStatus, Trigger

_ACTIVE = sorted(RUN_ACTIVE)
_EXECUTING = sorted(RUN_EXECUTING)


def run_number(at: datetime) -> int:
    """Azure's run id as a number: `yyyyMMddHHmmssffff`, UTC, 18 digits."""
    return int(at.strftime("%Y%m%d%H%M%S") + f"{at.microsecond // 100:04d}")


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> Self:
        return self.filter(status__in=_ACTIVE)

    def queued(self) -> Self:
        return self.filter(status=RunStatus.QUEUED)

    def ready(self) -> Self:
        """Queued, and on a lane: what an executor may claim."""
        return self.queued().filter(lane__isnull=False)

    def waiting(self, now: datetime) -> Self:
        """Queued, and without a lane although their time has come."""
        return self.queued().filter(Q(not_before=None) | Q(not_before__lte=now), lane=None)

    def executed(self) -> Self:
        """Without skipped and missed occurrences."""
        return self.exclude(status__in=[RunStatus.SKIPPED, RunStatus.MISSED])

    def orphaned(self) -> Self:
        """Executing on an instance that is gone, was declared lost, or was started anew since."""
        return self.filter(status__in=_EXECUTING).filter(
            Q(instance=None)
            | Q(instance__stopped_at__isnull=False)
            | ~Q(epoch=F("instance__epoch"))
        )

    def held_by(self, instance: Instance) -> Self:
        """Executing under the very epoch of `instance`: what its worker may write to."""
        return self.filter(status__in=_EXECUTING, instance=instance, epoch=instance.epoch)


class Run(models.Model):
    """One entry of a triggered WebJob's history."""

    job = models.ForeignKey(WebJob, on_delete=models.CASCADE, related_name="runs")
    number = models.BigIntegerField(help_text="Azure's run id")
    status = models.CharField(
        max_length=16,
        choices=[(item.value, item.value) for item in RunStatus],
        default=RunStatus.QUEUED,
    )
    trigger = models.CharField(
        max_length=10, choices=[(item.value, item.value) for item in Trigger]
    )
    trigger_text = models.CharField(max_length=512, help_text="`External - …` or `Schedule - …`")
    arguments = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    package = models.ForeignKey(Package, null=True, on_delete=models.SET_NULL, related_name="+")
    script = models.CharField(max_length=1024, blank=True)
    scheduled_for = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    retry_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="attempts_after",
        db_index=False,  # The constraint has one, of the few that are retries.
    )
    not_before = models.DateTimeField(null=True, blank=True, help_text="When a retry may start")
    # Which place of its WebJob's concurrency it holds; None while it waits, and once it is final.
    lane = models.PositiveSmallIntegerField(null=True, blank=True)

    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    instance = models.ForeignKey(
        Instance, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    epoch = models.PositiveIntegerField(null=True, blank=True)
    pid = models.PositiveIntegerField(null=True, blank=True, help_text="Of its process, there")
    exit_code = models.IntegerField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it ended so, in words")

    stop_requested_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.TextField(blank=True, help_text="Who or what asked for the stop, in words")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="run_number_unique_in_job"),
            models.UniqueConstraint(
                fields=["job", "lane"], condition=Q(lane__isnull=False), name="run_lane_held_once"
            ),
            models.UniqueConstraint(
                fields=["job", "scheduled_for", "attempt"],
                condition=Q(scheduled_for__isnull=False),
                name="run_once_per_occurrence",
            ),
            models.UniqueConstraint(
                fields=["retry_of"], condition=Q(retry_of__isnull=False), name="run_retried_once"
            ),
            models.CheckConstraint(
                condition=Q(lane__isnull=True) | Q(status__in=_ACTIVE),
                name="run_final_holds_no_lane",
            ),
            models.CheckConstraint(
                condition=Q(lane__isnull=False) | ~Q(status__in=_EXECUTING),
                name="run_executing_holds_lane",
            ),
        ]
        indexes = [
            # Also for what is active: there are never many, and they are found by their status.
            models.Index(fields=["status", "-queued_at"], name="run_newest_by_status"),
            models.Index(fields=["-queued_at"], name="run_newest"),
            models.Index(
                fields=["job", "number"],
                condition=Q(status=RunStatus.QUEUED.value, lane__isnull=True),
                name="run_waiting",
            ),
            models.Index(
                fields=["-queued_at"],
                condition=Q(scheduled_for__isnull=False),
                name="run_newest_scheduled",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def is_final(self) -> bool:
        return self.status in RUN_FINAL

    def duration(self, now: datetime | None = None) -> timedelta | None:
        """From start to end, or to `now` while it runs; None when it never started."""
        if self.started_at is None:
            return None
        # A clock that was set back between the two makes no time negative.
        return max(timedelta(0), (self.ended_at or now or timezone.now()) - self.started_at)

    @property
    def previous_attempt(self) -> Run | None:
        """What this one is a retry of, unless it was trimmed from the history."""
        return self.retry_of

    @property
    def next_attempt(self) -> Run | None:
        """The retry of this one."""
        return self.attempts_after.first()

    @property
    def retries(self) -> int:
        """How many retries there are to be, this one included."""
        return max(self.attempt - 1, self.job.retry_attempts or 0)

    @property
    def attempts(self) -> int:
        """How many attempts there are to be, this one included."""
        return 1 + self.retries

    def queue_position(self, now: datetime) -> int | None:
        """1 for the run that is next; None when it does not wait for others, or not yet."""
        waiting = Run.objects.waiting(now).filter(job=self.job_id)
        if not waiting.filter(pk=self.pk).exists():
            return None
        return waiting.filter(number__lt=self.number).count() + 1

    def claim(self, instance: Instance, now: datetime) -> bool:
        """QUEUED -> INITIALIZING for this instance and epoch.

        False when somebody else has it, or it has no lane yet.
        """
        return self._won(
            _CLAIM(pk=self.pk, status=RunStatus.INITIALIZING, started_at=now, **_holder(instance)),
            status=RunStatus.INITIALIZING,
            started_at=now,
            instance=instance,
            epoch=instance.epoch,
        )

    def begin(self, instance: Instance, pid: int | None = None) -> bool:
        """INITIALIZING -> RUNNING: the process `pid` was started."""
        facts = {"status": RunStatus.RUNNING, "pid": pid}
        return self._won(_BEGIN(pk=self.pk, **facts, **_holder(instance)), **facts)

    def finish(
        self,
        instance: Instance,
        status: RunStatus,
        now: datetime,
        *,
        reason: str,
        exit_code: int | None = None,
    ) -> bool:
        """INITIALIZING, RUNNING -> a final status, only by its holder and after its last output."""
        facts = {"status": status, "ended_at": now, "reason": reason, "exit_code": exit_code}
        rows = _FINISH(pk=self.pk, lane=None, **facts, **_holder(instance))
        return self._won(rows, lane=None, **facts)

    def cancel(self, now: datetime, reason: str) -> bool:
        """QUEUED -> ABORTED: nobody has started it."""
        return self._change(
            Run.objects.queued(),
            status=RunStatus.ABORTED,
            ended_at=now,
            reason=reason,
            lane=None,
        )

    def request_stop(self, now: datetime, reason: str) -> bool:
        """Wish it stopped; false when it is final or the wish was there."""
        return self._change(
            Run.objects.active().filter(stop_requested_at=None),
            stop_requested_at=now,
            stop_reason=reason,
        )

    def _change(self, allowed: RunQuerySet, **values: Any) -> bool:
        """One conditional update; the object follows the row only when it won."""
        return self._won(allowed.filter(pk=self.pk).update(**values), **values)

    def _won(self, rows: int, **values: Any) -> bool:
        if not rows:
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True


def _held() -> RunQuerySet:
    """As RunQuerySet.held_by."""
    executing = Run.objects.filter(status__in=_EXECUTING, pk=Given("pk"))
    return executing.filter(instance=Given("instance_id"), epoch=Given("epoch"))


def _holder(instance: Instance) -> dict[str, int]:
    return {"instance_id": instance.pk, "epoch": instance.epoch}


# What every run goes through.
_CLAIM = PreparedUpdate(
    lambda: Run.objects.ready().filter(pk=Given("pk")),
    *("status", "instance_id", "epoch", "started_at"),
)
_BEGIN = PreparedUpdate(_held, "status", "pid")
_FINISH = PreparedUpdate(_held, "status", "ended_at", "reason", "exit_code", "lane")


class Occurrence(Run):
    """A run seen as what a schedule brought about; the admin lists these by themselves."""

    class Meta:
        proxy = True
        ordering = ["-scheduled_for"]
