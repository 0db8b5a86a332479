"""The heartbeat of this instance: one thread renews what it holds and looks after the others.

What runs here is under leases that the guardian watches. This thread only moves their deadlines,
so nothing can run too long because it is late.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import psutil
from django.db import Error, close_old_connections, connections
from django.utils import timezone

from webjobs import alive, endings, housekeeping, idling, outages, swapping
from webjobs.engine.executor import Executor
from webjobs.engine.leases import Leases
from webjobs.engine.machine import Machine
from webjobs.models import Copy, Instance, Run
from webjobs.runner.program import lease_clock
from webjobs.times import DECLARE_AFTER, FENCE_AFTER, RENEW_EVERY

logger = logging.getLogger(__name__)

# Wishes concerning runs are looked at this often, unless a nudge comes first.
LOOK_EVERY = min(1.0, RENEW_EVERY / 2)
# Seconds between looks for fetched packages, and files of WebJobs, that nobody uses.
TRIM_EVERY = 3600.0


class Heartbeat:
    """`run` belongs to one thread; `nudge` and `stop` may be called by any.

    `rejoin` registers the instance anew after it was declared lost; None when it must end
    instead. `submit` has a run executed by a thread that is free.
    """

    def __init__(
        self,
        machine: Machine,
        executor: Executor,
        leases: Leases,
        rejoin: Callable[[], Instance | None],
        submit: Callable[[int], object] | None,
    ) -> None:
        self._machine = machine
        self._executor = executor
        self._leases = leases
        self._rejoin = rejoin
        self._submit = submit
        self._others = _Others()
        self._waiting: set[int] = set()
        self._renew_at = 0.0
        self._trim_at = time.monotonic() + TRIM_EVERY
        self._stopping = threading.Event()
        self._nudged = threading.Event()

    def nudge(self) -> None:
        """Look at the wishes now."""
        self._nudged.set()

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping.set()
        self._nudged.set()

    def run(self) -> None:
        """Beat until stopped."""
        while not self._stopping.is_set():
            self.step()
            self._nudged.wait(LOOK_EVERY)
            self._nudged.clear()
        connections.close_all()

    def step(self) -> None:
        """One look, with a renewal when it is due. Never raises."""
        try:
            close_old_connections()
            if time.monotonic() >= self._renew_at:
                self._renew()
            self._executor.apply_wishes()
            endings.start_waiting(timezone.now())
            swapping.advance_all(timezone.now())
            idling.let_idle(timezone.now())
            self._trim()
        except Error as error:
            outages.database.gone(error)
            connections.close_all()
        except Exception:
            logger.exception("The heartbeat failed, trying again")
        else:
            # A renewal that failed is tried again by each step, so it has stored one.
            outages.database.back()

    def _trim(self) -> None:
        if time.monotonic() >= self._trim_at:
            self._trim_at = time.monotonic() + TRIM_EVERY
            self._machine.tidy_up()

    def _renew(self) -> None:
        self._leases.renew()
        self._beat()
        self._renew_at = time.monotonic() + RENEW_EVERY
        if self._others.watch(self._machine.instance):
            housekeeping.abort_orphans(timezone.now())
        if self._submit and not self._machine.instance.is_draining:
            self._start_stranded(self._submit)

    def _beat(self) -> None:
        sent = lease_clock()
        instance = self._machine.instance
        if not instance.beat(busy=self._executor.busy, **_load()):
            fresh = self._rejoin()
            if fresh is None:
                return
            Copy.objects.filter(instance=fresh).update(epoch=fresh.epoch)
            self._machine.instance = instance = fresh
            housekeeping.abort_orphans(timezone.now())
        self._machine.allow_runs(instance, sent + FENCE_AFTER)
        alive.touch("worker")

    def _start_stranded(self, submit: Callable[[int], object]) -> None:
        """Start runs that have been queued since the last look although a thread is free here:
        their message was lost, or the broker is away."""
        free = self._machine.instance.threads - self._executor.busy
        if free <= 0:
            self._waiting.clear()
            return
        ready = Run.objects.ready().order_by("queued_at").values_list("pk", flat=True)
        found = set(ready[: 2 * free])
        for run_pk in sorted(found & self._waiting)[:free]:
            submit(run_pk)
        self._waiting = found


class _Beat(NamedTuple):
    epoch: int
    beats: int
    since: float  # on lease_clock


class _Others:
    """When the heartbeats of the other instances were last seen to change."""

    def __init__(self) -> None:
        self._seen: dict[int, _Beat] = {}

    def watch(self, own: Instance) -> bool:
        """Declare lost who has been silent for too long; whether there was one."""
        asked = lease_clock()
        rows = Instance.objects.present().exclude(pk=own.pk)
        found = {
            pk: (epoch, beats) for pk, epoch, beats in rows.values_list("pk", "epoch", "beats")
        }
        now = lease_clock()
        self._seen = {
            pk: seen
            if (seen := self._seen.get(pk)) and (seen.epoch, seen.beats) == beat
            else _Beat(*beat, now)
            for pk, beat in found.items()
        }
        silent = [pk for pk, seen in self._seen.items() if asked - seen.since >= DECLARE_AFTER]
        return sum(self._declare_lost(pk) for pk in silent) > 0

    def _declare_lost(self, pk: int) -> bool:
        seen = self._seen[pk]
        won = Instance.declare_lost(pk, seen.epoch, seen.beats, timezone.now())
        if won:
            logger.warning("Instance %s was silent for too long and is lost", pk)
        return won


def _load() -> dict[str, Any]:
    memory = psutil.virtual_memory()
    return {
        "load": os.getloadavg()[0],
        "memory_used": memory.total - memory.available,
        "memory_total": memory.total,
    }
