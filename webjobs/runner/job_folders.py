"""The WebJobs in a commit: which folders they are, and each as a zip.

Everything about a file, its name included, was chosen by whoever made the commit.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from webjobs.reasons import gettext_noop
from webjobs.runner import names
from webjobs.runner.entry_point import RUNNABLE
from webjobs.runner.git import Git
from webjobs.runner.git_errors import GitError
from webjobs.runner.refusal import PackageError, PackageLimits, shown
from webjobs.states import JobType

MIB = 1024**2
# Of the list of all files in a commit.
MOST_LISTED = 64 * MIB
MOST_JOBS = 500
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # A zip knows no earlier time.
_LINK, _SUBMODULE = "120000", "160000"
_FILES = frozenset({"100644", "100755", "100664"})
_JOB = re.compile(
    r"App_Data/jobs/(?P<type>continuous|triggered)/(?P<name>[^/]+)(?:/(?P<rest>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_LARGE_FILE_STORAGE = b"version https://git-lfs.github.com/spec/"

TOO_MANY_JOBS = gettext_noop(
    "The commit has %(count)d WebJobs; at most %(most)d are deployed from one repository."
)


@dataclass(frozen=True)
class Commit:
    """Who made it, when and why."""

    name: str
    author: str
    message: str
    at: datetime | None


@dataclass(frozen=True)
class TreeFile:
    """A file of a commit: git's mode, the name of its content, and its size in bytes."""

    mode: str
    content: str
    size: int
    path: str


@dataclass
class JobFolder:
    """One WebJob; `files` have paths inside it. `places` has several when names differ by case."""

    type: JobType
    name: str
    places: set[str] = field(default_factory=set)
    files: list[TreeFile] = field(default_factory=list)


def commit_of(git: Git, name: str) -> Commit:
    """The commit called `name`, which is hexadecimal."""
    out = git.run("show", "-s", "--no-show-signature", "--format=%an%x00%at%x00%B", name)
    author, _, rest = out.decode("utf-8", "replace").partition("\0")
    seconds, _, message = rest.partition("\0")
    try:
        at = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        at = None
    return Commit(name, _text(author, 200), _text(message, 4000), at)


def _text(value: str, most: int) -> str:
    """What a database takes and a page can show."""
    return "".join(c for c in value.strip() if c.isprintable() or c in "\n\t")[:most]


def files_of(git: Git, commit: str) -> list[TreeFile]:
    """All files of a commit; nothing of their content is read. Raises GitError."""
    out = git.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit, most=MOST_LISTED)
    return list(_listed(out))


def _listed(out: bytes) -> Iterator[TreeFile]:
    for line in out.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            mode, _, content, size = head.decode().split()
            text = path.decode("utf-8", "surrogateescape")
            yield TreeFile(mode, content, int(size) if size.isdecimal() else 0, text)


def find(files: Iterable[TreeFile]) -> list[JobFolder]:
    """The folders of WebJobs among `files`, by type and name. Raises GitError for too many."""
    found: dict[tuple[str, str], JobFolder] = {}
    for file in files:
        match = _JOB.fullmatch(file.path)
        # A file beside the folders, such as a README, is no WebJob; a link there would be one.
        if match is None or (match["rest"] is None and file.mode in _FILES):
            continue
        key = match["type"].lower(), match["name"].casefold()
        job = found.setdefault(key, JobFolder(JobType(key[0]), match["name"]))
        job.places.add(file.path[: match.end("name")])
        rest = match["rest"] or match["name"]
        job.files.append(TreeFile(file.mode, file.content, file.size, rest))
    if len(found) > MOST_JOBS:
        raise GitError("too_many", TOO_MANY_JOBS, count=len(found), most=MOST_JOBS)
    return [found[key] for key in sorted(found)]


def check(job: JobFolder, limits: PackageLimits) -> None:
    """Raises PackageError for a folder that no package can be made of, before it is read."""
    if len(job.places) > 1:
        first, second, *_ = sorted(job.places)
        text = gettext_noop(
            "The folders %(first)s and %(second)s differ only by case. Rename one of them."
        )
        raise PackageError("name_clash", text, first=shown(first), second=shown(second))
    for file in job.files:
        _check_kind(file)
        if names.safe_path(file.path) != file.path:
            text = gettext_noop('The file name "%(file)s" cannot be used. Rename it.')
            raise PackageError("bad_name", text, file=shown(file.path))
    if len(job.files) > limits.entries:
        text = gettext_noop("The folder has %(count)d files; at most %(most)d are allowed.")
        raise PackageError("too_many_entries", text, count=len(job.files), most=limits.entries)
    size = sum(file.size for file in job.files)
    if size > limits.total:
        text = gettext_noop("The files have %(size)d MiB together; at most %(most)d are allowed.")
        raise PackageError("too_large", text, size=size // MIB, most=limits.total // MIB)


def _check_kind(file: TreeFile) -> None:
    if file.mode in _FILES:
        return
    entry = shown(file.path)
    if file.mode == _LINK:
        text = gettext_noop(
            "%(entry)s is a symbolic link. Put the file itself into the repository."
        )
        raise PackageError("link", text, entry=entry)
    if file.mode == _SUBMODULE:
        text = gettext_noop(
            "%(entry)s is a submodule, which is not fetched. Put its files into the repository."
        )
        raise PackageError("submodule", text, entry=entry)
    text = gettext_noop("%(entry)s is of a kind that is not deployed.")
    raise PackageError("special_file", text, entry=entry)


def pack(git: Git, job: JobFolder, folder: Path) -> Path:
    """A zip of `job` in `folder`; the same files give the same bytes. PackageError, GitError."""
    files = sorted(job.files, key=lambda file: file.path)
    wanted, contents, target = folder / "wanted", folder / "contents", folder / "package.zip"
    wanted.write_text("".join(f"{file.content}\n" for file in files), encoding="ascii")
    git.run_to_file(contents, "cat-file", "--batch", data=wanted)
    with contents.open("rb") as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zip:
        for file in files:
            _copy(source, zip, file)
    contents.unlink()
    return target


def _copy(source: IO[bytes], zip: zipfile.ZipFile, file: TreeFile) -> None:
    content, kind, size = source.readline().decode().split()
    if (content, kind, int(size)) != (file.content, "blob", file.size):
        raise GitError("other", gettext_noop("git failed: %(what)s"), what=shown(file.path))
    info = zipfile.ZipInfo(file.path, _EARLIEST)
    info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
    is_program = file.mode == "100755" or PurePosixPath(file.path).suffix.lower() in RUNNABLE
    info.external_attr = (0o100755 if is_program else 0o100644) << 16
    left, is_first = file.size, True
    with zip.open(info, "w", force_zip64=file.size > 2**31) as copy:
        while left:
            block = source.read(min(left, 256 * 1024))
            if not block:
                raise GitError("other", gettext_noop("git failed: %(what)s"), what="cat-file")
            if is_first and block.startswith(_LARGE_FILE_STORAGE):
                raise _stored_elsewhere(file)
            copy.write(block)
            left, is_first = left - len(block), False
    source.read(1)


def _stored_elsewhere(file: TreeFile) -> PackageError:
    text = gettext_noop(
        "%(entry)s is kept in Git LFS, which is not fetched. Put the file itself into the "
        "repository."
    )
    return PackageError("large_file_storage", text, entry=shown(file.path))
