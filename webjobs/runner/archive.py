"""Reading a zip that a stranger made: which entries it has, and whether they are safe to unpack.

Nothing here writes a file. Memory stays small: one header list of a bounded size, and 64 KiB
of content at a time.
"""

from __future__ import annotations

import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from webjobs.reasons import gettext_noop
from webjobs.runner import names
from webjobs.runner.refusal import PackageError, PackageLimits, shown

CHUNK = 64 * 1024
# Room per entry in the table of contents. A real table stays far below it; a larger one only
# serves to fill our memory.
_TABLE_BYTES_PER_ENTRY = 512
_TABLE_BYTES_FREE = 64 * 1024
_END_RECORD = struct.Struct("<4s4H2LH")
_END_RECORD_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64_BYTES = 20
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000

EMPTY_FILE = gettext_noop("The uploaded file is empty. Choose another file.")
_CORRUPT_TABLE = gettext_noop(
    "The zip file is damaged. Its table of contents cannot be trusted. Make the zip again, then "
    "upload it again."
)
_CORRUPT_ENTRY = gettext_noop(
    'The zip file is damaged. The entry "%(entry)s" cannot be read. Make the zip again, then '
    "upload it again."
)


@dataclass(frozen=True)
class Entry:
    """One file or folder of a package; `path` is relative, with `/`, and safe to join."""

    path: str
    size: int
    is_dir: bool
    executable: bool
    modified: float  # Seconds since the epoch.


@dataclass(frozen=True)
class Member:
    """An entry together with the header that finds its content in the zip."""

    info: zipfile.ZipInfo
    entry: Entry


@contextmanager
def opened(source: IO[bytes], limits: PackageLimits) -> Iterator[zipfile.ZipFile]:
    """The zip in `source`, after a look at the size of its table of contents.

    Raises PackageError when it is not a whole zip.
    """
    _check_table(source, limits)
    source.seek(0)
    try:
        archive = zipfile.ZipFile(source)
    except UnicodeDecodeError as error:
        name = shown(bytes(error.object).decode("latin-1"))
        raise PackageError(
            "bad_name",
            gettext_noop(
                'The name of the entry "%(entry)s" is marked as UTF-8 but is not valid UTF-8. '
                "Rename the file, or make the zip with another program."
            ),
            entry=name,
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError) as error:
        raise PackageError("corrupt", _CORRUPT_TABLE) from error
    with archive:
        yield archive


def _check_table(source: IO[bytes], limits: PackageLimits) -> None:
    count, size = _end_record(source)
    if count == 0:
        raise PackageError(
            "empty_zip",
            gettext_noop("The zip file is empty. Put the script and its files into it."),
        )
    if count > limits.entries:
        raise PackageError(
            "too_many_entries",
            gettext_noop(
                "The zip file has %(count)s entries; at most %(most)s are allowed. Leave out what "
                "the job does not need."
            ),
            count=f"{count:,}",
            most=f"{limits.entries:,}",
        )
    if size > count * _TABLE_BYTES_PER_ENTRY + _TABLE_BYTES_FREE:
        raise PackageError("corrupt", _CORRUPT_TABLE)


def _end_record(source: IO[bytes]) -> tuple[int, int]:
    """Number of entries and bytes of the table of contents, as the end of the file tells them."""
    end = source.seek(0, 2)
    if end == 0:
        raise PackageError("empty_file", EMPTY_FILE)
    source.seek(0)
    begins_like_zip = source.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    tail_start = max(0, end - 65_535 - _END_RECORD.size)
    source.seek(tail_start)
    tail = source.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_RECORD.size:
        if begins_like_zip:
            raise PackageError(
                "truncated",
                gettext_noop(
                    "The zip file is cut off: its end is missing. Upload it again; if that does "
                    "not help, make the zip again."
                ),
            )
        raise PackageError(
            "not_a_zip",
            gettext_noop(
                "The file is not a zip file, whatever its name says. Zip the folder of the job "
                "and upload that."
            ),
        )
    _, _, _, _, count, size, _, _ = _END_RECORD.unpack_from(tail, at)
    record_64 = at - _LOCATOR_64_BYTES - _END_RECORD_64.size
    if record_64 >= 0 and tail.startswith(b"PK\x06\x06", record_64):
        fields = _END_RECORD_64.unpack_from(tail, record_64)
        count, size = fields[7], fields[8]
    return count, size


