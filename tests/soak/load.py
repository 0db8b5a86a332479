"""Requests for runs, without a pause, from clients that do not mind being refused."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

from tests.support.fleet import Fleet
from tests.support.workload import MANUAL, QUEUED, RETRIED, Job, Unanswered, Workload

# Seconds between two requests, on the average.
EVERY = 0.8
# WebJobs with the weight of each and what its runs get as arguments: lines, seconds between them,
# and whether a process is left behind.
KINDS: tuple[tuple[int, Job, tuple[str, ...]], ...] = (
    (5, MANUAL, ("1 0", "20 0.2", "30 0.25 child", "300 0", "5 0.1 child")),
    (3, RETRIED, ("15 0.3", "3 0.1 child", "200 0 child")),
    (2, QUEUED, ("2 0.1", "1 0 child")),
)


class Client(threading.Thread):
    """Asks for runs until it is told to stop."""

    def __init__(self, fleet: Fleet, load: Workload, random: Random) -> None:
        super().__init__(name="client", daemon=True)
        self.refusals: Counter[str] = Counter()
        self._fleet = fleet
        self._load = load
        self._random = random
        self._stopping = threading.Event()

    def run(self) -> None:
        weights = [weight for weight, _, _ in KINDS]
        while not self._stopping.wait(self._random.expovariate(1 / EVERY)):
            _, job, arguments = self._random.choices(KINDS, weights)[0]
            web = self._random.choice(self._fleet.webs)
            try:
                self._load.run(web.port, job, self._random.choice(arguments))
            except Unanswered as error:
                self.refusals[error.brief] += 1

    def stop(self) -> None:
        """Returns after its last request."""
        self._stopping.set()
        self.join(60)
