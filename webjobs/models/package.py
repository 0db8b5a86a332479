"""Uploaded packages: immutable, named by their SHA-256."""

from __future__ import annotations

from django.conf import settings
from django.db import models


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
