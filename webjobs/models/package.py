"""Uploaded packages: immutable, named by their SHA-256."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

# Whoever has not removed a file by then was lost; another one may go on.
REMOVAL_LASTS = timedelta(minutes=5)


class Package(models.Model):
    """One upload as it came, kept in `STORAGES["packages"]` under its hash."""

    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes")
    kind = models.CharField(max_length=4, choices=[("zip", "zip"), ("file", "file")])
    file_name = models.CharField(max_length=255, help_text="As it was uploaded first")
    # For a zip: [[path, size], ...]; what the portal shows without opening the file.
    entries = models.JSONField(default=list)
    script = models.CharField(max_length=1024, help_text="The file that runs, inside the package")
    candidates = models.JSONField(default=list)
    settings_job = models.JSONField(default=dict, help_text="settings.job as it came")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # Of a single script the file name counts too: `run.sh` and `run.py` may be equal.
            models.UniqueConstraint(fields=["sha256", "file_name"], name="package_stored_once")
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.short_hash})"

    @property
    def short_hash(self) -> str:
        return self.sha256[:12]

    @property
    def storage_name(self) -> str:
        """Where the storage keeps it; two levels, so that no folder grows huge."""
        return f"{self.sha256[:2]}/{self.sha256}"


class PackageFile(models.Model):
    """A file in `STORAGES["packages"]`, of all packages with these bytes.

    Whoever uploads it wants it first, and whoever removes it claims it first, each by one
    conditional update. So no upload loses its file, and what was begun half-way is known.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    wanted_at = models.DateTimeField(help_text="When it was uploaded last")
    removing_at = models.DateTimeField(null=True, blank=True, help_text="Its packages are gone")

    def __str__(self) -> str:
        return self.sha256[:12]

    @classmethod
    def want(cls, sha256: str, now: datetime) -> bool:
        """Let nobody remove it for a while; false while somebody does."""
        one = cls.objects.filter(sha256=sha256, removing_at=None)
        if one.update(wanted_at=now):
            return True
        _, is_new = cls.objects.get_or_create(sha256=sha256, defaults={"wanted_at": now})
        return is_new or bool(one.update(wanted_at=now))

    def claim_removal(self, unwanted_since: datetime, now: datetime) -> bool:
        """False when it was wanted later, or somebody else removes it. In a transaction."""
        is_free = Q(removing_at=None, wanted_at__lt=unwanted_since)
        is_lost = Q(removing_at__lt=now - REMOVAL_LASTS)
        mine = PackageFile.objects.filter(is_free | is_lost, pk=self.pk)
        # Not to be waited for: it may be deleting the bytes for long.
        if not list(mine.select_for_update(skip_locked=True)):
            return False
        self.removing_at = now
        return bool(mine.update(removing_at=now))

    def removals(self) -> models.QuerySet[PackageFile]:
        """Its row while the removal that this object has claimed goes on."""
        return PackageFile.objects.filter(pk=self.pk, removing_at=self.removing_at)
