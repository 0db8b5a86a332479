"""Checking an upload, a zip or a single script file, before it becomes a package."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, TypeAlias

from webjobs.reasons import gettext_noop
from webjobs.runner import archive, entry_point, names, settings_job
from webjobs.runner.archive import Entry, Member
from webjobs.runner.entry_point import RUNNABLE
from webjobs.runner.refusal import PackageError, PackageLimits, shown
from webjobs.runner.settings_job import JobSettings

__all__ = ["RUNNABLE", "Entry", "Kind", "Package", "PackageError", "PackageLimits", "check"]

Kind: TypeAlias = Literal["zip", "file"]


@dataclass(frozen=True)
class Package:
    """A package that passed every check.

    `size` is that of the upload in bytes; `script` and `candidates` (best first, `script`
    included) are paths inside the package, with `/`; `file_name` has no folders.
    """

    sha256: str
    size: int
    kind: Kind
    file_name: str
    entries: tuple[Entry, ...]
    script: str
    candidates: tuple[str, ...]
    settings: JobSettings


def check(
    path: Path,
    file_name: str,
    limits: PackageLimits | None = None,
    extensions: Sequence[str] = RUNNABLE,
    kind: Kind | None = None,
) -> Package:
    """Look at every byte of the upload at `path` and tell what it is; nothing is extracted.

    `file_name` is the name that the uploader gave; it decides between zip and single script
    unless `kind` does. `extensions` are the runnable ones, first choice first. Raises
    PackageError.
    """
    limits = limits or PackageLimits()
    name = names.base_name(file_name)
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
        size = source.tell()
        if size == 0:
            raise PackageError("empty_file", archive.EMPTY_FILE)
        kind = kind or _kind(source, name, extensions)
        if kind == "zip":
            entries, settings, entry = _check_zip(source, limits, extensions)
        else:
            entries, settings, entry = _check_file(path, name, size, extensions)
    return Package(
        sha256=digest,
        size=size,
        kind=kind,
        file_name=name,
        entries=entries,
        script=entry.candidates[0],
        candidates=entry.candidates,
        settings=settings,
    )


_Contents: TypeAlias = tuple[tuple[Entry, ...], JobSettings, entry_point.EntryPoint]


def _kind(source: IO[bytes], name: str, extensions: Sequence[str]) -> Kind:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".zip":
        return "zip"
    if suffix in extensions:
        return "file"
    source.seek(0)
    if source.read(4) in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    raise PackageError(
        "not_supported",
        gettext_noop(
            '"%(file)s" is neither a zip file nor a script that can run. Upload a zip file, or a '
            "file of one of these types: %(types)s"
        ),
        file=shown(name),
        types=" ".join(extensions),
    )


def _check_zip(source: IO[bytes], limits: PackageLimits, extensions: Sequence[str]) -> _Contents:
    with archive.opened(source, limits) as opened:
        members = archive.read_members(opened, limits)
        archive.verify(opened, limits)
        files = [member.entry.path for member in members if not member.entry.is_dir]
        if not files:
            raise PackageError(
                "empty_zip",
                gettext_noop(
                    "The zip file has no file in it. Put the script and its files into it."
                ),
            )
        entry = entry_point.find(files, extensions)
        if not entry.candidates:
            raise _no_script(entry.folder, files, extensions)
        settings = _settings(opened, members, entry.folder)
    return tuple(member.entry for member in members), settings, entry


def _check_file(path: Path, name: str, size: int, extensions: Sequence[str]) -> _Contents:
    if names.safe_path(name) != name:
        raise PackageError(
            "bad_name",
            gettext_noop('The file name "%(file)s" cannot be used. Rename it.'),
            file=shown(name),
        )
    if PurePosixPath(name).suffix.lower() not in extensions:
        raise _no_script("", [name], extensions)
    only = Entry(name, size, is_dir=False, executable=True, modified=path.stat().st_mtime)
    return (only,), JobSettings(), entry_point.find([name], extensions)


def _settings(opened: zipfile.ZipFile, members: Sequence[Member], folder: str) -> JobSettings:
    """From the settings.job beside the script, else from the one at the root."""
    by_path = {member.entry.path.casefold(): member for member in members}
    beside = f"{folder}/{settings_job.FILE_NAME}".lstrip("/").casefold()
    member = by_path.get(beside) or by_path.get(settings_job.FILE_NAME)
    if member is None or member.entry.is_dir:
        return JobSettings()
    with archive.content(opened, member.info) as content:
        data = content.read(settings_job.MAX_BYTES + 1)
    try:
        return settings_job.parse_settings(settings_job.decode(data))
    except settings_job.SettingsError as error:
        raise PackageError(error.code, error.text, **error.params) from error


_TOO_DEEP = gettext_noop(
    "No runnable script file was found at the top of the package. "
    '"%(file)s" lies too deep: move it and its files to the top of the zip.'
)
_TOO_DEEP_BELOW = gettext_noop(
    'No runnable script file was found in the folder "%(folder)s". '
    '"%(file)s" lies too deep: move it and its files to the top of the zip.'
)
_NO_SCRIPT = gettext_noop(
    "No runnable script file was found at the top of the package. "
    "Add a file of one of these types: %(types)s"
)
_NO_SCRIPT_BELOW = gettext_noop(
    'No runnable script file was found in the folder "%(folder)s". '
    "Add a file of one of these types: %(types)s"
)


def _no_script(folder: str, files: Sequence[str], extensions: Sequence[str]) -> PackageError:
    params = {"folder": shown(folder)} if folder else {}
    deeper = [f for f in files if PurePosixPath(f).suffix.lower() in extensions]
    if deeper:
        text = _TOO_DEEP_BELOW if folder else _TOO_DEEP
        return PackageError("no_script", text, file=shown(deeper[0]), **params)
    text = _NO_SCRIPT_BELOW if folder else _NO_SCRIPT
    return PackageError("no_script", text, types=" ".join(extensions), **params)
