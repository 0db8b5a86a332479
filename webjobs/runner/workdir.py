"""The folders of the WebJobs on one instance: site, data, working copies, shutdown files.

home/{app}/{slot}/site/wwwroot/App_Data/jobs/{type}/{job}    the package's files
home/{app}/{slot}/data/jobs/{type}/{job}                     the job's own data, kept
temp/{app}/{slot}/jobs/{type}/{job}/{random}                 the working copy
temp/{app}/{slot}/JobsShutdown/{type}/{job}/{random}         exists once the job shall stop
temp/{app}/{slot}/tmp/{type}/{job}                           the job's temporary files
temp/{app}/{slot}/unpack/{type}/{job}/{random}               a package on its way in or out
packages/{app}/{slot}/{type}/{job}                           which package the site holds
"""

from __future__ import annotations

import errno
import json
import re
import secrets
import shutil
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from webjobs.runner import settings_job, tree
from webjobs.runner.archive import PackageError
from webjobs.runner.extraction import extract
from webjobs.runner.package import Kind
from webjobs.runner.settings_job import Json
from webjobs.states import JobType

_TEMPORARY = ("jobs", "JobsShutdown", "tmp", "unpack")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class WorkspaceError(Exception):
    """The files of a job could not be made ready; the message says why and what to do."""


@dataclass(frozen=True)
class JobKey:
    """Which job; every part is a plain file name."""

    app: str
    slot: str
    job_type: JobType
    job: str

    @property
    def parts(self) -> tuple[str, str]:
        """The folders that tell jobs of one app apart."""
        return self.job_type.value, self.job


@dataclass(frozen=True)
class JobFiles:
    """What a job's folders shall hold.

    `script` is the path inside the package, `settings` the effective settings.job; `open_package`
    gives the stored package, seekable, and is called only when it has to be unpacked.
    """

    key: JobKey
    sha256: str
    kind: Kind
    file_name: str
    script: str
    settings: Mapping[str, Json]
    in_place: bool
    open_package: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class WorkingCopy:
    """The files of one execution, ready to start.

    `folder` is WEBJOBS_PATH and `script` lies in it; the process starts in `script.parent`.
    `changes` are lines for the log. Give it back with `Workspace.release`.
    """

    folder: Path
    script: Path
    home: Path
    data_path: Path
    temp_dir: Path
    shutdown_file: Path
    changes: tuple[str, ...] = ()


