"""The facts of continuous WebJobs: one copy per instance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection, models, transaction

from webjobs.models.instance import Instance
from webjobs.models.webjob import WebJob
from webjobs.states import CopyStatus

# What executions write; the rest says whose copy it is.
_FACTS = (
    "status", "changed_at", "started_at", "restart_at", "exit_code", "reason", "restarts",
    "fast_failures", "crash_looping_since", "last_error", "is_leased", "port", "pid",
)  # fmt: skip


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
    pid = models.PositiveIntegerField(null=True, blank=True, help_text="Of its process, there")

    class Meta:
        ordering = ["job", "instance__name"]
        verbose_name_plural = "copies"
        constraints = [
            models.UniqueConstraint(fields=["job", "instance"], name="copy_once_per_instance")
        ]

    def __str__(self) -> str:
        return f"{self.job} on {self.instance}: {self.status}"

    @classmethod
    def on(cls, instance: Instance, jobs: Collection[int], now: datetime) -> dict[int, Copy]:
        """The copies of `jobs` on an instance, with their logs, by job; made when missing."""
        copies = Copy.objects.filter(instance=instance, job__in=jobs)
        found = set(copies.values_list("job", flat=True))
        new = [
            Copy(job_id=job, instance=instance, epoch=instance.epoch, changed_at=now)
            for job in jobs
            if job not in found
        ]
        Copy.objects.bulk_create(new, ignore_conflicts=True)
        return {copy.job_id: copy for copy in copies.select_related("instance", "log")}

    @classmethod
    def begin_anew(cls, instance: Instance, now: datetime) -> None:
        """What an earlier worker of this instance wrote is past: its processes are gone."""
        cls.objects.filter(instance=instance).update(
            epoch=instance.epoch, status=CopyStatus.INITIALIZING, changed_at=now, restart_at=None
        )

    @classmethod
    def save_facts(cls, copies: Sequence[Copy], epoch: int) -> None:
        """Write the facts of many copies, all or none; those of another epoch stay as they are.

        A fifth of the price of one update each.
        """
        fields = [field for field in cls._meta.concrete_fields if field.name in _FACTS]
        quote = connection.ops.quote_name
        places = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
        table, key, fence = quote(cls._meta.db_table), quote("id"), quote("epoch")
        statement = f"UPDATE {table} SET {places} WHERE {key} = %s AND {fence} = %s"  # noqa: S608
        rows = [
            [
                *(
                    field.get_db_prep_save(getattr(copy, field.attname), connection)
                    for field in fields
                ),
                copy.pk,
                epoch,
            ]
            for copy in copies
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, rows)
