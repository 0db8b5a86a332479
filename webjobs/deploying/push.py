"""`git push` to an app: all WebJobs of the commit are deployed, or none."""

from __future__ import annotations

import logging
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone

from webjobs import packages
from webjobs.deploying import applying
from webjobs.deploying.applying import Prepared, Result
from webjobs.deploying.asking import is_connected
from webjobs.deploying.reaching import limits, repository
from webjobs.deploying.sync import BROKEN, NO_JOBS, Lost, Progress, add_gone, folder, note_commit
from webjobs.deployments import trim
from webjobs.dispatch import Actor, Refused, record
from webjobs.models import AppSetting, Deployment, Slot
from webjobs.models.source import LEASE
from webjobs.reasons import Reason, gettext_noop
from webjobs.runner import job_folders
from webjobs.runner.git import Git
from webjobs.runner.git_push import Push
from webjobs.runner.refusal import PackageError
from webjobs.states import DeploymentStatus, DeploymentTrigger

logger = logging.getLogger(__name__)

CONNECTED = gettext_noop(
    "A repository is connected to this app, so it takes no git push. Push to that repository, or "
    "disconnect it in the Deployment Center."
)
BUSY = gettext_noop("Another deployment is in progress. Push again in a moment.")
OTHER_BRANCH = gettext_noop(
    "The app setting DEPLOYMENT_BRANCH allows only %(branch)s. Push as HEAD:%(branch)s."
)
NONE_DEPLOYED = gettext_noop("%(count)d of the WebJobs cannot be deployed, so none was.")
BRANCH_SETTING = "DEPLOYMENT_BRANCH"


def require_open(slot: Slot) -> None:
    """Raises Refused where nothing can be pushed."""
    if is_connected(slot):
        raise Refused("source-control", CONNECTED)


def receive(slot: Slot, push: Push, body: Path, actor: Actor) -> tuple[list[str], str]:
    """Deploy what was pushed; the lines for the pusher, and why it was refused, or empty."""
    try:
        deployment = _begin(slot, push, actor)
    except Reason as error:
        return [], error.message
    progress = Progress(deployment)
    problem = _carried_out(progress, push, body, actor)
    if problem is None or problem.code != "lost":
        progress.finish(problem)
    trim(slot.pk)
    lines = [result.line for result in progress.results]
    lines.append(f"Deployment {deployment.pk}: {_end(deployment)}")
    return lines, problem.message if problem else ""


def _end(deployment: Deployment) -> str:
    return Deployment.objects.values_list("status", flat=True).get(pk=deployment.pk)


def _begin(slot: Slot, push: Push, actor: Actor) -> Deployment:
    """The row of this push, in progress from the start; raises Refused."""
    require_open(slot)
    setting = AppSetting.objects.filter(slot=slot, name__iexact=BRANCH_SETTING).first()
    if setting is not None and setting.value.strip() not in ("", push.branch):
        raise Refused("branch", OTHER_BRANCH, branch=setting.value.strip())
    now = timezone.now()
    try:
        with transaction.atomic():
            made = Deployment.objects.create(
                slot=slot,
                trigger=DeploymentTrigger.PUSH,
                status=DeploymentStatus.DEPLOYING,
                epoch=1,
                lease_until=now + LEASE,
                branch=push.branch[:200],
                commit=push.commit,
                requested_at=now,
                started_at=now,
                created_by=actor.user,
                by_name=actor.name[:150],
            )
            record(actor, "source.push", slot, push.commit, branch=push.branch[:200])
    except IntegrityError:
        raise Refused("busy", BUSY) from None
    return made


def _carried_out(progress: Progress, push: Push, body: Path, actor: Actor) -> Reason | None:
    try:
        with repository(progress.tick) as git:
            _unpack(git, push, body)
            _deploy(progress, git, push.commit, actor)
    except Reason as error:
        return error
    except Lost:
        return Reason("lost", gettext_noop("It took too long and was given up. Push again."))
    except Exception:
        logger.exception("Deployment %s failed", progress.deployment.pk)
        return Reason("broken", BROKEN)
    return None


def _unpack(git: Git, push: Push, body: Path) -> None:
    """Let the repository have the objects of the pack; nothing of them is run or written out."""
    git.feed(
        "index-pack", "--stdin", f"--max-input-size={limits().size}", data=body, offset=push.offset
    )
    if push.shallow:
        (git.path / "shallow").write_text("\n".join(push.shallow) + "\n", encoding="ascii")
    git.run("rev-parse", "--verify", "--quiet", f"{push.commit}^{{commit}}")


def _deploy(progress: Progress, git: Git, name: str, actor: Actor) -> None:
    """First everything is looked at and kept, then all of it serves in one transaction."""
    note_commit(progress, job_folders.commit_of(git, name))
    folders = job_folders.find(job_folders.files_of(git, name))
    if not folders:
        raise Reason("no-jobs", NO_JOBS)
    good: list[Prepared] = []
    with folder() as temporary:
        for index, one in enumerate(folders):
            try:
                good.append(applying.prepare(git, one, Path(temporary) / str(index)))
                progress.tick()
            except (PackageError, Refused) as error:
                progress.add(Result.refused(one.type, one.name, error))
        _require_none_refused(progress)
        _serve_all(progress, good, actor)
    add_gone(progress)


def _require_none_refused(progress: Progress) -> None:
    if progress.results:
        raise Refused("refused", NONE_DEPLOYED, count=len(progress.results))


def _serve_all(progress: Progress, good: list[Prepared], actor: Actor) -> None:
    for one in good:
        try:
            packages.keep(one.upload)
        except packages.NotKept as error:
            text = gettext_noop("The package storage does not take the file: %(error)s.")
            raise Refused("storage", text, error=str(error)) from error
    results: list[Result] = []
    try:
        with transaction.atomic():
            for one in good:
                results.append(applying.serve(progress.deployment.slot, one, actor))
    except Refused as error:
        # The first that is not among the results.
        failed = good[len(results)]
        progress.add(Result.refused(failed.type, failed.name, error))
        _require_none_refused(progress)
    for result in results:
        progress.add(result)