class Workspace:
    """The folders below `root` of one worker. Thread-safe; one process at a time per root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._guard = threading.Lock()
        self._locks: defaultdict[JobKey, threading.Lock] = defaultdict(threading.Lock)
        self._current: dict[JobKey, _Copy] = {}
        self._users: Counter[Path] = Counter()
        # Folder in use -> what to delete once nobody uses it.
        self._outdated: defaultdict[Path, list[Path]] = defaultdict(list)

    def home(self, app: str, slot: str) -> Path:
        """HOME of the jobs of a slot."""
        return self.root / "home" / _safe(app) / _safe(slot)

    def site_dir(self, key: JobKey) -> Path:
        """Where the package's files are, as Azure lays them out."""
        jobs = self.home(key.app, key.slot) / "site" / "wwwroot" / "App_Data" / "jobs"
        return jobs.joinpath(*map(_safe, key.parts))

    def data_path(self, key: JobKey) -> Path:
        """WEBJOBS_DATA_PATH: kept over runs and packages."""
        jobs = self.home(key.app, key.slot) / "data" / "jobs"
        return jobs.joinpath(*map(_safe, key.parts))

    def prepare(self, files: JobFiles) -> WorkingCopy:
        """Make the files of a job ready for one execution. Raises WorkspaceError.

        Unpacks only when the package changed or the site folder is gone, copies only when a file
        changed; otherwise it looks at the files' times and nothing else.
        """
        key = files.key
        with self._lock(key), _in_words(key):
            changes: list[str] = []
            site = self._site(files)
            folder = site if files.in_place else self._copy(files, site, changes)
            for path in {site, folder}:
                _write_settings(path, files)
            temp_dir = self._temp(key, "tmp")
            data_path = self.data_path(key)
            shutdown = self._temp(key, "JobsShutdown")
            for path in (temp_dir, data_path, shutdown):
                path.mkdir(parents=True, exist_ok=True)
            with self._guard:
                self._users[folder] += 1
            return WorkingCopy(
                folder=folder,
                script=folder / files.script,
                home=self.home(key.app, key.slot),
                data_path=data_path,
                temp_dir=temp_dir,
                shutdown_file=shutdown / tree.random_name(),
                changes=tuple(changes),
            )

    def release(self, copy: WorkingCopy) -> None:
        """The execution is over: its shutdown file goes, and its folder when it is outdated."""
        copy.shutdown_file.unlink(missing_ok=True)
        with self._guard:
            self._users[copy.folder] -= 1
            if self._users[copy.folder] > 0:
                return
            del self._users[copy.folder]
            outdated = self._outdated.pop(copy.folder, [])
        for folder in outdated:
            tree.delete(folder)

    def sweep(self) -> None:
        """Delete what earlier executions left behind. Call it before the first `prepare`."""
        for slot in (self.root / "temp").glob("*/*"):
            for what in _TEMPORARY:
                if what != "jobs":
                    tree.delete(slot / what)

    def remove(self, key: JobKey) -> None:
        """Delete everything of a job that no longer exists and no longer runs."""
        with self._lock(key):
            self._current.pop(key, None)
            self._marker(key).unlink(missing_ok=True)
            for folder in (
                self.site_dir(key),
                self.data_path(key),
                *(self._temp(key, what) for what in _TEMPORARY),
            ):
                tree.delete(folder)

    def _lock(self, key: JobKey) -> threading.Lock:
        with self._guard:
            return self._locks[key]

    def _temp(self, key: JobKey, what: str) -> Path:
        slot = self.root / "temp" / _safe(key.app) / _safe(key.slot)
        return slot.joinpath(what, *map(_safe, key.parts))

    def _marker(self, key: JobKey) -> Path:
        slot = self.root / "packages" / _safe(key.app) / _safe(key.slot)
        return slot.joinpath(*map(_safe, key.parts))

    def _site(self, files: JobFiles) -> Path:
        site = self.site_dir(files.key)
        marker = self._marker(files.key)
        if tree.read_text(marker) == files.sha256 and (site / files.script).is_file():
            return site
        unpacked = self._temp(files.key, "unpack") / tree.random_name()
        with files.open_package() as package:
            extract(package, files.kind, files.file_name, unpacked)
        if not (unpacked / files.script).is_file():
            tree.delete(unpacked)
            raise WorkspaceError(
                f'The package has no file "{files.script}". Upload the package again.'
            )
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.unlink(missing_ok=True)
        self._swap(unpacked, site)
        marker.write_text(files.sha256, encoding="utf-8")
        return site

    def _swap(self, unpacked: Path, site: Path) -> None:
        old = unpacked.with_name(tree.random_name())
        site.parent.mkdir(parents=True, exist_ok=True)
        if site.exists():
            site.rename(old)
        unpacked.rename(site)
        self._delete_unused(site, old)

    def _delete_unused(self, folder: Path, what: Path) -> None:
        """Delete `what`, at once or when the last execution in `folder` has ended."""
        with self._guard:
            if self._users[folder] > 0:
                self._outdated[folder].append(what)
                return
        tree.delete(what)

    def _copy(self, files: JobFiles, site: Path, changes: list[str]) -> Path:
        copies = self._temp(files.key, "jobs")
        current = self._current.get(files.key) or self._found(files, copies)
        source = tree.times(site)
        ignored = str(_settings_path(PurePosixPath(), files))
        source.pop(ignored, None)
        if current is not None:
            change = tree.change(source, tree.times(current.folder), current.files)
            if change is None and current.sha256 == files.sha256:
                return current.folder
            changes += [change] if change else []
            self._delete_unused(current.folder, current.folder)
        fresh = copies / f"{files.sha256[:8]}.{secrets.token_hex(2)[:3]}"
        copies.mkdir(parents=True, exist_ok=True)
        tree.copy_to(site, fresh)
        self._current[files.key] = _Copy(fresh, files.sha256, frozenset(source))
        return fresh

    def _found(self, files: JobFiles, copies: Path) -> _Copy | None:
        """The copy that an earlier worker left, if it is of this package; others are deleted."""
        found = None
        for folder in tree.files_in(copies):
            if found is None and folder.name.startswith(files.sha256[:8]):
                found = _Copy(folder, files.sha256, frozenset())
            else:
                tree.delete(folder)
        if found is not None:
            self._current[files.key] = found
        return found


@dataclass(frozen=True)
class _Copy:
    folder: Path
    sha256: str
    files: frozenset[str]


def _settings_path(folder: PurePosixPath, files: JobFiles) -> PurePosixPath:
    return folder / PurePosixPath(files.script).parent / settings_job.FILE_NAME


def _write_settings(folder: Path, files: JobFiles) -> None:
    """Put the effective settings.job beside the script."""
    path = Path(_settings_path(PurePosixPath(folder), files))
    text = json.dumps(files.settings, indent=2) + "\n" if files.settings else None
    if tree.read_text(path) == text:
        return
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text, encoding="utf-8")


def _safe(name: str) -> str:
    if not _SAFE_NAME.fullmatch(name):
        raise ValueError(f"not a plain name: {name!r}")
    return name


@contextmanager
def _in_words(key: JobKey) -> Iterator[None]:
    try:
        yield
    except PackageError as error:
        raise WorkspaceError(
            f'The stored package of "{key.job}" cannot be unpacked. {error.message}'
        ) from error
    except (OSError, shutil.Error) as error:
        raise WorkspaceError(_words(key, error)) from error


def _words(key: JobKey, error: OSError) -> str:
    start = f'The files of "{key.job}" could not be made ready: '
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return start + "the disk of this instance is full. Free some space, then start it again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        where = f" ({error.filename})" if error.filename else ""
        return (
            f"{start}the worker may not write to its data folder{where}. "
            "Correct the rights of that folder, then start it again."
        )
    return f"{start}{error.strerror or error}. Start it again; see the worker's log if it repeats."