def read_members(archive: zipfile.ZipFile, limits: PackageLimits) -> list[Member]:
    """All entries that would be unpacked, each checked by name and kind; the junk that macOS
    adds is left out. Raises PackageError for the first one that is not safe.
    """
    infos = archive.infolist()
    if len(infos) > limits.entries:
        raise PackageError("corrupt", _CORRUPT_TABLE)
    members = []
    for info in infos:
        name = names.decoded(info)
        path = names.safe_path(name)
        _check_kind(info, name)
        if path and not names.is_junk(path):
            members.append(Member(info, _entry(info, name, path)))
    names.check_clashes((member.entry.path, member.entry.is_dir) for member in members)
    return members


def _check_kind(info: zipfile.ZipInfo, name: str) -> None:
    entry = shown(name)
    if info.header_offset < 0:
        raise PackageError("corrupt", _CORRUPT_ENTRY, entry=entry)
    if info.flag_bits & _ENCRYPTED_FLAGS:
        raise PackageError(
            "encrypted",
            gettext_noop('The entry "%(entry)s" is encrypted. Make the zip without a password.'),
            entry=entry,
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PackageError(
            "compression",
            gettext_noop(
                'The entry "%(entry)s" is compressed with a method that is not supported. Make '
                "the zip with the usual method, Deflate."
            ),
            entry=entry,
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise PackageError(
            "link",
            gettext_noop(
                'The entry "%(entry)s" is a symbolic link. Put the file itself into the zip.'
            ),
            entry=entry,
        )
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise PackageError(
            "special_file",
            gettext_noop(
                'The entry "%(entry)s" is a device, pipe or socket. A package holds only files '
                "and folders: leave it out."
            ),
            entry=entry,
        )


def _entry(info: zipfile.ZipInfo, name: str, path: str) -> Entry:
    mode = info.external_attr >> 16
    return Entry(
        path=path,
        size=info.file_size,
        is_dir=name.endswith(("/", "\\")) or stat.S_ISDIR(mode),
        executable=bool(mode & 0o111),
        modified=_modified(info),
    )


def _modified(info: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


@contextmanager
def content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """The unpacked bytes of an entry; damage that is met while reading raises PackageError."""
    try:
        with archive.open(info) as source:
            yield source
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        entry = shown(info.orig_filename)
        raise PackageError("corrupt", _CORRUPT_ENTRY, entry=entry) from error


def verify(archive: zipfile.ZipFile, limits: PackageLimits) -> None:
    """Unpack every entry to nowhere: checksums, and what really comes out against the limits."""
    total = 0
    for info in archive.infolist():
        size = 0
        with content(archive, info) as source:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                total += len(chunk)
                _check_bomb(info, size, total, limits)
        if size != info.file_size:
            raise PackageError("corrupt", _CORRUPT_ENTRY, entry=shown(info.orig_filename))


def _check_bomb(info: zipfile.ZipInfo, size: int, total: int, limits: PackageLimits) -> None:
    if total > limits.total:
        raise PackageError(
            "too_big",
            gettext_noop(
                "The zip file unpacks to more than %(most)s MiB. Leave out what the job does not "
                "need."
            ),
            most=f"{limits.total // 1024**2:,}",
        )
    if size > limits.ratio_from and size > limits.ratio * max(1, info.compress_size):
        raise PackageError(
            "ratio",
            gettext_noop(
                'The entry "%(entry)s" unpacks to more than %(ratio)d times its packed size, as '
                "only an attack does. Leave the file out, or store it uncompressed."
            ),
            entry=shown(info.orig_filename),
            ratio=limits.ratio,
        )
