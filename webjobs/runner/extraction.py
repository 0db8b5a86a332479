"""Unpacking a checked package into a folder, and packing a folder into a zip."""

from __future__ import annotations

import os
import secrets
import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from webjobs.runner import archive, names
from webjobs.runner.archive import Entry
from webjobs.runner.entry_point import RUNNABLE
from webjobs.runner.package import Kind
from webjobs.runner.refusal import PackageLimits

# The package was checked before it was stored; a limit that was lowered since must not stop it.
_NO_LIMITS = PackageLimits(entries=10**9, total=10**18, ratio=10**9)
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # A zip knows no earlier time.


def extract(source: IO[bytes], kind: Kind, file_name: str, target: Path) -> None:
    """Make the folder `target`, which must not exist yet, hold exactly what the package holds.

    Works in a sibling folder that is renamed at the end, so that `target` is complete or not
    there. Times of change are kept, scripts and files marked executable become executable.
    Raises OSError or PackageError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        fresh.mkdir()
        if kind == "zip":
            _unpack(source, fresh)
        else:
            _write(source, fresh / names.base_name(file_name), executable=True, modified=None)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _unpack(source: IO[bytes], folder: Path) -> None:
    with archive.opened(source, _NO_LIMITS) as opened:
        for member in archive.read_members(opened, _NO_LIMITS):
            path = folder / member.entry.path
            if member.entry.is_dir:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.content(opened, member.info) as content:
                _write(content, path, _is_executable(member.entry), member.entry.modified)


def _is_executable(entry: Entry) -> bool:
    return entry.executable or PurePosixPath(entry.path).suffix.lower() in RUNNABLE


def _write(content: IO[bytes], path: Path, executable: bool, modified: float | None) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(content, file, archive.CHUNK)
    path.chmod(0o755 if executable else 0o644)
    if modified is not None:
        os.utime(path, (modified, modified))


def zip_folder(folder: Path, target: Path) -> None:
    """Zip what is in `folder` to the file `target`.

    The same files give the same bytes on every machine: sorted names, times left out.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as opened:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EARLIEST)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            is_script = path.suffix.lower() in RUNNABLE
            info.external_attr = (0o100755 if is_script else 0o100644) << 16
            opened.writestr(info, path.read_bytes())
