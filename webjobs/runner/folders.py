"""Where the files of a WebJob are on one instance.

home/{app}/{slot}/site/wwwroot/App_Data/jobs/{type}/{job}    the package's files
home/{app}/{slot}/data/jobs/{type}/{job}                     the job's own data, kept
temp/{app}/{slot}/jobs/{type}/{job}/{random}                 the working copy
temp/{app}/{slot}/JobsShutdown/{type}/{job}/{random}         exists once the job shall stop
temp/{app}/{slot}/tmp/{type}/{job}                           the job's temporary files
temp/{app}/{slot}/unpack/{type}/{job}/{random}               a package on its way in or out
packages/{app}/{slot}/{type}/{job}                           which package the site holds
gone/{app}/{slot}/{type}/{job}                               its age: since when the job is missed
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from webjobs.states import JobType

# What no execution needs once its worker is gone.
SCRAP = ("JobsShutdown", "tmp", "unpack")
_PLACES = (
    "home/*/*/site/wwwroot/App_Data/jobs/*/*",
    "home/*/*/data/jobs/*/*",
    "temp/*/*/*/*/*",
    "packages/*/*/*/*",
)
_TYPES = frozenset(JobType)
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class JobKey:
    """Which job; every part is a plain file name."""

    app: str
    slot: str
    job_type: JobType
    job: str


def keys_in(root: Path) -> set[JobKey]:
    """All jobs that have files below `root`."""
    found = set()
    for pattern in _PLACES:
        for path in root.glob(pattern):
            app, slot = path.relative_to(root).parts[1:3]
            if path.parent.name in _TYPES and _SAFE_NAME.fullmatch(path.name):
                found.add(JobKey(app, slot, JobType(path.parent.name), path.name))
    return found


@dataclass(frozen=True)
class Folders:
    """The folders of one job below `root`. Raises ValueError for names that are not plain."""

    root: Path
    key: JobKey

    def __post_init__(self) -> None:
        for name in (self.key.app, self.key.slot, self.key.job):
            if not _SAFE_NAME.fullmatch(name):
                raise ValueError(f"not a plain name: {name!r}")

    @cached_property
    def home(self) -> Path:
        """HOME of all jobs of the slot."""
        return self.root / "home" / self.key.app / self.key.slot

    @cached_property
    def site(self) -> Path:
        """The package's files, where Azure has them."""
        return self.home.joinpath("site", "wwwroot", "App_Data", "jobs", *self._job)

    @cached_property
    def data(self) -> Path:
        """WEBJOBS_DATA_PATH: kept over runs and packages."""
        return self.home.joinpath("data", "jobs", *self._job)

    @cached_property
    def marker(self) -> Path:
        """The file that holds the SHA-256 of the package in the site folder."""
        return self.root.joinpath("packages", self.key.app, self.key.slot, *self._job)

    @cached_property
    def gone(self) -> Path:
        """The file that was made when the job was missed first."""
        return self.root.joinpath("gone", self.key.app, self.key.slot, *self._job)

    @cached_property
    def copies(self) -> Path:
        return self._temporary("jobs")

    @cached_property
    def shutdown(self) -> Path:
        return self._temporary("JobsShutdown")

    @cached_property
    def temp(self) -> Path:
        return self._temporary("tmp")

    @cached_property
    def unpack(self) -> Path:
        return self._temporary("unpack")

    @property
    def all(self) -> tuple[Path, ...]:
        """Every folder, and so every file but the marker."""
        return self.site, self.data, self.copies, self.shutdown, self.temp, self.unpack

    @property
    def _job(self) -> tuple[str, str]:
        return self.key.job_type.value, self.key.job

    def _temporary(self, what: str) -> Path:
        return self.root.joinpath("temp", self.key.app, self.key.slot, what, *self._job)
