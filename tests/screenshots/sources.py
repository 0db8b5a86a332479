"""The part of the sample with deployment slots, and WebJobs that come from a repository."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.web.objects import make_job, make_setting, make_slot
from webjobs.deploying.applying import NO_LONGER, Result
from webjobs.models import Deployment, Slot, SourceConnection, Swap
from webjobs.states import DeploymentStatus, DeploymentTrigger, JobType, Outcome, SwapState

SWAPPING, DEPLOYING = "contoso-checkout", "contoso-catalogue"
REPOSITORY = "https://git.example.org/contoso/newsletter.git"


def build_staging(app: str) -> None:
    """A slot beside production, with what a swap would exchange and what would stay."""
    staging = make_slot(app, "staging")
    make_job(staging, "nightly-report")
    make_job(staging, "invoice-mailer", JobType.CONTINUOUS, is_stopped=True)
    make_setting(staging, "ORDERS_API_URL", "https://staging.example.org/api")
    make_setting(staging, "SMTP_HOST", "smtp.staging.example.org", is_slot_setting=True)
    make_setting(staging, "WEBJOBS_STOPPED", "1", is_slot_setting=True)


def build_swapping() -> None:
    """Two slots in the midst of a swap, and one that ended before."""
    source, target = make_slot(SWAPPING, "staging"), make_slot(SWAPPING)
    for slot in (source, target):
        make_job(slot, "charge-cards")
        make_job(slot, "fraud-watch", JobType.CONTINUOUS)
        make_setting(slot, "BANK_URL", f"https://{slot.name}.bank.example.org")
    now = timezone.now()
    before, ended = now - timedelta(days=6), now - timedelta(days=6, seconds=-9)
    names = {"source_name": source.name, "target_name": target.name, "by_name": "ada"}
    Swap.objects.create(
        app=source.app, state=SwapState.SUCCEEDED, started_at=before, deadline=before,
        ended_at=ended, reason="2 WebJobs and 1 setting changed places.", **names,
    )  # fmt: skip
    swap = Swap.objects.create(
        app=source.app, source=source, target=target, started_at=now, deadline=now, **names
    )
    swap.begin_stopping(now + timedelta(minutes=2))


def build_deploying() -> None:
    """A slot that is being deployed, where the last deployment left a question behind."""
    slot = make_slot(DEPLOYING)
    SourceConnection.objects.create(slot=slot, url=REPOSITORY, branch="main", by_name="ada")
    make_job(slot, "import-articles")
    make_job(slot, "old-import")
    added = Result("triggered", "import-articles", Outcome.REPLACED)
    gone = Result("triggered", "old-import", Outcome.GONE, NO_LONGER)
    _deployment(slot, DeploymentStatus.SUCCESS, 5, "Import in one go", [added, gone])
    now = timezone.now()
    Deployment.objects.create(
        slot=slot, trigger=DeploymentTrigger.MANUAL, status=DeploymentStatus.DEPLOYING,
        repository=REPOSITORY, branch="main", commit="7ad41f9e" * 5, author="Ben Example",
        message="Name the articles that have no price", committed_at=now, requested_at=now,
        started_at=now, by_name="ada", log="Fetching main\nReading 2 WebJobs\n",
    )  # fmt: skip


def build_deployments(slot: Slot) -> None:
    """A connected slot with a deployment that went well and one that went half well."""
    SourceConnection.objects.create(
        slot=slot, url=REPOSITORY, branch="main", poll_minutes=15, by_name="ada"
    )
    added = Result("triggered", "send-newsletter", Outcome.REPLACED)
    refused = Result(
        "continuous",
        "bounce-reader",
        Outcome.REFUSED,
        "The folder has %(count)d files; at most %(most)d are allowed.",
        {"count": 12034, "most": 10000},
    )
    gone = Result("triggered", "old-import", Outcome.GONE, NO_LONGER)
    _deployment(slot, DeploymentStatus.SUCCESS, 26, "Send at seven, not at eight", [added])
    _deployment(slot, DeploymentStatus.PARTIAL, 2, "Read bounces", [added, refused, gone])


def _deployment(
    slot: Slot, status: DeploymentStatus, hours: int, message: str, results: list[Result]
) -> None:
    began = timezone.now() - timedelta(hours=hours)
    Deployment.objects.create(
        slot=slot,
        trigger=DeploymentTrigger.WEBHOOK,
        status=status,
        repository=REPOSITORY,
        branch="main",
        commit=f"{hours:02}c41f9e7b" * 4,
        author="Ada Example",
        message=message,
        committed_at=began,
        requested_at=began,
        started_at=began,
        ended_at=began + timedelta(seconds=3),
        by_name="webhook",
        results=[result.as_json() for result in results],
        log="Fetching main\n" + "".join(f"{result.line}\n" for result in results),
    )
