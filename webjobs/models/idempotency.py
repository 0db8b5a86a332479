"""`Idempotency-Key`: a client that asks twice for one run gets one."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from webjobs.models.run import Run
from webjobs.models.webjob import WebJob

MAX_LENGTH = 255
# Nobody repeats a request later than this.
KEPT = timedelta(days=1)


class IdempotencyKey(models.Model):
    """Which run a client has got for a key of its own choice."""

    job = models.ForeignKey(WebJob, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=MAX_LENGTH)
    arguments = models.TextField(blank=True, help_text="Of the first request")
    run = models.ForeignKey(Run, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "key"], name="idempotency_key_once_per_job")
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.job}"
