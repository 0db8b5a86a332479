"""The files of a WebJob made ready for an execution: unpacked once, copied when changed."""

from __future__ import annotations

import contextlib
import errno
import json
import secrets
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from webjobs.reasons import gettext_noop
from webjobs.runner import settings_job, tree
from webjobs.runner.extraction import extract
from webjobs.runner.folders import SCRAP, Folders, JobKey, keys_in
from webjobs.runner.package import Kind, PackageError
from webjobs.runner.settings_job import Json

__all__ = ["JobFiles", "JobKey", "WorkingCopy", "Workspace", "WorkspaceError"]


_NO_SCRIPT = gettext_noop('The package has no file "%(script)s". Upload the package again.')
_FULL = gettext_noop(
    'The files of "%(job)s" could not be made ready: the disk of this instance is full '
    "(%(folder)s). Free some space, then start it again."
)
_MAY_NOT_WRITE = gettext_noop(
    'The files of "%(job)s" could not be made ready: the worker may not write to its data folder. '
    "Correct the rights of that folder, then start it again."
)
_MAY_NOT_WRITE_TO = gettext_noop(
    'The files of "%(job)s" could not be made ready: the worker may not write to its data folder '
    "(%(path)s). Correct the rights of that folder, then start it again."
)
_NOT_READY = gettext_noop(
    'The files of "%(job)s" could not be made ready: %(why)s. Start it again; see the worker\'s '
    "log if it repeats."
)


