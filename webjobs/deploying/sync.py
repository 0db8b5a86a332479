"""The work of a deployment: fetch, look for WebJobs, deploy each, tell what became of it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from webjobs.deploying import applying
from webjobs.deploying.applying import Result
from webjobs.deploying.asking import NOT_CONNECTED, request
from webjobs.deploying.reaching import remember_host, remote_of, repository
from webjobs.deployments import enqueue, trim
from webjobs.dispatch import Actor, Refused
from webjobs.models import Deployment, SourceConnection
from webjobs.packages import PackageUnavailable
from webjobs.reasons import Reason, gettext_noop
from webjobs.runner import job_folders
from webjobs.runner.git import Git
from webjobs.runner.job_folders import Commit
from webjobs.runner.refusal import PackageError
from webjobs.states import DeploymentStatus, DeploymentTrigger, JobType, Outcome

logger = logging.getLogger(__name__)

NO_JOBS = gettext_noop(
    "The commit has no WebJob. Put each into App_Data/jobs/triggered/NAME/ or "
    "App_Data/jobs/continuous/NAME/."
)
BROKEN = gettext_noop("The portal could not deploy this. It has been written to its own log.")
SLOT_GOES = gettext_noop("The slot is being deleted.")
# Of the log of one deployment, in characters.
MOST_LOG = 60_000
PORTAL_ITSELF = "Source control"


class Lost(Exception):
    """Somebody else has taken the deployment over; nothing more of it is ours."""


class Progress:
    """What a deployment has done so far; every step of it proves that it is still ours."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.results: list[Result] = []
        self._log = deployment.log

    def tick(self) -> None:
        """Keep the deployment; raises Lost."""
        self._renew()

    def say(self, text: str, **facts: Any) -> None:
        """One more line of the log."""
        line = f"{timezone.now():%H:%M:%S} {text}\n"
        if len(self._log) + len(line) <= MOST_LOG:
            self._log += line
        self._renew(log=self._log, **facts)

    def add(self, result: Result) -> None:
        self.results.append(result)
        self.say(result.line, results=[one.as_json() for one in self.results])

    def _renew(self, **facts: Any) -> None:
        if not self.deployment.renew(timezone.now(), **facts):
            raise Lost

    def finish(self, error: Reason | None = None) -> None:
        """Succeeded, partly, or failed for the reason in `error`."""
        status = DeploymentStatus.FAILED
        if error is None:
            is_whole = all(one.outcome != Outcome.REFUSED for one in self.results)
            is_none = all(one.outcome in (Outcome.REFUSED, Outcome.GONE) for one in self.results)
            if is_whole:
                status = DeploymentStatus.SUCCESS
            elif not is_none:
                status = DeploymentStatus.PARTIAL
        else:
            self.say(error.message)
        text = error.message if error else ""
        self.say(f"Deployment ended: {status}.")
        self.deployment.finish(status, timezone.now(), text)


def deploy(pk: int) -> None:
    """Carry out a deployment that waits, unless somebody else does; then hint to the next one."""
    found = Deployment.objects.select_related("slot__app", "created_by").filter(pk=pk)
    deployment = found.defer("slot__publishing_password").first()
    if deployment is None or not deployment.claim(timezone.now()):
        return
    progress = Progress(deployment)
    try:
        progress.finish(_carried_out(progress))
    except Lost:
        logger.warning("Deployment %s was taken over by another worker", pk)
    trim(deployment.slot_id)
    following = Deployment.objects.filter(
        slot=deployment.slot_id, status=DeploymentStatus.PENDING
    ).order_by("pk")
    for waiting in following.values_list("pk", flat=True)[:1]:
        enqueue(waiting)


def _carried_out(progress: Progress) -> Reason | None:
    """Why it failed as a whole; None when it did not."""
    deployment = progress.deployment
    try:
        if deployment.slot.deleted_at is not None:
            raise Refused("gone", SLOT_GOES)
        if deployment.trigger == DeploymentTrigger.REDEPLOY:
            _redeploy(progress)
        else:
            _sync(progress)
    except Reason as error:
        return error
    except (Lost, SystemExit, KeyboardInterrupt):
        raise
    except Exception:
        logger.exception("Deployment %s failed", deployment.pk)
        return Reason("broken", BROKEN)
    return None


