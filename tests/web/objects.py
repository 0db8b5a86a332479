"""Small rows and uploads for the tests of dispatch, access and admin."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from webjobs import packages
from webjobs.dispatch import Actor
from webjobs.models import App, AppSetting, Instance, Membership, Package, Role, Run, Slot, WebJob
from webjobs.models.queueing import insert_runs
from webjobs.models.run import run_number
from webjobs.states import JobType, RunStatus, Trigger

ALICE = Actor(user=None, name="alice", address="192.0.2.7")


def make_slot(app: str = "demo", slot: str = "production") -> Slot:
    parent, _ = App.objects.get_or_create(name=app)
    return Slot.objects.create(app=parent, name=slot)


def make_package(name: str = "run.sh") -> Package:
    found, _ = Package.objects.get_or_create(
        sha256="a" * 64, file_name=name, defaults={"size": 3, "kind": "file", "script": name}
    )
    return found


def make_job(
    slot: Slot, name: str = "nightly", type: JobType = JobType.TRIGGERED, **values: Any
) -> WebJob:
    package = make_package()
    return WebJob.objects.create(
        slot=slot, name=name, type=type, package=package, script="run.sh", **values
    )


def make_run(
    job: WebJob, status: RunStatus = RunStatus.SUCCESS, at: datetime | None = None, **values: Any
) -> Run:
    moment = at or timezone.now()
    values.setdefault("lane", 0 if status in {"Queued", "Initializing", "Running"} else None)
    return Run.objects.create(
        job=job,
        number=run_number(moment),
        status=status,
        trigger=Trigger.MANUAL,
        trigger_text="External - WebJobs Portal",
        queued_at=moment,
        **values,
    )


def make_instance(name: str = "one") -> Instance:
    now = timezone.now()
    return Instance.objects.create(
        key=uuid4().hex, name=name, started_at=now, heartbeat_at=now, threads=5
    )


def make_setting(slot: Slot, name: str, value: str, **values: Any) -> AppSetting:
    return AppSetting.objects.create(slot=slot, name=name, value=value, **values)


def make_member(app: App, name: str, role: Role | None) -> User:
    """Somebody who may sign in; None as role makes a stranger."""
    user = User.objects.create_user(name, password="correct-horse-9")
    if role is not None:
        Membership.objects.create(app=app, user=user, role=role)
    return user


def make_upload(text: str = "echo hello\n", name: str = "run.sh") -> packages.Upload:
    """A checked upload of one file; what is in it makes it a package of its own."""
    path = Path(tempfile.mkdtemp()) / "upload"
    path.write_text(text)
    return packages.check_upload(path, name)


def bulk_runs(jobs: list[WebJob], count: int) -> None:
    """`count` ended runs, one a second until now, the jobs in turn; every tenth failed."""
    start = timezone.now() - timedelta(seconds=count)
    template = Run(trigger_text="Schedule - 0 * * * * *")
    names = ["job_id", "number", "status", "trigger", "queued_at", "scheduled_for"]

    def row(index: int) -> list[Any]:
        at = start + timedelta(seconds=index)
        status = RunStatus.FAILED if index % 10 == 0 else RunStatus.SUCCESS
        trigger, occurrence = (Trigger.SCHEDULE, at) if index % 2 else (Trigger.MANUAL, None)
        return [jobs[index % len(jobs)].pk, run_number(at), status, trigger, at, occurrence]

    insert_runs(template, names, [row(index) for index in range(count)])
