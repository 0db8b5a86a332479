"""Web hooks: addresses that are told when something happened, and what became of each call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models

from webjobs.models.app import Slot
from webjobs.models.fields import EncryptedTextField

TRIGGERED_JOB_FINISHED = "TriggeredJobFinished"
# Before the second, third, ... attempt.
PAUSES = [timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200)]
# Longer than an attempt can take: whoever died over it has not taken it away from the others.
LEASE = timedelta(seconds=60)


class Hook(models.Model):
    """A wish to be told of the events of one slot."""

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="hooks")
    url = EncryptedTextField(help_text="May hold a user name and a password")
    event = models.CharField(max_length=100)
    secret = EncryptedTextField(help_text="Signs what is sent")
    insecure_ssl = models.BooleanField(default=False, help_text="Any certificate will do")
    base = models.CharField(max_length=300, help_text="Kudu's address as its client knew it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.event} of {self.slot}"


class HookDeliveryQuerySet(models.QuerySet["HookDelivery"]):
    def due(self, now: datetime) -> Self:
        return self.filter(next_at__lte=now)


class HookDelivery(models.Model):
    """One message to one hook, with all its attempts. `next_at` None: it is over."""

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=100)
    payload = models.TextField(help_text="JSON")
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, db_index=True)
    tried_at = models.DateTimeField(null=True)
    is_delivered = models.BooleanField(default=False)
    http_status = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    objects = HookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.event}, attempt {self.attempts}"

    def claim(self, now: datetime) -> bool:
        """Take the next attempt for this caller; false when somebody else has it."""
        won = HookDelivery.objects.filter(pk=self.pk, attempts=self.attempts, next_at__lte=now)
        if not won.update(attempts=self.attempts + 1, next_at=now + LEASE, tried_at=now):
            return False
        self.attempts += 1
        return True

    def succeed(self, http_status: int) -> bool:
        """It has arrived."""
        return self._finish(is_delivered=True, http_status=http_status, next_at=None, reason="")

    def fail(self, now: datetime, http_status: int | None, reason: str, *, is_last: bool) -> bool:
        """It has not; another attempt follows unless this was the last one."""
        pauses = PAUSES[self.attempts - 1 : self.attempts]
        next_at = now + pauses[0] if pauses and not is_last else None
        return self._finish(http_status=http_status, reason=reason[:300], next_at=next_at)

    def _finish(self, **values: object) -> bool:
        mine = HookDelivery.objects.filter(pk=self.pk, attempts=self.attempts)
        return bool(mine.update(**values))
