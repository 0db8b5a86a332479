"""Instances (one worker process each) and the beats, as far as others must see them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F

# Without a heartbeat for this long an instance counts as lost.
LOST_AFTER = timedelta(seconds=30)


class InstanceQuerySet(models.QuerySet["Instance"]):
    def live(self, now: datetime) -> Self:
        return self.filter(stopped_at=None, heartbeat_at__gt=now - LOST_AFTER)

    def lost(self, now: datetime) -> Self:
        """Silent for too long without having said goodbye."""
        return self.filter(stopped_at=None, heartbeat_at__lte=now - LOST_AFTER)


class Instance(models.Model):
    """One worker machine. `epoch` rises at every start of its worker and fences older writers."""

    key = models.CharField(max_length=32, unique=True, help_text="Stable over restarts; hex")
    name = models.CharField(max_length=255)
    epoch = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    is_draining = models.BooleanField(default=False)
    threads = models.PositiveIntegerField(default=1, help_text="Runs at the same time")
    # {".py": "/usr/bin/python3", ".ps1": null, ...}
    interpreters = models.JSONField(default=dict)
    versions = models.JSONField(default=dict)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def short_key(self) -> str:
        """The six characters that log lines and `detailed_status` carry."""
        return self.key[:6]

    def is_live(self, now: datetime) -> bool:
        return self.stopped_at is None and self.heartbeat_at > now - LOST_AFTER

    @classmethod
    def register(
        cls,
        key: str,
        name: str,
        now: datetime,
        threads: int,
        interpreters: dict[str, str | None],
        versions: dict[str, str],
    ) -> Instance:
        """The row of this machine under a new epoch: whoever wrote under an older one is fenced."""
        facts = {
            "name": name,
            "started_at": now,
            "heartbeat_at": now,
            "stopped_at": None,
            "is_draining": False,
            "threads": threads,
            "interpreters": interpreters,
            "versions": versions,
        }
        if cls.objects.filter(key=key).update(epoch=F("epoch") + 1, **facts):
            return cls.objects.get(key=key)
        return cls.objects.create(key=key, **facts)

    def beat(self, now: datetime) -> bool:
        """Renew the heartbeat; false when another worker took this instance's place."""
        return bool(
            Instance.objects.filter(pk=self.pk, epoch=self.epoch).update(
                heartbeat_at=now, stopped_at=None
            )
        )


class Beat(models.Model):
    """One `celery beat` process; `healthz` wants to see a recent tick."""

    key = models.CharField(max_length=64, unique=True)
    ticked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
