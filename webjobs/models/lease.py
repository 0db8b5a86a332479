"""Who may run a singleton: one row per continuous WebJob, held by one instance at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from django.db import models
from django.db.models import F

from webjobs.models.instance import Instance
from webjobs.models.webjob import WebJob


class LeaseQuerySet(models.QuerySet["Lease"]):
    def held_by(self, token: str, jobs: Collection[int]) -> Self:
        return self.filter(token=token, job__in=jobs)


class Lease(models.Model):
    """The right to run a singleton. Whoever has seen the same epoch and renewals for long enough
    may take it; `webjobs.engine.leases` knows how long, and that its holder has killed its
    process."""

    job = models.OneToOneField(
        WebJob, primary_key=True, on_delete=models.CASCADE, related_name="lease"
    )
    holder = models.ForeignKey(
        Instance, null=True, blank=True, on_delete=models.SET_NULL, related_name="leases"
    )
    token = models.CharField(max_length=32, blank=True, help_text="Of the holder's worker process")
    epoch = models.PositiveBigIntegerField(default=0, help_text="Rises when it is taken")
    renewals = models.PositiveBigIntegerField(default=0, help_text="In this epoch")

    objects = LeaseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.job}: {self.holder or 'free'}"

    def take(self, instance: Instance, token: str) -> bool:
        """Become its holder, if it is still as it was read."""
        return bool(
            Lease.objects.filter(pk=self.pk, epoch=self.epoch, renewals=self.renewals).update(
                holder=instance, token=token, epoch=F("epoch") + 1, renewals=0
            )
        )

    @classmethod
    def renew(cls, token: str, jobs: Collection[int]) -> int:
        """Renew all these leases of one worker process; how many it still holds."""
        return cls.objects.held_by(token, jobs).update(renewals=F("renewals") + 1)

    @classmethod
    def release(cls, token: str, job: int) -> bool:
        """Let anybody take it at once."""
        return bool(
            cls.objects.held_by(token, [job]).update(
                holder=None, token="", epoch=F("epoch") + 1, renewals=0
            )
        )
