"""The scheduler of `celery beat`: due occurrences of WebJobs first, then periodic tasks."""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType
from typing import Any, NoReturn

from celery import Celery
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from webjobs import alive, outages
from webjobs.messages import enqueue_runs
from webjobs.models import Beat
from webjobs.scheduler import Scheduler
from webjobs.tasks import clean_up, send_periodic

logger = logging.getLogger(__name__)

CLEAN_UP_EVERY = 10
# A clean-up that waited this long for a worker is useless: the next one does its work.
CLEAN_UP_EXPIRES = 30
TICKED_EVERY = 5.0
RETRY_EVERY = 1.0
# What beats that are gone leave behind.
FORGET_AFTER = timedelta(hours=1)
# Seconds that beat waits at its end for messages that are not sent yet.
SEND_REST_WITHIN = 3.0
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let TERM and INT wait.

    Celery's handler uses the database, and would for ever wait for a query that it interrupts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Let TERM and INT end this process in order: Celery's handler needs what is not made yet."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _leave) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


class Sender(threading.Thread):
    """Sends messages in order without keeping beat from its clock, also while the broker is away.

    What cannot be sent is given up: clean_up repeats it from the rows.
    """

    def __init__(self) -> None:
        super().__init__(name="sender", daemon=True)
        self._waiting: queue.SimpleQueue[Callable[[], bool] | None] = queue.SimpleQueue()

    def send(self, message: Callable[[], bool]) -> None:
        """Call `message` soon; it tells whether the broker took it."""
        self._waiting.put(message)

    def finish(self) -> None:
        """Send what is waiting, for a moment, and end."""
        if self.is_alive():
            self._waiting.put(None)
            self.join(SEND_REST_WITHIN)

    def run(self) -> None:
        # Signals are for the main thread, which may have shut them out for now.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        while (message := self._waiting.get()) is not None:
            try:
                is_sent = message()
            except Exception:
                # A message that cannot be sent must not keep all others from being sent.
                logger.exception("A message could not be sent")
                continue
            if not is_sent:
                self._give_up()

    def _give_up(self) -> None:
        while not self._waiting.empty():
            if self._waiting.get() is None:
                self._waiting.put(None)
                return


def add_clean_up() -> None:
    """Make the housekeeping at the first start. Operators may change it or switch it off."""
    if PeriodicTask.objects.filter(name=clean_up.name).exists():
        return
    wanted = {"every": CLEAN_UP_EVERY, "period": IntervalSchedule.SECONDS}
    # Nothing is unique there: two beats that start at once make one each.
    every = IntervalSchedule.objects.filter(**wanted).first()
    every = every or IntervalSchedule.objects.create(**wanted)
    task = PeriodicTask(
        name=clean_up.name,
        task=clean_up.name,
        interval=every,
        expire_seconds=CLEAN_UP_EXPIRES,
        description="Lost instances and messages, old history, deleted WebJobs",
    )
    # The second one is no error, which the server would write into its log.
    PeriodicTask.objects.bulk_create([task], ignore_conflicts=True)


class WebJobScheduler(DatabaseScheduler):  # type: ignore[misc]
    """Fires WebJobs from their own heap; the parent does what operators see in the admin."""

    # The parent reads this instead of connecting, which would wait for a broker that is away.
    producer = None

    def __init__(self, app: Celery, **kwargs: Any) -> None:
        self._sender = Sender()
        self._webjobs = Scheduler(self._enqueue)
        self._key = f"{settings.WEBJOBS_INSTANCE_NAME[:40]} {os.getpid()}"
        self._parent_due = 0.0
        self._ticked = 0.0
        super().__init__(app, **kwargs)

    def setup_schedule(self) -> None:
        """Make sure the housekeeping is there; waits for the database, as after a power cut."""
        with leaving_at_once():
            while not self._is_set_up():
                time.sleep(RETRY_EVERY)
        self._sender.start()

    def _is_set_up(self) -> bool:
        try:
            add_clean_up()
            Beat.objects.filter(ticked_at__lt=timezone.now() - FORGET_AFTER).delete()
        except DatabaseError as error:
            outages.database.gone(error)
            return False
        return True

    @uninterrupted()
    def tick(self, **_: Any) -> float:
        """One step; returns seconds until the next. A database that refuses is tried again."""
        begun = time.monotonic()
        try:
            close_old_connections()
            wait = self._webjobs.step(timezone.now())
            self._note_tick(timezone.now())
            wait = min(wait, self._run_parent())
        except DatabaseError as error:
            outages.database.gone(error)
            self._ticked = 0.0  # It must store something before it is said to be back.
            return RETRY_EVERY
        # What the step took has passed already.
        return max(0.0, begun + wait - time.monotonic())

    def apply_entry(self, entry: Any, producer: object = None) -> None:
        """Hand a periodic task to the sender."""
        self._sender.send(
            lambda: send_periodic(entry.task, entry.args, entry.kwargs, entry.options)
        )

    @uninterrupted()
    def sync(self) -> None:
        """Save when the periodic tasks ran last."""
        super().sync()

    def close(self) -> None:
        """The end: what was fired is told to the workers."""
        super().close()
        self._sender.finish()

    def _enqueue(self, run_pks: Sequence[int]) -> None:
        self._sender.send(lambda: enqueue_runs(run_pks))

    def _run_parent(self) -> float:
        """Let the parent work when it is due; returns seconds until it is."""
        moment = time.monotonic()
        if moment >= self._parent_due:
            wait: float = super().tick()
            self._parent_due = moment + min(wait, self.max_interval)
        return max(0.0, self._parent_due - moment)

    def _note_tick(self, now: datetime) -> None:
        moment = time.monotonic()
        if moment >= self._ticked + TICKED_EVERY or not self._ticked:
            Beat.objects.update_or_create(key=self._key, defaults={"ticked_at": now})
            self._ticked = moment
            alive.touch("beat")
            outages.database.back()
