"""Which packages a WebJob has had, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, F

from webjobs.models.package import Package
from webjobs.models.run import Run
from webjobs.models.webjob import WebJob

# So many of a WebJob are kept whatever happens; older ones while a run of its history used them.
KEPT_VERSIONS = 10
# WebJobs of one clean-up.
BATCH = 100


class PackageVersion(models.Model):
    """That a WebJob got a package: by whom, when, and as what; a roll back is one more."""

    job = models.ForeignKey(WebJob, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="1 for the first of its WebJob")
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="versions")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(max_length=150, help_text="Stays readable when the person is gone")
    # Of a roll back: the version whose package came back.
    restored = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="version_number_unique_in_job")
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.number}"

    @classmethod
    def note(cls, job: WebJob, **values: Any) -> PackageVersion:
        """Write down the present package of `job`, whose row must be locked or new."""
        last = cls.objects.filter(job=job).values_list("number", flat=True).first()
        return cls.objects.create(
            job=job, number=(last or 0) + 1, package_id=job.package_id, **values
        )


def trim_versions(kept: int = KEPT_VERSIONS) -> int:
    """Forget versions beyond the newest `kept` that neither serve nor ran; returns how many.

    Packages go later, when nothing else uses them.
    """
    crowded = (
        PackageVersion.objects.order_by()
        .values("job")
        .annotate(count=Count("pk"))
        .filter(count__gt=kept)
        .values_list("job", flat=True)[:BATCH]
    )
    return sum(_trim(job, kept) for job in list(crowded))


def _trim(job: int, kept: int) -> int:
    versions = PackageVersion.objects.filter(job=job)
    oldest_kept = versions.values_list("number", flat=True)[kept - 1]
    old = versions.filter(number__lt=oldest_kept).exclude(package=F("job__package"))
    useless = [pk for pk, package in old.values_list("pk", "package") if not _ran(job, package)]
    return PackageVersion.objects.filter(pk__in=useless).delete()[0]


def _ran(job: int, package: int) -> bool:
    return Run.objects.filter(job=job, package=package).exists()


# So many of the newest runs are looked through for the versions that they used.
SEARCHED_RUNS = 1000


def uses(job: WebJob) -> dict[int, tuple[int, int]]:
    """By package: how many of the last SEARCHED_RUNS runs used it, and the newest one's number."""
    runs = Run.objects.filter(job=job).order_by("-number").values_list("package_id", "number")
    return _counted(runs[:SEARCHED_RUNS])


def _counted(runs: Iterable[tuple[int | None, int]]) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for package, number in runs:
        if package is not None:
            count, newest = found.get(package, (0, number))
            found[package] = count + 1, newest
    return found
