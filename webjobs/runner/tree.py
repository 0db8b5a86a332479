"""Folders of files: comparing, copying and deleting them."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_CHANGED = "Job directory change detected: Job file '{0}' "
_DIFFERS = _CHANGED + "timestamp differs between source and working directories."
_MISSING = _CHANGED + "exists in source directory but not in working directory."
_DELETED = _CHANGED + "has been deleted."


def times(folder: Path) -> dict[str, int]:
    """Relative path (with `/`) of every file and link below `folder` to its time of change in ns.

    Empty when there is no such folder.
    """
    result: dict[str, int] = {}
    pending = [(str(folder), "")]
    while pending:
        path, prefix = pending.pop()
        try:
            entries = os.scandir(path)
        except FileNotFoundError:
            continue
        with entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, name + "/"))
                elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    result[name] = entry.stat(follow_symlinks=False).st_mtime_ns
    return result


def change(source: dict[str, int], copy: dict[str, int], copied: frozenset[str]) -> str | None:
    """The first change of `source` since `copy` was made from it, in Azure's words, or None.

    `copied` are the files that were copied then. Files that only the copy has are no change.
    """
    for name, changed_at in source.items():
        if name not in copy:
            return _MISSING.format(name)
        if copy[name] != changed_at:
            return _DIFFERS.format(name)
    gone = sorted(copied - source.keys())
    return _DELETED.format(gone[0]) if gone else None


def copy(source: Path, target: Path) -> None:
    """Copy a folder's files and links to the new folder `target`, with modes and times of change.

    On an error nothing of `target` is left; raises OSError.
    """
    try:
        _copy(source, target)
    except OSError:
        delete(target)
        raise


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _copy(source / entry.name, target / entry.name)
            elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                shutil.copy2(entry.path, target / entry.name, follow_symlinks=False)


def delete(folder: Path) -> None:
    """Delete a folder as far as possible, also where a job took away its own rights."""

    def make_writable(function: Callable[[str], Any], path: str, _error: object) -> None:
        try:
            os.chmod(os.path.dirname(path), 0o700)
            os.chmod(path, 0o700)
            function(path)
        except OSError:
            pass

    # The second argument has a new name since Python 3.12.
    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=make_writable)
    else:
        shutil.rmtree(folder, onerror=make_writable)


def files_in(folder: Path) -> Iterator[Path]:
    """What is directly in `folder`; nothing when there is no such folder."""
    try:
        yield from folder.iterdir()
    except FileNotFoundError:
        return


def read_text(path: Path) -> str | None:
    """The text of a small file, or None when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def random_name() -> str:
    """A name such as `x3f9ab12.c4d`."""
    text = secrets.token_hex(6)
    return f"{text[:8]}.{text[8:11]}"
