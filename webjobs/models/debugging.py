"""Debug sessions: a person's wish that a continuous WebJob runs under a debugger, and the facts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop

from webjobs.models.instance import Instance
from webjobs.models.webjob import WebJob

# How long one may last, in minutes.
DEFAULT_MINUTES = 15
LONGEST_MINUTES = 60
# An instance that is gone cannot say that a session has ended; after its time others may.
OVERDUE_AFTER = timedelta(minutes=2)

OVER = gettext_noop("Its time was over.")
STOPPED_BY = gettext_noop("%(name)s stopped it.")


class DebugSessionQuerySet(models.QuerySet["DebugSession"]):
    def unended(self) -> Self:
        """Nobody has written that it has ended."""
        return self.filter(ended_at=None)

    def current(self, now: datetime) -> Self:
        """Wished, and not over yet."""
        return self.unended().filter(stop_requested_at=None, until__gt=now)

    def overdue(self, now: datetime) -> Self:
        return self.unended().filter(until__lt=now - OVERDUE_AFTER)


class DebugSession(models.Model):
    """One continuous WebJob under a debugger on one instance, for one person, for a time."""

    job = models.ForeignKey(WebJob, on_delete=models.CASCADE, related_name="debug_sessions")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="debug_sessions")
    language = models.CharField(max_length=10)

    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(max_length=150, help_text="Only they may connect")
    until = models.DateTimeField()
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    stop_requested_by = models.CharField(max_length=150, blank=True)

    port = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of the debugger, on loopback of the instance"
    )
    folder = models.TextField(blank=True, help_text="Where the script is on the instance")
    connections = models.PositiveIntegerField(default=0, help_text="Open through the tunnel")
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it has ended, in words")

    objects = DebugSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "instance"],
                condition=Q(ended_at=None),
                name="debug_session_once_per_copy",
            )
        ]

    def __str__(self) -> str:
        return f"{self.by_name} debugs {self.job} on {self.instance}"

    def is_current(self, now: datetime) -> bool:
        return self.ended_at is None and self.stop_requested_at is None and self.until > now

    def state(self, now: datetime) -> str:
        """One word: `Starting`, `Listening`, `Connected`, `Ending` or `Ended`."""
        if self.ended_at is not None:
            return "Ended"
        if not self.is_current(now):
            return "Ending"
        if self.port is None:
            return "Starting"
        return "Connected" if self.connections else "Listening"

    def remaining(self, now: datetime) -> int:
        """Whole seconds until its time is over."""
        return max(0, int((self.until - now).total_seconds()))

    def request_stop(self, now: datetime, by_name: str) -> bool:
        """Wish it ended; false when somebody did already, or it has ended."""
        return bool(
            DebugSession.objects.current(now)
            .filter(pk=self.pk)
            .update(stop_requested_at=now, stop_requested_by=by_name[:150])
        )

    def note(self, epoch: int, **facts: object) -> bool:
        """Write facts of a worker of this epoch; false when it has ended or the epoch has."""
        return bool(
            DebugSession.objects.unended().filter(pk=self.pk, instance__epoch=epoch).update(**facts)
        )

    def end(self, now: datetime, reason: str) -> bool:
        """It is over, and no process is under its debugger; false when that was known."""
        return bool(
            DebugSession.objects.unended()
            .filter(pk=self.pk)
            .update(ended_at=now, reason=reason, port=None, connections=0)
        )

    def why_over(self) -> str:
        """What ended the wish, in words."""
        if self.stop_requested_at is not None:
            return STOPPED_BY % {"name": self.stop_requested_by}
        return OVER