class WorkspaceError(Exception):
    """The files of a job could not be made ready; the message says why and what to do."""


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
        self._folders: dict[JobKey, Folders] = {}
        self._guard = threading.Lock()
        self._locks: defaultdict[JobKey, threading.Lock] = defaultdict(threading.Lock)
        self._current: dict[JobKey, _Copy] = {}
        self._users: Counter[Path] = Counter()
        # Folder in use -> what to delete once nobody uses it.
        self._outdated: defaultdict[Path, list[Path]] = defaultdict(list)

    def folders(self, key: JobKey) -> Folders:
        """Where the files of a job are. Raises ValueError for names that are not plain."""
        known = self._folders.get(key)
        if known is None:
            known = self._folders.setdefault(key, Folders(self.root, key))
        return known

    def prepare(self, files: JobFiles) -> WorkingCopy:
        """Make the files of a job ready for one execution. Raises WorkspaceError.

        Unpacks only when the package changed or the site folder is gone, copies only when a file
        changed; otherwise it looks at the files' times and nothing else. Executions of a job at
        once have a copy each; in place they share the site folder.
        """
        folders = self.folders(files.key)
        with self._lock(files.key), _in_words(files.key, self.root):
            changes: list[str] = []
            self._fill_site(files, folders)
            folder = folders.site
            if not files.in_place:
                folder = self._copy(files, folders, changes)
                _write_settings(folder, files)
            _write_settings(folders.site, files)
            for path in (folders.temp, folders.data, folders.shutdown):
                if not path.is_dir():
                    path.mkdir(parents=True)
            with self._guard:
                self._users[folder] += 1
            return WorkingCopy(
                folder=folder,
                script=folder / files.script,
                home=folders.home,
                data_path=folders.data,
                temp_dir=folders.temp,
                shutdown_file=folders.shutdown / tree.random_name(),
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
        """Put away what earlier executions left behind; it is deleted in the background.

        Call it before the first `prepare`.
        """
        scrap = [slot / what for slot in (self.root / "temp").glob("*/*") for what in SCRAP]
        self._throw_away([*tree.files_in(self.root / "trash"), *scrap])

    def keys(self) -> set[JobKey]:
        """The jobs of which there are files."""
        return keys_in(self.root)

    def keep(self, key: JobKey) -> None:
        """The job exists, perhaps again."""
        self.folders(key).gone.unlink(missing_ok=True)

    def discard(self, key: JobKey, patience: float) -> None:
        """The job does not exist. Once that was said for so many seconds, and it does not run here
        any more, put away everything of it; that is deleted in the background."""
        folders = self.folders(key)
        if not folders.gone.exists():
            folders.gone.parent.mkdir(parents=True, exist_ok=True)
            folders.gone.touch()
        if time.time() - folders.gone.stat().st_mtime < patience:
            return
        with self._lock(key):
            copies = tree.files_in(folders.copies)
            if any(self._is_used(folder) for folder in (folders.site, *copies)):
                return
            self._current.pop(key, None)
            folders.marker.unlink(missing_ok=True)
            folders.gone.unlink(missing_ok=True)
            self._throw_away(folders.all)

    def _throw_away(self, folders: Iterable[Path]) -> None:
        trash = self.root / "trash" / tree.random_name()
        trash.mkdir(parents=True)
        for folder in folders:
            with contextlib.suppress(FileNotFoundError):
                folder.rename(trash / tree.random_name())
        threading.Thread(target=tree.delete, args=[trash], name="sweep", daemon=True).start()

    def remove(self, key: JobKey) -> None:
        """Delete everything of a job that no longer exists and no longer runs."""
        folders = self.folders(key)
        with self._lock(key):
            self._current.pop(key, None)
            folders.marker.unlink(missing_ok=True)
            for folder in folders.all:
                tree.delete(folder)

    def _lock(self, key: JobKey) -> threading.Lock:
        with self._guard:
            return self._locks[key]

    def _fill_site(self, files: JobFiles, folders: Folders) -> None:
        site, marker = folders.site, folders.marker
        if tree.read_text(marker) == files.sha256 and (site / files.script).is_file():
            return
        unpacked = folders.unpack / tree.random_name()
        with files.open_package() as package:
            extract(package, files.kind, files.file_name, unpacked)
        try:
            if not (unpacked / files.script).is_file():
                raise WorkspaceError(_NO_SCRIPT % {"script": files.script})
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.unlink(missing_ok=True)
            self._swap(unpacked, site)
        except (OSError, WorkspaceError):
            tree.delete(unpacked)
            raise
        marker.write_text(files.sha256, encoding="utf-8")

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

    def _copy(self, files: JobFiles, folders: Folders, changes: list[str]) -> Path:
        current = self._current.get(files.key) or self._found(files, folders.copies)
        source = tree.times(folders.site)
        # Ours to write, in both places.
        source.pop(str(_settings_path(files)), None)
        if current is not None and current.sha256 == files.sha256 and self._is_used(current.folder):
            return self._private_copy(files, folders)
        if current is not None:
            change = tree.change(source, tree.times(current.folder), current.files)
            if change is None and current.sha256 == files.sha256:
                return current.folder
            changes += [change] if change else []
            self._delete_unused(current.folder, current.folder)
        fresh = _fresh_copy(files, folders)
        self._current[files.key] = _Copy(fresh, files.sha256, frozenset(source))
        return fresh

    def _is_used(self, folder: Path) -> bool:
        with self._guard:
            return self._users[folder] > 0

    def _private_copy(self, files: JobFiles, folders: Folders) -> Path:
        """A copy for one execution beside others of the job; it goes with the execution."""
        fresh = _fresh_copy(files, folders)
        with self._guard:
            self._outdated[fresh].append(fresh)
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


def _fresh_copy(files: JobFiles, folders: Folders) -> Path:
    fresh = folders.copies / f"{files.sha256[:8]}.{secrets.token_hex(4)}"
    folders.copies.mkdir(parents=True, exist_ok=True)
    tree.copy(folders.site, fresh)
    return fresh


def _settings_path(files: JobFiles) -> PurePosixPath:
    return PurePosixPath(files.script).parent / settings_job.FILE_NAME


def _write_settings(folder: Path, files: JobFiles) -> None:
    """Put the effective settings.job beside the script."""
    path = folder / _settings_path(files)
    text = json.dumps(files.settings, indent=2) + "\n" if files.settings else None
    if tree.read_text(path) == text:
        return
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _in_words(key: JobKey, root: Path) -> Iterator[None]:
    try:
        yield
    except PackageError as error:
        text = gettext_noop('The stored package of "%(job)s" cannot be unpacked.')
        raise WorkspaceError(f"{text % {'job': key.job}} {error.message}") from error
    except OSError as error:
        raise WorkspaceError(_words(key, root, error)) from error


def _words(key: JobKey, root: Path, error: OSError) -> str:
    places = {"job": key.job, "folder": root, "why": error.strerror or error}
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _FULL % places
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        if error.filename:
            return _MAY_NOT_WRITE_TO % {**places, "path": error.filename}
        return _MAY_NOT_WRITE % places
    return _NOT_READY % places
