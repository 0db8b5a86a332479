"""The Celery worker as an instance: it registers, beats, and supervises beside its task pool."""

from __future__ import annotations

import logging
import os
import platform
import secrets
import threading
import time
from pathlib import Path
from typing import Any

import celery
import django
from celery import bootsteps
from celery.worker.control import control_command
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from webjobs.execution import Executor, set_current_executor
from webjobs.machine import Machine
from webjobs.models import Instance
from webjobs.runner import interpreters
from webjobs.runner.launcher import Launcher
from webjobs.supervisor import Supervisor
from webjobs.tasks import NUDGE

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
# A heartbeat is written this often; wishes are looked at every BEAT_SECONDS.
HEARTBEAT_SECONDS = 5.0
# Without a successful heartbeat for this long the instance counts itself as lost and kills what it
# runs, before others (after 30 s) may take its work over.
FENCE_SECONDS = 20.0
CLOSE_SECONDS = 60.0


class InstanceStep(bootsteps.StartStopStep):
    """The instance lives as long as the worker: started after the pool, stopped before it."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.instance: RunningInstance | None = None

    def start(self, parent: Any) -> None:
        self.instance = RunningInstance(threads=parent.concurrency or 1)
        self.instance.start()

    def stop(self, parent: Any) -> None:
        if self.instance:
            self.instance.close()

    def terminate(self, parent: Any) -> None:
        if self.instance:
            self.instance.close(kill_now=True)


class RunningInstance:
    """This machine's part in the portal: executor, supervisor and heartbeat."""

    def __init__(self, threads: int, folder: Path | None = None) -> None:
        self._folder = folder or settings.WEBJOBS_DATA_DIR / "instance"
        self._table = interpreters.table(settings.WEBJOBS_INTERPRETERS)
        self._launcher = Launcher()
        instance = Instance.register(
            key=stable_key(self._folder),
            name=settings.WEBJOBS_INSTANCE_NAME,
            now=timezone.now(),
            threads=threads,
            interpreters={},
            versions=_versions(),
        )
        self.machine = Machine(instance, self._launcher, self._folder, self._table)
        self.executor = Executor(self.machine)
        self.supervisor = Supervisor(self.machine)
        self._stopping = threading.Event()
        self._nudged = threading.Event()
        self._threads = [
            threading.Thread(target=self._beat_for_ever, name="heartbeat", daemon=True),
            threading.Thread(target=self.supervisor.run, name="supervisor", daemon=True),
        ]

    def start(self) -> None:
        """Begin to execute and supervise; returns at once."""
        self._launcher.start()
        found = self.machine.interpreters()
        Instance.objects.filter(pk=self.machine.instance.pk).update(interpreters=found)
        self.machine.make_ready()
        set_current_executor(self.executor)
        _running.append(self)
        for thread in self._threads:
            thread.start()

    def nudge(self) -> None:
        """Look at the wishes now."""
        self._nudged.set()
        self.supervisor.nudge()

    def close(self, *, kill_now: bool = False) -> None:
        """Stop every process gracefully (or at once), then say goodbye. Blocks until done."""
        instance = self.machine.instance
        reason = f"Instance {instance.name} was shut down."
        _quietly(lambda: Instance.objects.filter(pk=instance.pk).update(is_draining=True))
        self.executor.close(reason, kill_now=kill_now)
        self.supervisor.close(reason, kill_now=kill_now)
        patience = time.monotonic() + CLOSE_SECONDS
        self._threads[1].join(CLOSE_SECONDS)
        while self.executor.busy and time.monotonic() < patience:
            time.sleep(0.05)
        self._stopping.set()
        self._nudged.set()
        self._launcher.close()
        set_current_executor(None)
        _running.remove(self)
        _quietly(
            lambda: Instance.objects.filter(pk=instance.pk, epoch=instance.epoch).update(
                stopped_at=timezone.now()
            )
        )
        connections.close_all()

    def _beat_for_ever(self) -> None:
        alive_until = time.monotonic() + FENCE_SECONDS
        next_heartbeat = 0.0
        while not self._stopping.is_set():
            try:
                close_old_connections()
                if time.monotonic() >= next_heartbeat:
                    if not self.machine.instance.beat(timezone.now()):
                        self._fenced("another worker took this instance's place")
                        return
                    alive_until = time.monotonic() + FENCE_SECONDS
                    next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
                self.executor.apply_wishes()
            except DatabaseError as error:
                logger.warning("The database cannot be reached: %s", error)
                connections.close_all()
                if time.monotonic() > alive_until:
                    self._fenced("the database stayed away")
                    alive_until = time.monotonic() + FENCE_SECONDS
            self._nudged.wait(BEAT_SECONDS)
            self._nudged.clear()
        connections.close_all()

    def _fenced(self, why: str) -> None:
        """Others may take over: nothing of ours may go on."""
        logger.error("Every job of this instance is killed: %s", why)
        self._launcher.close()


_running: list[RunningInstance] = []


@control_command(name=NUDGE)
def nudge(state: Any) -> None:
    """Wishes have changed: look now."""
    for instance in _running:
        instance.nudge()


def stable_key(folder: Path) -> str:
    """The key of the instance that lives in `folder`: 32 hexadecimal digits, made once."""
    path = folder / "key"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.write_text(secrets.token_hex(16), encoding="ascii")
        return stable_key(folder)


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "django": django.get_version(),
        "celery": celery.__version__,
        "system": f"{platform.system()} {platform.release()}",
        "pid": str(os.getpid()),
    }


def _quietly(action: Any) -> None:
    try:
        action()
    except DatabaseError as error:
        logger.warning("The database cannot be reached: %s", error)
