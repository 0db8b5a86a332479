"""Packages in the storage: stored once per hash, checked whenever they are fetched."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils import timezone
from django.utils.translation import gettext as _

from webjobs import room
from webjobs.models import Package, PackageFile
from webjobs.reasons import gettext_noop
from webjobs.runner import interpreters
from webjobs.runner import package as packages
from webjobs.runner.tree import files_in

MIB = 1024 * 1024
# What an instance keeps of packages that it has fetched, unless more of them are in use.
CACHE_BYTES = 2048 * MIB
# Seconds after its last use in which a fetched package may still be read from, and after which
# it goes in any case: it can be fetched again.
IN_USE = 3600
CACHED = 7 * 24 * 3600
# Seconds that an upload waits for the removal of an unused file with the same bytes.
REMOVED_WITHIN = 5.0
# How long what was uploaded stays although nothing refers to it: longer than the page that edits a
# WebJob may be left open.
KEPT_UNUSED = timedelta(days=2)

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class PackageUnavailable(Exception):
    """The storage does not give the package that a WebJob needs; the message says what to do."""


_DAMAGED = gettext_noop(
    "The package %(package)s in the storage is damaged: its SHA-256 differs. Upload it again."
)
_DISK_FULL = gettext_noop(
    "The disk of this instance is full: the package %(package)s does not fit into %(folder)s. Free "
    "some space, then start it again."
)
_UNREADABLE = gettext_noop(
    "The package %(package)s cannot be read from the storage: %(why)s. Upload it again, or restore "
    "the package storage."
)


class NotKept(Exception):
    """The storage does not take a package; the message is the storage's reason."""


@dataclass(frozen=True)
class Upload:
    """A file that came in and was found good; `path` may be gone once it is stored."""

    path: Path
    file_name: str
    checked: packages.Package


def check_upload(path: Path, file_name: str, kind: packages.Kind | None = None) -> Upload:
    """Look at an upload before anything changes; raises PackageError.

    The name decides whether it is a zip or a script, unless `kind` does.
    """
    size, most = path.stat().st_size, settings.WEBJOBS_MAX_UPLOAD
    if size > most:
        raise packages.PackageError(
            "too_large",
            gettext_noop(
                "The file has %(size)s MiB, and at most %(most)s MiB are accepted. Leave out what "
                "the job does not need, or raise MAX_UPLOAD_MB."
            ),
            size=f"{size / MIB:.1f}",
            most=f"{most / MIB:.0f}",
        )
    table = interpreters.table(settings.WEBJOBS_INTERPRETERS)
    checked = packages.check(path, file_name, extensions=list(table), kind=kind)
    return Upload(path, file_name, checked)


def keep(upload: Upload) -> None:
    """Put the bytes of `upload` into the storage, unless they are there. Raises NotKept.

    They stay for KEPT_UNUSED whatever happens: time to `store` what refers to them.
    """
    storage, checked = storages["packages"], upload.checked
    _want(checked.sha256)
    name = Package(sha256=checked.sha256).storage_name
    try:
        is_there = storage.exists(name) and storage.size(name) == checked.size
        # One that the storage has damaged is replaced.
        if is_there and _digest_of(name) == checked.sha256:
            return
        with upload.path.open("rb") as file:
            storage.save(name, File(file))
    except OSError as error:
        raise NotKept(error.strerror or str(error)) from error


def _want(sha256: str) -> None:
    until = time.monotonic() + REMOVED_WITHIN
    while not PackageFile.want(sha256, timezone.now()):
        if time.monotonic() >= until:
            raise NotKept(
                _("An unused copy of this file is being removed. Try again in a few minutes.")
            )
        time.sleep(0.05)


def _digest_of(name: str) -> str:
    digest = sha256()
    with storages["packages"].open(name) as source:
        for block in source.chunks():
            digest.update(block)
    return digest.hexdigest()


def is_folder(storage: Storage) -> TypeGuard[FileSystemStorage]:
    """Whether packages are in a folder, and not behind a network service."""
    return isinstance(storage, FileSystemStorage)


def check_storage() -> None:
    """Raises OSError when packages can be neither kept nor fetched now."""
    storage = storages["packages"]
    if is_folder(storage):
        folder = Path(storage.location)
        # Made with the first package; until then the folder above it counts.
        folder = folder if folder.exists() else folder.parent
        os.listdir(folder)
        room.check(folder)
    elif check := getattr(storage, "check", None):
        check()


def store(upload: Upload, user: User | None) -> Package:
    """The row of a package whose bytes `keep` has put into the storage before."""
    checked = upload.checked
    package, _ = Package.objects.get_or_create(
        sha256=checked.sha256,
        file_name=upload.file_name,
        defaults={
            "size": checked.size,
            "kind": checked.kind,
            "entries": [[entry.path, entry.size] for entry in checked.entries if not entry.is_dir],
            "script": checked.script,
            "candidates": list(checked.candidates),
            "settings_job": checked.settings.to_dict(),
            "created_by": user,
        },
    )
    return package


def local_path(package: Package, cache: Path) -> Path:
    """A file of this machine with the bytes of `package`; raises PackageUnavailable.

    Fetched once into `cache` under its hash, which is compared before it takes its name. Those
    used least recently make room for it.
    """
    target = cache / package.sha256
    with suppress(FileNotFoundError):
        os.utime(target)
        return target
    cache.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=cache)
    try:
        with os.fdopen(descriptor, "w+b") as copy:
            with storages["packages"].open(package.storage_name) as source:
                for block in source.chunks():
                    copy.write(block)
            copy.seek(0)
            if file_digest(copy, "sha256").hexdigest() != package.sha256:
                raise PackageUnavailable(_DAMAGED % {"package": package})
        Path(name).rename(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            full = _DISK_FULL % {"package": package, "folder": cache}
            raise PackageUnavailable(full) from error
        text = _UNREADABLE % {"package": package, "why": error.strerror or error}
        raise PackageUnavailable(text) from error
    finally:
        Path(name).unlink(missing_ok=True)
    trim_cache(cache, time.time())
    return target


def trim_cache(cache: Path, now: float, most: int = CACHE_BYTES) -> int:
    """Delete the fetched packages used least recently beyond `most` bytes, and those that nobody
    asked for in a week; returns how many.

    Never one that was asked for in the last hour; one that is being read stays readable.
    """
    found = []
    for path in files_in(cache):
        with suppress(FileNotFoundError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    total, deleted = sum(size for used, size, path in found), 0
    for used, size, path in sorted(found):
        if used > now - (IN_USE if total > most else CACHED):
            break
        path.unlink(missing_ok=True)
        total, deleted = total - size, deleted + 1
    return deleted
