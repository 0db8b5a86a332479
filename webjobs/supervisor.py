"""The continuous WebJobs of this instance: one thread compares wishes with facts and acts.

It needs no broker and holds no pool slot. A nudge makes it look at once; it looks every second
anyway. Preparing files may take long and is done by helper threads, so that one large package
does not keep the output of the others waiting.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.db import Error, close_old_connections, connections, transaction
from django.utils import timezone

from webjobs.leases import Leases
from webjobs.logs import flush_many
from webjobs.machine import Machine, Prepared
from webjobs.managed import Managed
from webjobs.models import Copy, WebJob
from webjobs.runner.child import Cause
from webjobs.states import CopyStatus

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
PREPARING_THREADS = 4


class Supervisor:
    """Keeps the wished continuous WebJobs running here. `run` belongs to one thread; `nudge` and
    `close` may be called by any."""

    def __init__(self, machine: Machine, leases: Leases) -> None:
        self._machine = machine
        self._leases = leases
        self._managed: dict[int, Managed] = {}
        self._epoll = select.epoll()
        self._by_fd: dict[int, Managed] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._epoll.register(self._wake_read, select.EPOLLIN)
        self._pool = ThreadPoolExecutor(PREPARING_THREADS, thread_name_prefix="prepare")
        self._closing: str | None = None
        self._kill_now = False
        self._next_look = 0.0

    def nudge(self) -> None:
        """Look at the wishes now."""
        self._next_look = 0.0
        self._wake()

    def close(self, reason: str, *, kill_now: bool = False) -> None:
        """Stop everything gracefully (or at once) and let `run` return."""
        self._closing = self._closing or reason
        self._kill_now = self._kill_now or kill_now
        self.nudge()

    def run(self) -> None:
        """Supervise until closed and the last process has ended."""
        self._take_over_rows()
        try:
            while not (self._closing and not self._alive()):
                self.step()
        finally:
            self._flush(list(self._managed.values()))
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._epoll.close()
            os.close(self._wake_read)
            connections.close_all()

    def step(self) -> None:
        """Wait for something to happen, at most until the next look, and act on it."""
        ready = self._wait()
        touched = self._read(ready)
        if time.monotonic() >= self._next_look:
            self._look()
            touched = set(self._managed.values())
        else:
            touched |= self._due()
        now = timezone.now()
        for managed in touched:
            managed.act(now)
            self._watch(managed)
        self._flush(self._managed.values())

    def _take_over_rows(self) -> None:
        """What an earlier worker of this instance wrote is past: its processes are gone."""
        with contextlib.suppress(Error):
            Copy.objects.filter(instance=self._machine.instance).update(
                epoch=self._machine.instance.epoch,
                status=CopyStatus.INITIALIZING,
                changed_at=timezone.now(),
                restart_at=None,
            )

    def _alive(self) -> bool:
        return any(managed.is_alive for managed in self._managed.values())

    def _wait(self) -> set[int]:
        times = [managed.deadline() for managed in self._managed.values()]
        until = min((at for at in times if at is not None), default=self._next_look)
        timeout = max(0.0, min(until, self._next_look) - time.monotonic())
        return {fd for fd, _ in self._epoll.poll(timeout)}

    def _read(self, ready: set[int]) -> set[Managed]:
        touched: dict[Managed, set[int]] = {}
        for fd in ready:
            if fd == self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(fd, 4096)
            elif fd in self._by_fd:
                touched.setdefault(self._by_fd[fd], set()).add(fd)
        for managed, fds in touched.items():
            managed.read(fds)
        return set(touched)

    def _due(self) -> set[Managed]:
        now = time.monotonic()
        return {
            managed
            for managed in self._managed.values()
            if managed.is_ready or ((at := managed.deadline()) is not None and at <= now)
        }

    def _look(self) -> None:
        """Read all wishes and hand them to those who act."""
        self._next_look = time.monotonic() + POLL_SECONDS
        try:
            close_old_connections()
            jobs = WebJob.objects.continuous().select_related("slot__app", "package")
            found = {job.pk: job for job in jobs}
            for job in found.values():
                if job.pk not in self._managed and job.deleted_at is None:
                    self._managed[job.pk] = self._manage(job)
            for managed in list(self._managed.values()):
                self._hand_over(managed, found.get(managed.job.pk))
            singletons = [pk for pk, managed in self._managed.items() if managed.wants_lease]
            self._leases.take(singletons, self._machine.instance)
        except Error as error:
            # Nobody's wish can be read: everything goes on as it is.
            logger.warning("The wishes cannot be read, trying again: %s", error)
            connections.close_all()

    def _manage(self, job: WebJob) -> Managed:
        instance = self._machine.instance
        copy, _ = Copy.objects.get_or_create(
            job=job,
            instance=instance,
            defaults={"epoch": instance.epoch, "changed_at": timezone.now()},
        )
        return Managed(self._machine, job, copy, self._leases, self._submit)

    def _hand_over(self, managed: Managed, job: WebJob | None) -> None:
        if job is not None:
            settings = self._machine.settings_of(job.slot)
            managed.set_wish(job, settings, self._closing)
            managed.kill_now = self._kill_now
        elif managed.is_alive:
            managed.ask_stop(Cause.STOPPED, "The WebJob no longer exists.")
        if (job is None or job.deleted_at is not None) and not managed.is_alive:
            self._forget(managed, job)

    def _forget(self, managed: Managed, job: WebJob | None) -> None:
        managed.give_back()
        self._flush([managed])
        del self._managed[managed.job.pk]
        gone = managed.job
        same_name = WebJob.objects.living().filter(
            slot=gone.slot_id, type=gone.type, name__iexact=gone.name
        )
        if job is None and not same_name.exists():
            self._machine.remove(gone)

    def _submit(self, managed: Managed, job: WebJob) -> None:
        def prepare() -> Prepared:
            try:
                return self._machine.prepare_copy(job)
            finally:
                connections.close_all()

        managed.preparing = self._pool.submit(prepare)
        managed.preparing.add_done_callback(lambda _: self._wake())

    def _watch(self, managed: Managed) -> None:
        """Keep the poll's descriptors as the child's are."""
        wanted = frozenset(managed.fds)
        for fd in managed.watched - wanted:
            self._by_fd.pop(fd, None)
            with contextlib.suppress(OSError, ValueError):
                self._epoll.unregister(fd)  # A closed one has left by itself.
        for fd in wanted - managed.watched:
            self._by_fd[fd] = managed
            self._epoll.register(fd, select.EPOLLIN)
        managed.watched = wanted

    def _flush(self, managed: Iterable[Managed]) -> None:
        """Store due output and changed facts, all in one transaction."""
        now = time.monotonic()
        due = [one for one in managed if one.changed or one.flush_due(now)]
        if not due:
            return
        # Output first: a fact never tells of lines that nobody can read yet.
        flush_many([one.log for one in due])
        changed = [one for one in due if one.changed]
        if not changed:
            return
        try:
            with transaction.atomic():
                for one in changed:
                    one.save_facts()
            for one in changed:
                one.changed = False
        except Error as error:
            logger.warning("The facts cannot be written, trying again: %s", error)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"!")
