"""The facts of continuous WebJobs: one copy per instance."""

from __future__ import annotations

from django.db import models

from webjobs.models.instance import Instance
from webjobs.models.webjob import WebJob
from webjobs.states import CopyStatus


class Copy(models.Model):
    """What the supervisor of one instance last wrote about one continuous WebJob."""

    job = models.ForeignKey(WebJob, on_delete=models.CASCADE, related_name="copies")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="copies")
    epoch = models.PositiveIntegerField()
    status = models.CharField(
        max_length=20,
        choices=[(item.value, item.value) for item in CopyStatus],
        default=CopyStatus.INITIALIZING,
    )
    changed_at = models.DateTimeField(help_text="Of the status")
    started_at = models.DateTimeField(null=True, blank=True)
    restart_at = models.DateTimeField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it is in this status, in words")
    restarts = models.PositiveIntegerField(default=0, help_text="Since it was last started by wish")
    fast_failures = models.PositiveIntegerField(default=0, help_text="In a row")
    crash_looping_since = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, help_text="Last error lines of a failed process")

    is_leased = models.BooleanField(default=False, help_text="Started as a singleton")
    port = models.PositiveIntegerField(
        null=True, blank=True, help_text="WEBJOBS_PORT of its process, on its machine's loopback"
    )

    class Meta:
        ordering = ["job", "instance__name"]
        constraints = [
            models.UniqueConstraint(fields=["job", "instance"], name="copy_once_per_instance")
        ]

    def __str__(self) -> str:
        return f"{self.job} on {self.instance}: {self.status}"
