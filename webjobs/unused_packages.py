"""Deleting packages that nothing refers to: no WebJob, no kept version, no run in the history, no
deployment that could be deployed again. May run anywhere, any number of times at once.

Rows first, in the transaction that claims the file; then the file; then the claim. An upload of
the same bytes wants the file before it looks whether it is there, so either the claim fails or
the upload waits until the file is gone and puts it there again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import nullcontext
from datetime import datetime

from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, ProtectedError

from webjobs.models import Deployment, Package, PackageFile, PackageVersion, Run, WebJob
from webjobs.packages import KEPT_UNUSED, is_folder

# Files that one pass looks at, and those that it removes at most.
BATCH = 100
AT_ONCE = 20

logger = logging.getLogger(__name__)


class Remover:
    """Looks at some files in each pass, in the order of their keys, again and again."""

    def __init__(self) -> None:
        self._after = 0

    def work(self, now: datetime) -> int:
        """Remove what is unused among the next files; returns how many."""
        old = PackageFile.objects.filter(pk__gt=self._after, wanted_at__lt=now - KEPT_UNUSED)
        files = list(old.order_by("pk")[:BATCH])
        used = _used({file.sha256 for file in files}) if files else set()
        unused = [file for file in files if file.sha256 not in used]
        is_rest = len(unused) > AT_ONCE
        last = unused[AT_ONCE - 1] if is_rest else files[-1] if len(files) == BATCH else None
        self._after = last.pk if last else 0
        return sum(remove(file, now) for file in unused[:AT_ONCE])


def remove(file: PackageFile, now: datetime) -> bool:
    """Remove a file with its packages; false when it is in use after all, or cannot be removed."""
    return forget(file, now) and delete(file)


def forget(file: PackageFile, now: datetime) -> bool:
    """The first half: claim the file and delete the rows of its packages."""
    try:
        with transaction.atomic():
            if not file.claim_removal(now - KEPT_UNUSED, now):
                return False
            if _used({file.sha256}):
                raise _InUse
            Package.objects.filter(sha256=file.sha256).delete()
    except (_InUse, ProtectedError, IntegrityError):
        return False
    return True


def delete(file: PackageFile) -> bool:
    """The second half: delete the bytes. What the storage refuses is tried again in a while."""
    storage = storages["packages"]
    # Locked meanwhile: one who stands still in here keeps others from taking over, however late it
    # is. SQLite's lock is everybody's, which a folder is fast enough for and a bucket is not.
    is_lockable = connection.features.has_select_for_update or is_folder(storage)
    with transaction.atomic() if is_lockable else nullcontext():
        if not list(file.removals().select_for_update()):
            return False
        try:
            storage.delete(Package(sha256=file.sha256).storage_name)
        except OSError as error:
            logger.warning("The unused package %s cannot be deleted: %s", file, error)
            return False
        file.removals().delete()
    return True


class _InUse(Exception):
    """Something refers to the file again."""


def _used(hashes: Collection[str]) -> set[str]:
    """Those that something refers to."""
    packages = Package.objects.filter(sha256__in=hashes).order_by()
    package = OuterRef("pk")
    is_used = (
        Exists(WebJob.objects.filter(package=package))
        | Exists(PackageVersion.objects.filter(package=package))
        | Exists(Run.objects.filter(package=package))
    )
    used = set(packages.filter(is_used).values_list("sha256", flat=True))
    if rest := dict(packages.exclude(sha256__in=used).values_list("pk", "sha256")):
        used |= {rest[pk] for pk in _deployed() & rest.keys()}
    return used


def _deployed() -> set[int]:
    """The keys of all packages that a deployment brought, and could bring again."""
    results = Deployment.objects.exclude(results=[]).order_by().values_list("results", flat=True)
    return {one["package"] for found in results for one in found if one.get("package")}
