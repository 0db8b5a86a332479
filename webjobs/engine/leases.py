"""The singletons that this instance may run: taken, renewed and given back.

At most one instance runs a singleton. The holder's right ends LEASE_LASTS after the moment before
its last renewal was sent, on its own clock, and the guardian kills the process then, whatever the
worker does. Others take a lease only after they have seen it unchanged for TAKE_OVER_AFTER, on
their own clock. No clock is compared with another.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import F

from webjobs.models import Copy, Instance, Lease
from webjobs.runner.launcher import Launcher
from webjobs.runner.program import lease_clock
from webjobs.states import COPY_ALIVE
from webjobs.times import LEASE_LASTS, TAKE_OVER_AFTER


class _Held(NamedTuple):
    epoch: int
    until: float  # on lease_clock


class _Seen(NamedTuple):
    epoch: int
    renewals: int
    since: float  # on lease_clock


class Leases:
    """What this worker process holds. The supervisor's thread takes and gives back, the
    heartbeat's thread renews; each database call may raise django.db.Error and is repeated."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._token = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._held: dict[int, _Held] = {}
        self._seen: dict[int, _Seen] = {}

    def name(self, job: int) -> str | None:
        """What the guardian calls the lease of `job`; None when it is not held here any more."""
        held = self._held.get(job)
        if held is None or held.until <= lease_clock():
            return None
        return _name(job, held.epoch)

    def renew(self) -> None:
        """Renew what is held. What ran out in the meantime must be taken anew."""
        sent = lease_clock()
        with self._lock:
            self._held = {job: held for job, held in self._held.items() if held.until > sent}
            jobs = list(self._held)
        if not jobs:
            return
        renewed = set(jobs)
        if Lease.renew(self._token, jobs) != len(jobs):
            still = Lease.objects.held_by(self._token, jobs)
            renewed = set(still.values_list("pk", flat=True))
        until, now = sent + LEASE_LASTS, lease_clock()
        with self._lock:
            for job in jobs:
                held = self._held.get(job)
                if held is None:
                    continue  # Given back meanwhile.
                if job in renewed and held.until > now:
                    self._held[job] = _Held(held.epoch, until)
                else:
                    del self._held[job]
            names = [_name(job, self._held[job].epoch) for job in jobs if job in self._held]
        self._launcher.renew(names, until)

    def take(self, jobs: Collection[int], instance: Instance) -> None:
        """Try to hold the leases of `jobs`, of which no process runs here."""
        missing = [job for job in jobs if self.name(job) is None]
        for job in self._seen.keys() - set(missing):
            del self._seen[job]
        if not missing:
            return
        asked = lease_clock()
        rows = {row.pk: row for row in Lease.objects.filter(pk__in=missing)}
        if absent := [job for job in missing if job not in rows]:
            Lease.objects.bulk_create([Lease(job_id=job) for job in absent], ignore_conflicts=True)
            rows |= {row.pk: row for row in Lease.objects.filter(pk__in=absent)}
        free = [row for row in rows.values() if self._is_free(row, instance, asked)]
        taken = _still_running_elsewhere([row.pk for row in free], instance) if free else set()
        for row in free:
            if row.pk not in taken:
                self._take(row, instance)

    def give_back(self, job: int) -> bool:
        """Let others have it; false when it was not held. Its process must have ended."""
        with self._lock:
            held = self._held.pop(job, None)
        return held is not None and Lease.release(self._token, job)

    def _is_free(self, row: Lease, instance: Instance, asked: float) -> bool:
        seen = self._seen.get(row.pk)
        if seen is None or (seen.epoch, seen.renewals) != (row.epoch, row.renewals):
            seen = self._seen[row.pk] = _Seen(row.epoch, row.renewals, lease_clock())
        # What an earlier worker process of this very instance held died with it.
        is_ours = row.holder_id in (None, instance.pk)
        return is_ours or asked - seen.since >= TAKE_OVER_AFTER

    def _take(self, row: Lease, instance: Instance) -> None:
        until = lease_clock() + LEASE_LASTS
        if not row.take(instance, self._token):
            return
        held = _Held(row.epoch + 1, until)
        with self._lock:
            self._held[row.pk] = held
        self._launcher.renew([_name(row.pk, held.epoch)], until)


def _name(job: int, epoch: int) -> str:
    return f"singleton-{job}-{epoch}"


def _still_running_elsewhere(jobs: Iterable[int], instance: Instance) -> set[int]:
    """Which of `jobs` run on another instance without a lease: they were no singletons before."""
    copies = Copy.objects.filter(
        job__in=jobs,
        is_leased=False,
        status__in=sorted(COPY_ALIVE),
        epoch=F("instance__epoch"),
        instance__stopped_at=None,
        instance__lost_at=None,
    )
    return set(copies.exclude(instance=instance).values_list("job", flat=True))
