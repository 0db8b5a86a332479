"""Logs to write to, and their rows' owners."""

from __future__ import annotations

from django.utils import timezone

from webjobs.logs import log_of_run
from webjobs.models import App, Log, Package, Run, Slot, WebJob
from webjobs.states import JobType, Trigger

INSTANCE_KEY = "327e1e4bd8c90a55"


def new_package(number: int) -> Package:
    return Package.objects.create(
        sha256=f"{number:064x}", size=1, kind="file", file_name="run.sh", script="run.sh"
    )


def new_run() -> Run:
    """A queued run of a WebJob that has nothing else."""
    number = App.objects.count()
    slot = Slot.objects.create(app=App.objects.create(name=f"shop{number}"))
    package = new_package(number)
    job = WebJob.objects.create(
        slot=slot, name="report", type=JobType.TRIGGERED, package=package, script="run.sh"
    )
    return Run.objects.create(
        job=job, number=number, trigger=Trigger.MANUAL, queued_at=timezone.now()
    )


def new_log() -> Log:
    """The empty log of a new run."""
    return log_of_run(new_run(), INSTANCE_KEY)
