"""Instances (one worker process each) and the beats, as far as others must see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from webjobs.times import LOST_AFTER


class InstanceQuerySet(models.QuerySet["Instance"]):
    def live(self, now: datetime) -> Self:
        return self.present().filter(heartbeat_at__gt=now - LOST_AFTER)

    def present(self) -> Self:
        """Neither stopped nor declared lost; it may have fallen silent a moment ago."""
        return self.filter(stopped_at=None, lost_at=None)

    def lost(self, now: datetime) -> Self:
        """Silent for too long without having said goodbye."""
        return self.filter(stopped_at=None).filter(
            Q(lost_at__isnull=False) | Q(heartbeat_at__lte=now - LOST_AFTER)
        )


class Instance(models.Model):
    """One worker machine. `epoch` rises when its worker starts and when it is declared lost: it
    fences whoever writes under an older one."""

    key = models.CharField(max_length=32, unique=True, help_text="Stable over restarts; hex")
    name = models.CharField(max_length=255)
    host = models.CharField(max_length=255, blank=True)
    epoch = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    # On the database's clock, for people. What must be exact watches `beats` instead.
    heartbeat_at = models.DateTimeField()
    beats = models.PositiveBigIntegerField(default=0, help_text="Heartbeats in this epoch")
    stopped_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True, help_text="Declared lost by another one")
    is_draining = models.BooleanField(default=False, help_text="It takes nothing new")
    threads = models.PositiveIntegerField(default=1, help_text="Runs at the same time")
    busy = models.PositiveIntegerField(default=0, help_text="Runs that execute there")
    load = models.FloatField(null=True, blank=True, help_text="Of the machine, over a minute")
    memory_used = models.BigIntegerField(null=True, blank=True, help_text="Of the machine, bytes")
    memory_total = models.BigIntegerField(null=True, blank=True, help_text="Bytes")
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

    @property
    def free(self) -> int:
        """How many more runs it could take."""
        return max(0, self.threads - self.busy)

    def is_live(self, now: datetime) -> bool:
        return (
            self.stopped_at is None
            and self.lost_at is None
            and self.heartbeat_at > now - LOST_AFTER
        )

    @classmethod
    def register(cls, key: str, now: datetime, **facts: Any) -> Instance:
        """The row of this machine under a new epoch: whoever wrote under an older one is fenced."""
        facts |= {
            "started_at": now,
            "heartbeat_at": Now(),
            "beats": 0,
            "busy": 0,
            "stopped_at": None,
            "lost_at": None,
            "is_draining": False,
        }
        if not cls.objects.filter(key=key).update(epoch=F("epoch") + 1, **facts):
            cls.objects.create(key=key, **facts)
        return cls.objects.get(key=key)

    def beat(self, **facts: Any) -> bool:
        """Renew the heartbeat; false when it was declared lost, or another worker has its key."""
        return bool(
            Instance.objects.filter(pk=self.pk, epoch=self.epoch).update(
                heartbeat_at=Now(), beats=F("beats") + 1, **facts
            )
        )

    @classmethod
    def declare_lost(cls, pk: int, epoch: int, beats: int, now: datetime) -> bool:
        """Fence an instance that has been silent since this heartbeat; false if it beat again."""
        return bool(
            cls.objects.present()
            .filter(pk=pk, epoch=epoch, beats=beats)
            .update(lost_at=now, epoch=F("epoch") + 1)
        )

    def drain(self) -> bool:
        """It takes nothing new from now on."""
        return bool(Instance.objects.filter(pk=self.pk, epoch=self.epoch).update(is_draining=True))

    def say_goodbye(self, now: datetime) -> bool:
        """Nothing runs there any more."""
        return bool(
            Instance.objects.filter(pk=self.pk, epoch=self.epoch).update(stopped_at=now, busy=0)
        )


class Beat(models.Model):
    """One `celery beat` process; `healthz` wants to see a recent tick."""

    key = models.CharField(max_length=64, unique=True)
    ticked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
