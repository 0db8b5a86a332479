"""The continuous WebJobs of this instance: one thread compares wishes with facts and acts.

It needs no broker and holds no pool slot. A nudge makes it look at once; it looks every second
anyway. Preparing files and starting programs may take long and is done by helper threads, so that
one large package does not keep the output of the others waiting. What a step costs depends on how
many WebJobs something happens to, not on how many there are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.db import Error, close_old_connections, connection, connections, transaction
from django.utils import timezone

from webjobs import outages
from webjobs.engine.debugging import Debugging
from webjobs.engine.leases import Leases
from webjobs.engine.machine import Machine, key_of
from webjobs.engine.managed import Managed
from webjobs.engine.starting import Started
from webjobs.engine.wishes import Wishes
from webjobs.logs import flush_many
from webjobs.models import Copy, WebJob

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# Of many that start at once, the facts are stored together; those of a single one at once.
SAVE_EVERY = 0.05
# After the database refused.
RETRY_EVERY = 1.0
STARTING_THREADS = 4
# How long SQLite's lock may keep this thread waiting, in milliseconds, while others wait for it;
# what was not stored then is tried again. At its end nobody does.
BUSY_TIMEOUT = 1000
PATIENT_TIMEOUT = 20_000


class Supervisor:
    """Keeps the wished continuous WebJobs running here. `run` belongs to one thread; `nudge` and
    `close` may be called by any."""

    def __init__(self, machine: Machine, leases: Leases) -> None:
        self._machine = machine
        self._leases = leases
        self._wishes = Wishes()
        self._debugging = Debugging(machine)
        self._managed: dict[int, Managed] = {}
        self._deadlines: dict[Managed, float] = {}
        self._unsaved: set[Managed] = set()
        self._started: deque[Managed] = deque()
        self._epoll = select.epoll()
        self._by_fd: dict[int, Managed] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._epoll.register(self._wake_read, select.EPOLLIN)
        self._pool = ThreadPoolExecutor(STARTING_THREADS, thread_name_prefix="start")
        self._closing: str | None = None
        self._kill_now = False
        self._is_closing_told = False
        self._next_look = 0.0
        self._save_at = 0.0
        self._saved_at = 0.0

    def nudge(self) -> None:
        """Look at the wishes now."""
        self._next_look = 0.0
        self._wake()

    def close(self, reason: str, *, kill_now: bool = False) -> None:
        """Stop everything gracefully (or at once) and let `run` return."""
        self._closing = self._closing or reason
        self._kill_now = self._kill_now or kill_now
        self._is_closing_told = False
        self.nudge()

    def run(self) -> None:
        """Supervise until closed and the last process has ended."""
        with contextlib.suppress(Error):
            Copy.begin_anew(self._machine.instance, timezone.now())
        try:
            while not (self._closing and not self._alive()):
                self.step()
        finally:
            _wait_for_lock(PATIENT_TIMEOUT)
            flush_many([managed.log for managed in self._managed.values()])
            self._save(self._managed.values())
            self._debugging.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._epoll.close()
            os.close(self._wake_read)
            connections.close_all()

    def step(self) -> None:
        """Wait for something to happen, at most until the next look, and act on it."""
        touched = self._read(self._wait())
        now = time.monotonic()
        touched |= {managed for managed, at in self._deadlines.items() if at <= now}
        while self._started:
            touched.add(self._started.popleft())
        if now >= self._next_look:
            touched |= self._look()
        at = timezone.now()
        for managed in touched:
            self._carefully(managed, partial(managed.act, at))
            self._watch(managed)
            self._set_alarm(managed)
            if managed.debug.is_news:
                managed.debug.is_news, self._next_look = False, 0.0
        self._unsaved |= touched
        if self._unsaved:
            self._save_in_time()

    def _save_in_time(self) -> None:
        """Store what is due, and know when the rest will be."""
        if time.monotonic() >= self._save_at:
            self._save(self._unsaved)
        for managed in [managed for managed in self._unsaved if not managed.is_unsaved]:
            self._unsaved.discard(managed)
            if managed.is_gone:
                self._forget(managed)
        wanted = min((managed.save_at() for managed in self._unsaved), default=0.0)
        self._save_at = max(wanted, self._saved_at + SAVE_EVERY)

    def _carefully(self, managed: Managed, action: Callable[[], None]) -> None:
        """An error of ours costs one WebJob a restart, not all of them their supervisor."""
        try:
            action()
        except Exception:
            logger.exception("WebJob %s failed here and begins anew", managed.job)
            managed.begin_anew(timezone.now())

    def _alive(self) -> bool:
        return any(managed.is_alive for managed in self._managed.values())

    def _wait(self) -> Collection[int]:
        until = min(self._deadlines.values(), default=self._next_look)
        if self._unsaved:
            until = min(until, self._save_at)
        timeout = max(0.0, min(until, self._next_look) - time.monotonic())
        return [fd for fd, _ in self._epoll.poll(timeout)]

    def _set_alarm(self, managed: Managed) -> None:
        at = managed.deadline()
        if at is None:
            self._deadlines.pop(managed, None)
        else:
            self._deadlines[managed] = at

    def _read(self, ready: Collection[int]) -> set[Managed]:
        touched: dict[Managed, set[int]] = {}
        for fd in ready:
            if fd == self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(fd, 4096)
            elif fd in self._by_fd:
                touched.setdefault(self._by_fd[fd], set()).add(fd)
        for managed, fds in touched.items():
            self._carefully(managed, partial(managed.read, fds))
        return set(touched)

    def _look(self) -> set[Managed]:
        """Hand over the wishes that have changed; whom they concern, or whom a lease does."""
        self._next_look = time.monotonic() + POLL_SECONDS
        try:
            close_old_connections()
            _wait_for_lock(BUSY_TIMEOUT)
            touched = self._hand_over()
            touched |= self._debugging.look(self._managed, timezone.now())
            singletons = {managed for managed in self._managed.values() if managed.is_singleton}
            wanting = [managed.job.pk for managed in singletons if managed.wants_lease]
            self._leases.take(wanting, self._machine.instance)
        except Error as error:
            # Nobody's wish can be read: everything goes on as it is.
            outages.database.gone(error)
            self._wishes.forget()
            connections.close_all()
            return set()
        return touched | singletons

    def _hand_over(self) -> set[Managed]:
        if self._closing and not self._is_closing_told:
            self._wishes.forget()
        changed = self._wishes.changed()
        living = [job for job in changed.values() if job is not None and job.deleted_at is None]
        new = [job for job in living if job.pk not in self._managed]
        self._manage(self._left(changed.values(), new))
        self._clear_for(new)
        self._manage(new)
        touched = {self._managed[pk] for pk in changed if pk in self._managed}
        for managed in touched:
            managed.kill_now = self._kill_now
            job = changed[managed.job.pk]
            settings = None if job is None else self._machine.settings_of(job.slot)
            managed.set_wish(job, settings, self._closing)
        self._is_closing_told = self._closing is not None
        return touched

    def _left(self, changed: Iterable[WebJob | None], new: Sequence[WebJob]) -> list[WebJob]:
        """Deleted ones whose files an earlier worker left here, unless a new one of the name has
        begun in their place."""
        deleted = [
            job
            for job in changed
            if job is not None and job.deleted_at is not None and job.pk not in self._managed
        ]
        if not deleted:
            return []
        copies = Copy.objects.filter(instance=self._machine.instance, job__in=[*deleted, *new])
        here = set(copies.values_list("job", flat=True))
        taken = {key_of(job) for job in new if job.pk in here}
        return [job for job in deleted if job.pk in here and key_of(job) not in taken]

    def _clear_for(self, new: Sequence[WebJob]) -> None:
        """What a deleted WebJob left is not for a new one of its name."""
        keys = {key_of(job) for job in new}
        for managed in self._managed.values():
            is_over = managed.job.deleted_at is not None and not managed.is_alive
            if is_over and key_of(managed.job) in keys:
                self._machine.remove(managed.job)

    def _manage(self, jobs: Sequence[WebJob]) -> None:
        if not jobs:
            return
        with transaction.atomic():
            copies = Copy.on(self._machine.instance, [job.pk for job in jobs], timezone.now())
            new = {
                job.pk: Managed(self._machine, job, copies[job.pk], self._leases, self._submit)
                for job in jobs
            }
        self._managed |= new

    def _forget(self, managed: Managed) -> None:
        """Its process has ended, and it is deleted."""
        gone = managed.job
        self._managed.pop(gone.pk, None)
        self._deadlines.pop(managed, None)
        with contextlib.suppress(Error):
            same_name = WebJob.objects.living().filter(
                slot__app=gone.slot.app_id,
                slot__name__iexact=gone.slot.name,
                type=gone.type,
                name__iexact=gone.name,
            )
            if not same_name.exists():
                self._machine.remove(gone)

    def _submit(self, managed: Managed, start: Callable[[], Started]) -> None:
        def start_it() -> Started:
            try:
                return start()
            finally:
                connections.close_all()

        def notice(_: object) -> None:
            self._started.append(managed)
            self._wake()

        managed.starting = self._pool.submit(start_it)
        managed.starting.add_done_callback(notice)

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

    def _save(self, managed: Iterable[Managed]) -> None:
        """Store due output and changed facts, each in one transaction."""
        now = time.monotonic()
        self._saved_at = now
        due = [one for one in managed if one.save_at() <= now]
        # Output first: a fact never tells of lines that nobody can read yet.
        flush_many([one.log for one in due])
        changed = [one for one in due if one.changed]
        try:
            if changed:
                Copy.save_facts([one.copy for one in changed], self._machine.instance.epoch)
            for one in changed:
                one.changed = False
        except Error as error:
            self._saved_at = now + RETRY_EVERY
            outages.database.gone(error)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"!")


def _wait_for_lock(milliseconds: int) -> None:
    """How long statements of this thread wait when another writes; only SQLite has one writer."""
    if connection.vendor == "sqlite":
        with contextlib.suppress(Error), connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
