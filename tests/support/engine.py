"""A real instance inside the test process, and WebJobs made of a few lines of script."""

from __future__ import annotations

import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connections

from webjobs import dispatch, logs, packages
from webjobs.dispatch import Actor
from webjobs.models import App, Copy, Log, Run, Slot, WebJob
from webjobs.states import JobType, RunStatus
from webjobs.worker import RunningInstance

from .poll import until

ACTOR = Actor(user=None, name="tester")


def make_slot(name: str = "demo") -> Slot:
    """The production slot of a new app."""
    return Slot.objects.create(app=App.objects.create(name=name))


def upload(files: Mapping[str, str | bytes], name: str = "job.zip") -> packages.Upload:
    """A checked zip with these files."""
    path = Path(tempfile.mkdtemp()) / name
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return packages.check_upload(path, name)


def add_job(
    slot: Slot,
    files: Mapping[str, str | bytes] | str,
    type: JobType = JobType.TRIGGERED,
    name: str = "job",
    schedule: str | None = None,
) -> WebJob:
    """A WebJob of `slot`; a text stands for a run.sh."""
    if isinstance(files, str):
        files = {"run.sh": files}
    new = dispatch.NewWebJob(name=name, type=type, upload=upload(files), schedule=schedule)
    return dispatch.add_webjob(slot, new, ACTOR)


def member(slot: Slot, name: str, role: int) -> User:
    """A person with `role` in the app of `slot`; the password is `correct-horse-9`."""
    user = User.objects.create_user(name, password="correct-horse-9")
    slot.app.memberships.create(user=user, role=role)
    return user


class Engine:
    """An instance with `threads` pool threads; queued runs are found in the rows, as if every
    message had arrived at once."""

    def __init__(self, folder: Path, threads: int = 8) -> None:
        self.instance = RunningInstance(threads, folder)
        self._pool = ThreadPoolExecutor(threads)
        self._stopping = threading.Event()
        self._pump = threading.Thread(target=self._hand_out, daemon=True)

    def start(self) -> Engine:
        self.instance.start()
        self._pump.start()
        return self

    def close(self, *, kill_now: bool = True) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._pump.join()
        self.instance.close(kill_now=kill_now)
        self._pool.shutdown(wait=True)

    def _hand_out(self) -> None:
        seen: set[int] = set()
        while not self._stopping.is_set():
            for pk in Run.objects.ready().values_list("pk", flat=True):
                if pk not in seen:
                    seen.add(pk)
                    self._pool.submit(self._execute, pk)
            time.sleep(0.01)
        connections.close_all()

    def _execute(self, pk: int) -> None:
        try:
            self.instance.executor.execute(pk)
        finally:
            connections.close_all()

    def run(self, job: WebJob, arguments: str = "", *, seconds: float = 30) -> Run:
        """Run now and wait for the end."""
        return self.wait(dispatch.run_now(job, ACTOR, arguments=arguments), seconds=seconds)

    def wait(self, run: Run, *, seconds: float = 30) -> Run:
        def ended() -> bool:
            run.refresh_from_db()
            return run.is_final

        until(ended, seconds=seconds, what=f"the end of the run; log:\n{text_of(run)}")
        return run

    def wait_running(self, run: Run) -> Run:
        def running() -> bool:
            run.refresh_from_db()
            return run.status == RunStatus.RUNNING

        until(running, what="the run is in progress")
        return run


def text_of(owner: Run | Copy) -> str:
    """The log in Azure's format, with plain line ends."""
    which = {"run": owner} if isinstance(owner, Run) else {"copy": owner}
    log = Log.objects.filter(**which).first()
    if log is None:
        return ""
    return b"".join(logs.azure_text(log)).decode().replace("\r\n", "\n")


def wait_copy(job: WebJob, status: str, *, seconds: float = 15) -> Copy:
    """The copy of a continuous WebJob once it has this status."""

    def reached() -> Copy | None:
        return Copy.objects.filter(job=job, status=status).first()

    seen = Copy.objects.filter(job=job)
    return until(reached, seconds=seconds, what=f"{status}; seen {[c.status for c in seen]}")


def wait_log(owner: Run | Copy, text: str, *, seconds: float = 15) -> str:
    """The log once `text` is in it."""
    until(lambda: text in text_of(owner), seconds=seconds, what=f"{text!r} in the log")
    return text_of(owner)
