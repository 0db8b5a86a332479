"""One WebJob of a commit: from its folder, or from a package of before, to what serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from webjobs import dispatch, packages
from webjobs.dispatch import Actor, NewWebJob
from webjobs.models import Deployment, Package, Slot, WebJob
from webjobs.models.app import validate_name
from webjobs.models.webjob import NAME_MAX_LENGTH
from webjobs.reasons import Param, Reason, gettext_noop
from webjobs.runner import job_folders
from webjobs.runner.git import Git
from webjobs.runner.job_folders import JobFolder
from webjobs.runner.refusal import PackageError, PackageLimits, shown
from webjobs.states import JobType, Outcome

BAD_NAME = gettext_noop(
    "The folder's name cannot be the name of a WebJob. It must start with a letter or a number "
    'and must not contain special characters other than "-" and "_".'
)
NAME_TOO_LONG = gettext_noop("The folder's name has more than %(most)d characters.")
NO_LONGER = gettext_noop("It is no longer in the repository. It stays until somebody deletes it.")


@dataclass(frozen=True)
class Prepared:
    """A WebJob whose files were found good; nothing has changed yet."""

    type: JobType
    name: str
    upload: packages.Upload


@dataclass(frozen=True)
class Result:
    """What became of one WebJob; `text` with `params` says why, when there is a why."""

    type: str
    name: str
    outcome: Outcome
    text: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    package: int | None = None

    @classmethod
    def refused(cls, type: str, name: str, error: Reason) -> Result:
        """The reason as it can be stored and still be translated."""
        text, params = error.text, error.params
        if any(not isinstance(value, str | int) for value in params.values()):
            text, params = error.message.replace("%", "%%"), _ALREADY_FILLED
        return cls(type, shown(name), Outcome.REFUSED, text, dict(params))

    @property
    def words(self) -> str:
        return self.text % self.params if self.params else self.text

    @property
    def line(self) -> str:
        """`triggered/nightly: replaced`."""
        return f"{self.type}/{self.name}: {self.outcome}" + (f". {self.words}" if self.text else "")

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "name": self.name,
            "outcome": str(self.outcome),
            "text": self.text,
            "params": self.params,
            "package": self.package,
        }


_ALREADY_FILLED: dict[str, Param] = {"": ""}


def prepare(git: Git, job: JobFolder, target: Path) -> Prepared:
    """The package of a folder, in the new folder `target`. Raises PackageError, GitError."""
    try:
        validate_name(job.name)
    except ValidationError as error:
        raise PackageError("bad_name", BAD_NAME) from error
    if len(job.name) > NAME_MAX_LENGTH:
        raise PackageError("bad_name", NAME_TOO_LONG, most=NAME_MAX_LENGTH)
    job_folders.check(job, PackageLimits())
    target.mkdir()
    path = job_folders.pack(git, job, target)
    return Prepared(job.type, job.name, packages.check_upload(path, f"{job.name}.zip", "zip"))


def again(result: dict[str, Any], target: Path) -> Prepared:
    """What an earlier deployment brought. Raises PackageUnavailable, PackageError."""
    package = Package.objects.get(pk=result["package"])
    path = packages.local_path(package, target)
    upload = packages.check_upload(path, package.file_name)
    return Prepared(JobType(result["type"]), result["name"], upload)


def serve(slot: Slot, wanted: Prepared, actor: Actor) -> Result:
    """Let the WebJob have its files, unless it has them. Raises Refused."""
    job = find(slot, wanted.type, wanted.name)
    outcome = Outcome.UNCHANGED
    if job is None:
        new = NewWebJob(name=wanted.name, type=wanted.type, upload=wanted.upload)
        job, outcome = dispatch.add_webjob(slot, new, actor), Outcome.ADDED
    elif job.package.sha256 != wanted.upload.checked.sha256:
        dispatch.replace_package(job, wanted.upload, actor)
        outcome = Outcome.REPLACED
    return Result(wanted.type, job.name, outcome, package=job.package_id)


def find(slot: Slot, type: str, name: str) -> WebJob | None:
    """The living WebJob of this name in any case."""
    jobs = WebJob.objects.living().filter(slot=slot, type=type, name__iexact=name)
    return jobs.select_related("package", "slot__app").first()


def gone(deployment: Deployment, present: list[Result]) -> list[Result]:
    """WebJobs that came from the repository, live, and are not in what was deployed now."""
    before = (
        Deployment.objects.filter(slot=deployment.slot_id, pk__lt=deployment.pk)
        .exclude(results=[])
        .first()
    )
    if before is None:
        return []
    known = {(result.type, result.name.lower()) for result in present}
    found = []
    for one in before.results:
        key = (one["type"], one["name"].lower())
        job = find(deployment.slot, one["type"], one["name"]) if key not in known else None
        if job is not None:
            found.append(Result(one["type"], job.name, Outcome.GONE, NO_LONGER))
    return found
