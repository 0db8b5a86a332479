"""A portal as a small shop has it: what runs, what failed, what is empty, what is many."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from tests.screenshots.sources import (
    build_deploying,
    build_deployments,
    build_staging,
    build_swapping,
)
from tests.support.logs import INSTANCE_KEY
from tests.web.objects import (
    make_instance,
    make_job,
    make_member,
    make_run,
    make_setting,
    make_slot,
    make_upload,
)
from webjobs import dispatch
from webjobs.dispatch import PORTAL
from webjobs.endings import RUN_AGAIN
from webjobs.logs import LogWriter, log_of_run
from webjobs.models import ApiToken, Copy, Instance, Role, Run, Schedule, Slot, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus, Stream

ADMIN, READER, PASSWORD = "ada", "ben", "correct-horse-9"
APP, ONE, NONE, MANY = "contoso-orders", "contoso-newsletter", "contoso-empty", "contoso-warehouse"
LONG = "contoso-" + "-".join(["subsidiary"] * 4)
LONG_JOB = "import-" + "x" * 40 + "-" + "-".join(["regional"] * 5)
GIB = 1024**3
LOG = "\n".join(
    ["Reading prices from the supplier's feed"]
    + [f"[{n:02}/40] article {10000 + n * 37}, {n * 3.17:.2f} EUR" for n in range(1, 41)]
    + [
        "\x1b[33mwarning: 3 articles without a price were left out\x1b[0m",
        "::group::Writing to the shop",
        "PUT /articles 200",
        "PUT /articles 503",
        "::endgroup::",
        "\x1b[31mConnectionError: the shop answered 503 Service Unavailable\x1b[0m",
        "",
    ]
).encode()


def build() -> None:
    """Fill an empty database."""
    ada = User.objects.create_superuser(ADMIN, password=PASSWORD)
    for name, role in (
        ("Dashboard in the hall", Role.READER),
        ("Release pipeline", Role.CONTRIBUTOR),
    ):
        ApiToken.issue(ada, name, role, expires_at=timezone.now() + timedelta(days=90))
    one = _instance("web-worker-1", busy=3)
    two = _instance("web-worker-2", busy=1)
    slot = make_slot(APP)
    _triggered(slot)
    _continuous(slot, one, two)
    _settings(slot)
    make_member(slot.app, READER, Role.READER)
    build_staging(APP)
    build_swapping()
    newsletter = make_slot(ONE)
    make_job(newsletter, "send-newsletter")
    build_deployments(newsletter)
    build_deploying()
    make_slot(NONE)
    _long(make_slot(LONG))
    many = make_slot(MANY)
    for number in range(1, 131):
        _ended(make_job(many, f"pick-list-{number:03}"), 2, every_failed=7, at=number)


def _long(slot: Slot) -> None:
    """What takes more room than anybody hopes for."""
    job = make_job(slot, LONG_JOB)
    Schedule.objects.create(job=job, expression="0,15,30,45 0,10,20,30,40,50 6-22/2 * * Mon-Fri")
    for run in _ended(job, 3, every_failed=1):
        words = " ".join(["The process exited with code 1.", *[RUN_AGAIN] * 12])
        Run.objects.filter(pk=run.pk).update(reason=words)
    make_setting(slot, "_".join(["A_LONG_NAME"] * 8), "x" * 900)


def keep_alive() -> None:
    """The instances of the sample have no worker that would."""
    Instance.objects.update(heartbeat_at=timezone.now())


def _instance(name: str, busy: int) -> Instance:
    instance = make_instance(name)
    Instance.objects.filter(pk=instance.pk).update(
        host=f"{name}.internal",
        threads=20,
        busy=busy,
        load=0.42 * busy,
        memory_used=2 * GIB,
        memory_total=8 * GIB,
        started_at=timezone.now() - timedelta(days=3, hours=2),
        interpreters={".sh": "/bin/bash", ".py": "/usr/bin/python3", ".ps1": None},
    )
    return instance


def _ended(job: WebJob, count: int, *, every_failed: int = 0, at: int = 0) -> list[Run]:
    """`count` runs, one an hour until now; every so many failed."""
    runs = []
    for hours in range(count, 0, -1):
        started = timezone.now() - timedelta(hours=hours, minutes=at % 50)
        failed = every_failed and (hours + at) % every_failed == 0
        status = RunStatus.FAILED if failed else RunStatus.SUCCESS
        runs.append(
            make_run(
                job,
                status,
                at=started,
                started_at=started + timedelta(milliseconds=40),
                ended_at=started + timedelta(seconds=20 + 7 * (hours % 6)),
                exit_code=1 if failed else 0,
                reason="The process exited with code 1." if failed else "",
            )
        )
    return runs


def _write(run: Run, text: bytes, *, complete: bool = True) -> None:
    writer = LogWriter(log_of_run(run, INSTANCE_KEY), limit=10**9)
    writer.append(Stream.OUT, text, timezone.now().timestamp())
    if complete:
        writer.complete()
    else:
        writer.flush()


def _triggered(slot: Slot) -> None:
    nightly = make_job(slot, "nightly-report")
    Schedule.objects.create(job=nightly, expression="0 30 2 * * *", time_zone="Europe/Paris")
    _ended(nightly, 30, every_failed=9)
    failed = make_job(slot, "import-price-list")
    Schedule.objects.create(job=failed, expression="0 */15 * * * *")
    runs = _ended(failed, 24, every_failed=4)
    last = make_run(
        failed,
        RunStatus.FAILED,
        at=timezone.now() - timedelta(seconds=13),
        started_at=timezone.now() - timedelta(seconds=12),
        ended_at=timezone.now(),
        exit_code=3,
        reason="The process exited with code 3.",
    )
    _write(last, LOG)
    _write(runs[-1], b"Reading 1,204 prices\nDone\n")
    busy = make_job(slot, "sync-stock")
    now = timezone.now()
    one = Instance.objects.get(name="web-worker-1")
    run = make_run(busy, RunStatus.RUNNING, at=now, started_at=now, instance=one)
    _write(run, LOG[:900], complete=False)
    make_job(slot, "cleanup-temp-files")
    queued = make_job(slot, "export-invoices", concurrency="queue")
    make_run(queued, RunStatus.QUEUED, lane=None)
    uploaded = dispatch.NewWebJob(
        name="resize-images", type=JobType.TRIGGERED, upload=make_upload("echo one\n")
    )
    job = dispatch.add_webjob(slot, uploaded, PORTAL)
    dispatch.replace_package(job, make_upload("echo two\necho three\n"), PORTAL)


def _continuous(slot: Slot, one: Instance, two: Instance) -> None:
    now = timezone.now()
    mailer = make_job(slot, "invoice-mailer", JobType.CONTINUOUS)
    WebJob.objects.filter(pk=mailer.pk).update(script="run.py")
    for instance in (one, two):
        Copy.objects.create(
            job=mailer, instance=instance, epoch=1, status=CopyStatus.RUNNING,
            changed_at=now - timedelta(days=2), started_at=now - timedelta(days=2),
        )  # fmt: skip
    thumbnails = make_job(slot, "thumbnail-worker", JobType.CONTINUOUS, is_singleton=True)
    Copy.objects.create(
        job=thumbnails, instance=two, epoch=1, status=CopyStatus.PENDING_RESTART, changed_at=now,
        restart_at=now + timedelta(seconds=50), crash_looping_since=now - timedelta(minutes=9),
        last_error="ModuleNotFoundError: No module named 'PIL'", exit_code=1, restarts=7,
        fast_failures=7,
        reason="The process exited with code 1.",
    )  # fmt: skip
    make_job(slot, "legacy-bridge", JobType.CONTINUOUS, is_stopped=True)


def _settings(slot: Slot) -> None:
    make_setting(slot, "ORDERS_API_URL", "https://orders.example.org/api")
    make_setting(slot, "ORDERS_API_KEY", "not-shown", is_secret=True)
    make_setting(slot, "SMTP_HOST", "smtp.example.org", is_slot_setting=True)
    make_setting(slot, "WEBSITE_TIME_ZONE", "Europe/Paris")
    make_setting(slot, "WEBJOBS_HISTORY_SIZE", "200")
