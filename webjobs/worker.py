"""The Celery worker as an instance: it registers, beats, and supervises beside its task pool."""

from __future__ import annotations

import logging
import os
import platform
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import celery
import django
from celery import bootsteps
from celery.worker import state
from celery.worker.control import control_command
from django.conf import settings
from django.db import Error, close_old_connections, connection, connections
from django.utils import timezone

import webjobs
from webjobs import housekeeping, outages
from webjobs.engine.executor import Executor, set_current_executor
from webjobs.engine.heartbeat import Heartbeat
from webjobs.engine.home import move_in
from webjobs.engine.leases import Leases
from webjobs.engine.machine import INSTANCE_VARIABLE, Machine
from webjobs.engine.supervisor import Supervisor
from webjobs.models import Instance
from webjobs.reasons import gettext_noop
from webjobs.runner import interpreters
from webjobs.runner.launcher import Launcher, kill_strays
from webjobs.runner.open_files import raise_limit
from webjobs.tasks import NUDGE

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 60.0
# Between attempts to reach the database at the start.
DATABASE_RETRY = 1.0


class InstanceStep(bootsteps.StartStopStep):
    """The instance lives as long as the worker: started after the pool, stopped before it."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.instance: RunningInstance | None = None

    def start(self, parent: Any) -> None:
        _wait_for_database()

        def submit(run_pk: int) -> None:
            parent.pool.executor.submit(self._execute, run_pk)

        raise_limit()
        self.instance = RunningInstance(threads=parent.concurrency or 1, submit=submit)
        self.instance.start()

    def _execute(self, run_pk: int) -> None:
        if self.instance:
            self.instance.executor.execute(run_pk)
            close_old_connections()

    def stop(self, parent: Any) -> None:
        if self.instance:
            self.instance.close()

    def terminate(self, parent: Any) -> None:
        if self.instance:
            self.instance.close(kill_now=True)


class BrokerStep(bootsteps.StartStopStep):
    """Started with each connection of the worker to its broker."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, parent: Any) -> None:
        outages.broker.back()


class RunningInstance:
    """This machine's part in the portal: executor, supervisor and heartbeat.

    `submit` has a run executed by a free thread when no message brings it.
    """

    def __init__(
        self,
        threads: int,
        folder: Path | None = None,
        submit: Callable[[int], object] | None = None,
    ) -> None:
        self._home = move_in(folder or settings.WEBJOBS_DATA_DIR / "instance")
        self._threads_count = threads
        self._is_ending = False
        self._launcher = Launcher()
        # Should this worker and its guardian have been killed in one moment.
        if strays := kill_strays(f"{INSTANCE_VARIABLE}={self._home.key}"):
            logger.warning("%s processes of an earlier life of this worker were killed", strays)
        instance = self._register()
        table = interpreters.table(settings.WEBJOBS_INTERPRETERS)
        self.machine = Machine(instance, self._launcher, self._home.folder, table)
        self.executor = Executor(self.machine)
        self.leases = Leases(self._launcher)
        self.supervisor = Supervisor(self.machine, self.leases)
        self.heartbeat = Heartbeat(self.machine, self.executor, self.leases, self._rejoin, submit)
        self._threads = [
            threading.Thread(target=self.heartbeat.run, name="heartbeat", daemon=True),
            threading.Thread(target=self.supervisor.run, name="supervisor", daemon=True),
        ]

    def start(self) -> None:
        """Begin to execute and supervise; returns at once."""
        self._launcher.start()
        housekeeping.abort_orphans(timezone.now())
        found = self.machine.interpreters()
        Instance.objects.filter(pk=self.machine.instance.pk).update(interpreters=found)
        self.machine.make_ready()
        self.heartbeat.step()
        set_current_executor(self.executor)
        _running.append(self)
        for thread in self._threads:
            thread.start()

    def nudge(self) -> None:
        """Look at the wishes now."""
        self.heartbeat.nudge()
        self.supervisor.nudge()

    def close(self, *, kill_now: bool = False) -> None:
        """Take nothing new, stop every process gracefully (or at once), then say goodbye. Blocks
        until done."""
        instance = self.machine.instance
        instance.is_draining = True
        reason = gettext_noop("Instance %(name)s was shut down.") % {"name": instance.name}
        _quietly(instance.drain)
        self.executor.close(reason, kill_now=kill_now)
        self.supervisor.close(reason, kill_now=kill_now)
        patience = time.monotonic() + CLOSE_SECONDS
        self._threads[1].join(CLOSE_SECONDS)
        while self.executor.busy and time.monotonic() < patience:
            time.sleep(0.05)
        self.heartbeat.stop()
        self._threads[0].join(CLOSE_SECONDS)
        self._launcher.close()
        set_current_executor(None)
        if self in _running:
            _running.remove(self)
        _quietly(lambda: self.machine.instance.say_goodbye(timezone.now()))
        connections.close_all()
        self._home.leave()

    def _register(self) -> Instance:
        home, now, name = self._home, timezone.now(), settings.WEBJOBS_INSTANCE_NAME
        if Instance.objects.live(now).exclude(key=home.key).filter(name=name).exists():
            name += f"-{home.number}" if home.number > 1 else f"-{home.key[:6]}"
        return Instance.register(
            home.key,
            now,
            name=name,
            host=socket.gethostname(),
            threads=self._threads_count,
            versions=_versions(),
        )

    def _rejoin(self) -> Instance | None:
        """Come back after others had to declare this instance lost."""
        row = Instance.objects.filter(pk=self.machine.instance.pk).first()
        if row is not None and row.lost_at is not None:
            logger.warning("This instance was declared lost; it goes on under a new epoch")
            return self._register()
        if self._is_ending:
            return None
        self._is_ending = True
        if row is not None:
            logger.error(
                "Another worker uses the key of this instance, as when a data directory was "
                "copied. This one ends; started again it has a key of its own."
            )
            self._home.change_key()
        else:
            logger.error("The row of this instance was deleted. It ends; start it again.")
        self._launcher.close()
        os.kill(os.getpid(), signal.SIGTERM)
        return None


_running: list[RunningInstance] = []


@control_command(name=NUDGE)
def nudge(state: Any) -> None:
    """Wishes have changed: look now."""
    for instance in _running:
        instance.nudge()


def _wait_for_database() -> None:
    """Until it answers, as after a power cut; raises WorkerShutdown when TERM comes first."""
    while True:
        state.maybe_shutdown()
        try:
            connection.ensure_connection()
            return
        except Error as error:
            outages.database.gone(error)
        time.sleep(DATABASE_RETRY)


def _versions() -> dict[str, str]:
    return {
        "portal": webjobs.__version__,
        "python": platform.python_version(),
        "django": django.get_version(),
        "celery": celery.__version__,
        "system": f"{platform.system()} {platform.release()}",
        "pid": str(os.getpid()),
    }


def _quietly(action: Callable[[], object]) -> None:
    # This thread's last query may be from before the database was started anew.
    close_old_connections()
    try:
        action()
    except Error as error:
        outages.database.gone(error)
