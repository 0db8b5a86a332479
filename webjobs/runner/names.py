"""The names of zip entries: what they mean, and which of them are safe to join to a folder."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Iterable, Iterator

from webjobs.reasons import gettext_noop
from webjobs.runner.refusal import PackageError, shown

MAX_COMPONENT_BYTES = 255  # What ext4, APFS and NTFS take as one file name.
MAX_PATH_BYTES = 1024
_UTF8_FLAG = 0x800


def decoded(info: zipfile.ZipInfo) -> str:
    """The name of an entry as its maker saw it."""
    name = info.orig_filename
    if info.flag_bits & _UTF8_FLAG:
        return name
    # Finder and some others write UTF-8 without saying so; text in code page 437 that happens
    # to be valid UTF-8 does not exist in practice.
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def safe_path(name: str) -> str:
    """The relative path for an entry's name; empty for the root folder itself."""
    entry = shown(name)
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        raise PackageError(
            "bad_name",
            gettext_noop(
                'The entry "%(entry)s" has a control character in its name. Rename the file.'
            ),
            entry=entry,
        )
    path = name.replace("\\", "/")
    if path.startswith("/") or (len(path) >= 2 and path[1] == ":" and path[0].isalpha()):
        raise PackageError(
            "unsafe_path",
            gettext_noop(
                'The entry "%(entry)s" has an absolute path. Zip the folder of the job with '
                "relative paths."
            ),
            entry=entry,
        )
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise PackageError(
            "unsafe_path",
            gettext_noop(
                'The entry "%(entry)s" leads out of the package with "..". Zip the folder of the '
                "job itself."
            ),
            entry=entry,
        )
    if len(path.encode()) > MAX_PATH_BYTES or any(
        len(part.encode()) > MAX_COMPONENT_BYTES for part in parts
    ):
        raise PackageError(
            "bad_name",
            gettext_noop('The entry "%(entry)s" has a name that is too long. Rename the file.'),
            entry=entry,
        )
    return "/".join(parts)


def base_name(file_name: str) -> str:
    """The name that an uploader gave, without the folders of the uploader's machine."""
    return file_name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def is_junk(path: str) -> bool:
    """Whether it is one of the files that macOS adds."""
    parts = path.split("/")
    return parts[0] == "__MACOSX" or parts[-1] == ".DS_Store"


def check_clashes(paths: Iterable[tuple[str, bool]]) -> None:
    """Refuse names that are one file on Windows and macOS, or a file and a folder at once.

    `paths` are safe paths, each with whether it is a folder.
    """
    known: dict[str, tuple[str, bool]] = {}
    for name, is_folder in paths:
        for path, is_dir in _with_parents(name, is_folder):
            key = _folded(path)
            if key not in known:
                known[key] = (path, is_dir)
            elif not is_dir or known[key] != (path, True):
                raise _clash(path, known[key][0])


def _with_parents(path: str, is_dir: bool) -> Iterator[tuple[str, bool]]:
    parts = path.split("/")
    for depth in range(1, len(parts)):
        yield "/".join(parts[:depth]), True
    yield path, is_dir


def _clash(path: str, other: str) -> PackageError:
    if path == other:
        return PackageError(
            "name_clash",
            gettext_noop(
                'The name "%(path)s" is in the zip file more than once. Rename or remove one of '
                "them."
            ),
            path=shown(path),
        )
    return PackageError(
        "name_clash",
        gettext_noop(
            'The names "%(other)s" and "%(path)s" differ only by case or accents. Rename or '
            "remove one of them."
        ),
        other=shown(other),
        path=shown(path),
    )


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
