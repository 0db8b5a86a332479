"""A workspace of job folders, and packages for it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.support import zips
from webjobs.runner.package import check
from webjobs.runner.settings_job import Json
from webjobs.runner.workdir import JobFiles, JobKey, WorkingCopy, Workspace
from webjobs.states import JobType

KEY = JobKey("shop", "production", JobType.TRIGGERED, "nightly")


SCRIPT = "#!/bin/sh\necho hello\n"


@dataclass
class Desk:
    """A workspace and packages for it."""

    folder: Path
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.folder / "root")

    def files(
        self,
        contents: dict[str, str | bytes] | None = None,
        *,
        key: JobKey = KEY,
        in_place: bool = False,
        settings: dict[str, Json] | None = None,
    ) -> JobFiles:
        path = zips.write(
            self.folder / "upload.zip", contents or {"run.sh": SCRIPT, "data.txt": "one"}
        )
        package = check(path, "upload.zip")
        data = path.read_bytes()

        def open_package() -> IO[bytes]:
            self.opened.append(package.sha256)
            return io.BytesIO(data)

        return JobFiles(
            key=key,
            sha256=package.sha256,
            kind=package.kind,
            file_name=package.file_name,
            script=package.script,
            settings=settings or {},
            in_place=in_place,
            open_package=open_package,
        )

    def run(self, files: JobFiles) -> WorkingCopy:
        """One execution that does nothing."""
        copy = self.workspace.prepare(files)
        self.workspace.release(copy)
        return copy
