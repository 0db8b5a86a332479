"""Which file of a package is started: the script directory and the choice inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

# Azure's order of script hosts; `.jar` is ours, last.
RUNNABLE = (".cmd", ".bat", ".exe", ".ps1", ".sh", ".py", ".php", ".js", ".jar")
# Beside a single inner folder these do not count, or an outer settings.job would hide the job.
_STATE_FILES = ("settings.job", "disable.job")


@dataclass(frozen=True)
class EntryPoint:
    """`folder` is the script directory inside the package ("" for its root); `candidates` are
    the runnable files there, best first, as paths inside the package.
    """

    folder: str
    candidates: tuple[str, ...]


def find(files: Iterable[str], extensions: Sequence[str] = RUNNABLE) -> EntryPoint:
    """The entry point among `files`, paths inside a package.

    A folder that holds nothing but one folder is stepped into. `run.*` comes first, in the
    order of `extensions`, then all other files by extension and name; case does not matter.
    """
    paths = [PurePosixPath(file) for file in files]
    folder = script_folder(paths)
    order = {extension: rank for rank, extension in enumerate(extensions)}
    runnable = [p for p in paths if p.parent == folder and p.suffix.lower() in order]
    runnable.sort(
        key=lambda p: (
            p.stem.lower() != "run",
            order[p.suffix.lower()],
            p.name.casefold(),
        )
    )
    name = "" if folder == PurePosixPath() else str(folder)
    return EntryPoint(name, tuple(str(path) for path in runnable))


def script_folder(paths: Sequence[PurePosixPath]) -> PurePosixPath:
    """The innermost folder reached by stepping into folders that are alone in theirs."""
    folder = PurePosixPath()
    while True:
        depth = len(folder.parts)
        names = {path.parts[depth] for path in paths if path.is_relative_to(folder)}
        has_files = any(
            len(path.parts) == depth + 1 and path.name.casefold() not in _STATE_FILES
            for path in paths
            if path.is_relative_to(folder)
        )
        inner = [name for name in names if name.casefold() not in _STATE_FILES]
        if has_files or len(inner) != 1:
            return folder
        folder = folder / inner[0]