def _actor(deployment: Deployment) -> Actor:
    return Actor(user=deployment.created_by, name=deployment.by_name)


def _sync(progress: Progress) -> None:
    connected = SourceConnection.objects.filter(slot=progress.deployment.slot_id)
    source = connected.defer("secret", "webhook_secret").first()
    if source is None:
        raise Refused("not-connected", NOT_CONNECTED)
    try:
        with repository(progress.tick) as git:
            progress.say(f"Fetching {source.branch} of {source.url}.")
            name = git.fetch(remote_of(source))
            remember_host(source, git.known_hosts)
            source.note(timezone.now(), "", commit=name)
            deploy_commit(progress, git, name)
    except Reason as error:
        source.note(timezone.now(), error.message)
        raise


def deploy_commit(progress: Progress, git: Git, name: str) -> None:
    """Deploy each WebJob of a commit that `git` has; one that is refused leaves the others."""
    note_commit(progress, job_folders.commit_of(git, name))
    folders = job_folders.find(job_folders.files_of(git, name))
    with folder() as temporary:
        for index, one in enumerate(folders):
            target = Path(temporary) / str(index)
            try:
                prepared = applying.prepare(git, one, target)
                progress.tick()
                result = applying.serve(
                    progress.deployment.slot, prepared, _actor(progress.deployment)
                )
            except (PackageError, Refused) as error:
                result = Result.refused(one.type, one.name, error)
            progress.add(result)
    add_gone(progress)
    if not folders:
        raise Reason("no-jobs", NO_JOBS)


def note_commit(progress: Progress, commit: Commit) -> None:
    """Write down whose commit it is."""
    progress.say(
        f"Commit {commit.name[:10]} by {commit.author}.",
        commit=commit.name,
        author=commit.author,
        message=commit.message,
        committed_at=commit.at,
    )


def folder() -> tempfile.TemporaryDirectory[str]:
    """Where packages are made."""
    return tempfile.TemporaryDirectory(prefix="git-", dir=settings.FILE_UPLOAD_TEMP_DIR)


def add_gone(progress: Progress) -> None:
    """Tell which WebJobs of before are not in what was deployed now."""
    for result in applying.gone(progress.deployment, progress.results):
        progress.add(result)


def _redeploy(progress: Progress) -> None:
    """The packages of an earlier deployment serve again."""
    deployment = progress.deployment
    if deployment.again is None:
        raise Refused("forgotten", gettext_noop("The earlier deployment has been forgotten."))
    progress.say(f"Deploying commit {deployment.short_commit} again.")
    with folder() as temporary:
        for one in _with_package(deployment.again):
            try:
                prepared = applying.again(one, Path(temporary))
                result = applying.serve(deployment.slot, prepared, _actor(deployment))
            except PackageUnavailable as unavailable:
                error = Refused("storage", "%(error)s", error=unavailable)
                result = Result.refused(one["type"], one["name"], error)
            except (PackageError, Refused) as refused:
                result = Result.refused(one["type"], one["name"], refused)
            progress.add(result)
    add_gone(progress)


def _with_package(deployment: Deployment) -> Iterator[dict[str, Any]]:
    for one in deployment.results:
        if one.get("package") and one["type"] in set(JobType):
            yield one


def look(pk: int) -> None:
    """Ask the repository for its newest commit, if that is due, and deploy one that is new."""
    now = timezone.now()
    due = SourceConnection.objects.select_related("slot__app").filter(pk=pk)
    source = due.defer("secret", "webhook_secret", "slot__publishing_password").first()
    if source is None or not source.claim_poll(now):
        return
    try:
        with repository() as git:
            newest = git.newest(remote_of(source))
            remember_host(source, git.known_hosts)
    except Reason as error:
        source.note(timezone.now(), error.message)
        return
    source.note(timezone.now(), "")
    if newest != source.commit:
        request(source, DeploymentTrigger.POLL, Actor(user=None, name=PORTAL_ITSELF))
