"""The log store's tables. Only `webjobs.logs` reads and writes chunks."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from webjobs.models.continuous import Copy
from webjobs.models.run import Run
from webjobs.models.webjob import Schedule


class LogQuerySet(models.QuerySet["Log"]):
    def ownerless(self) -> Self:
        """Those whose owner was deleted; webjobs.logs.purge removes them, a little at a time."""
        return self.filter(run=None, copy=None, schedule=None)


class Log(models.Model):
    """What one run, one copy or one schedule's scheduler has printed, as a sequence of chunks."""

    # Whoever deletes an owner does not wait, nor lets others wait, until gigabytes are deleted.
    run = models.OneToOneField(Run, null=True, on_delete=models.SET_NULL, related_name="log")
    copy = models.OneToOneField(Copy, null=True, on_delete=models.SET_NULL, related_name="log")
    schedule = models.OneToOneField(
        Schedule, null=True, on_delete=models.SET_NULL, related_name="log"
    )
    instance_key = models.CharField(max_length=32, help_text="Who writes; shown in log lines")
    created_at = models.DateTimeField(auto_now_add=True)
    # End of what was written, counted from the first byte ever; rolling removes from the start.
    size = models.PositiveBigIntegerField(default=0)
    lines = models.PositiveBigIntegerField(default=0, help_text="Lines begun, ever")
    dropped = models.PositiveBigIntegerField(default=0, help_text="Bytes of output not kept")
    # A complete log never changes again.
    is_complete = models.BooleanField(default=False)

    objects = LogQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(run__isnull=True, copy__isnull=True)
                | Q(copy__isnull=True, schedule__isnull=True)
                | Q(run__isnull=True, schedule__isnull=True),
                name="log_has_one_owner_at_most",
            )
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(run__isnull=True, copy__isnull=True, schedule__isnull=True),
                name="log_ownerless",
            )
        ]

    def __str__(self) -> str:
        return f"log {self.pk}"


class LogChunk(models.Model):
    """A piece of a log: raw bytes in the order they arrived, and an index of frames."""

    log = models.ForeignKey(Log, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    offset = models.PositiveBigIntegerField(help_text="Of the first byte in the log")
    size = models.PositiveIntegerField(help_text="Bytes")
    lines_before = models.PositiveBigIntegerField(help_text="Lines that begin before this chunk")
    lines = models.PositiveIntegerField(help_text="Lines that begin in this chunk")
    # Before `data`: SQLite reads a row's columns in order, through all pages of a large one.
    frames = models.BinaryField(help_text="Lengths, streams and times: webjobs.logs.frames")
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["log", "offset"], name="chunk_once_per_offset")
        ]
        indexes = [models.Index(fields=["log", "lines_before", "offset"], name="chunk_by_line")]

    def __str__(self) -> str:
        return f"chunk at {self.offset} of log {self.log_id}"
