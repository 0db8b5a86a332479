"""What differs between two packages: files, and the lines of text files.

Nothing is written to a disk, and all sizes are bounded, whatever the archives say of themselves.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Literal, Protocol, TypeAlias

from webjobs.runner import archive
from webjobs.runner.archive import CHUNK, Member
from webjobs.runner.line_diff import Line, hunks, line_diff
from webjobs.runner.refusal import PackageLimits

What: TypeAlias = Literal["added", "removed", "changed"]
# Why the lines of a changed file are not shown.
Unshown: TypeAlias = Literal["", "binary", "large", "different"]

# Bytes of a file whose lines are compared, and its lines.
TEXT_BYTES = 256 * 1024
TEXT_LINES = 4000
# Differing lines of one file, and of all together.
FILE_DIFFERENCES = 400
ALL_DIFFERENCES = 2000
# Bytes that are unpacked to see whether files with equal checksums are equal.
HASHED_BYTES = 32 * 1024**2


@dataclass(frozen=True)
class Change:
    """A file that only one package has, or that both have; sizes in bytes, None where it is not."""

    path: str
    what: What
    old_size: int | None = None
    new_size: int | None = None
    unshown: Unshown = ""
    hunks: list[list[Line]] = field(default_factory=list)


class Contents(Protocol):
    """The files of a package by path, with size and checksum, and their bytes."""

    files: dict[str, tuple[int, int]]

    def blocks(self, path: str) -> Iterator[bytes]: ...


class _Zip:
    def __init__(self, opened: zipfile.ZipFile, members: list[Member]) -> None:
        self._opened = opened
        self._members = {each.entry.path: each for each in members if not each.entry.is_dir}
        self.files = {
            path: (member.info.file_size, member.info.CRC) for path, member in self._members.items()
        }

    def blocks(self, path: str) -> Iterator[bytes]:
        with archive.content(self._opened, self._members[path].info) as source:
            while block := source.read(CHUNK):
                yield block


class _Single:
    def __init__(self, source: IO[bytes], name: str) -> None:
        self._source = source
        # Without a checksum: the bytes decide.
        self.files = {name: (source.seek(0, 2), 0)}

    def blocks(self, path: str) -> Iterator[bytes]:
        self._source.seek(0)
        while block := self._source.read(CHUNK):
            yield block


@contextmanager
def contents(source: IO[bytes], kind: str, file_name: str) -> Iterator[Contents]:
    """The files of the package in `source`; raises PackageError when it is not whole."""
    if kind != "zip":
        yield _Single(source, file_name)
        return
    limits = PackageLimits()
    with archive.opened(source, limits) as opened:
        yield _Zip(opened, archive.read_members(opened, limits))


def compare(old: Contents, new: Contents) -> list[Change]:
    """What leads from `old` to `new`, by path. Raises PackageError for a damaged archive."""
    found: list[Change] = []
    hashed, differences = HASHED_BYTES, ALL_DIFFERENCES
    for path in sorted(old.files.keys() | new.files.keys()):
        before, after = old.files.get(path), new.files.get(path)
        if before is None or after is None:
            sizes = (before[0] if before else None, after[0] if after else None)
            found.append(Change(path, "added" if before is None else "removed", *sizes))
            continue
        if before == after:
            if before[0] > hashed:
                continue
            # A checksum of 32 bits is easily forged.
            hashed -= before[0]
            if _digest(old, path) == _digest(new, path):
                continue
        change, used = _changed(path, old, new, min(FILE_DIFFERENCES, differences))
        differences -= used
        found.append(change)
    return found


def _digest(package: Contents, path: str) -> bytes:
    digest = hashlib.sha256()
    for block in package.blocks(path):
        digest.update(block)
    return digest.digest()


def _changed(path: str, old: Contents, new: Contents, most: int) -> tuple[Change, int]:
    """The change of a file, and how many differing lines it has."""
    sizes = old.files[path][0], new.files[path][0]
    if max(sizes) > TEXT_BYTES:
        return Change(path, "changed", *sizes, unshown="large"), 0
    before, after = _lines(old, path), _lines(new, path)
    if before is None or after is None:
        return Change(path, "changed", *sizes, unshown="binary"), 0
    if max(len(before), len(after)) > TEXT_LINES:
        return Change(path, "changed", *sizes, unshown="large"), 0
    lines = line_diff(before, after, most)
    if lines is None:
        return Change(path, "changed", *sizes, unshown="different"), most
    differing = sum(line.sign != " " for line in lines)
    return Change(path, "changed", *sizes, hunks=hunks(lines)), differing


def _lines(package: Contents, path: str) -> list[str] | None:
    """The lines of a text; None when it is none, or larger than its entry tells."""
    data = b""
    for block in package.blocks(path):
        data += block
        if len(data) > TEXT_BYTES:
            return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return None
