"""What may befall the processes of a portal, at random and several things at a time."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from random import Random

from tests.support.fleet import LOST_AFTER, Fleet
from tests.support.services import Service, Worker
from tests.support.workload import Workload

# Seconds between two faults.
PAUSE = (1.0, 8.0)
# How often something is looked at that is due.
STEP = 0.2
# How long the database is away; up to two thirds of LOST_AFTER cost no run.
AWAY = (1.0, 20.0)
# How long a process stands still: a moment, or for so long that others take its work over.
STILL = (1.0, 2 * LOST_AFTER)
# How long something that was killed stays away.
DEAD = (0.0, 1.5 * LOST_AFTER)
# Within which a worker that is asked to ends.
IN_ORDER = 60.0


class Faults:
    """Kills, stops and starts parts of `fleet`; `say` is told of each fault in words."""

    def __init__(
        self, fleet: Fleet, load: Workload, random: Random, say: Callable[[str], None]
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._fleet = fleet
        self._load = load
        self._random = random
        self._say = say
        # What was done to a service is undone at that monotonic time.
        self._undo: dict[Service, tuple[float, Callable[[], None]]] = {}
        self._kinds: list[tuple[str, int, Callable[[str], None]]] = [
            ("kill a worker", 4, self._kill_worker),
            ("kill a worker with all it runs", 2, self._cut_worker),
            ("kill a guardian", 2, self._kill_guardian),
            ("end a worker in order", 2, self._end_worker),
            ("stop a worker for a while", 3, self._stop_worker),
            ("kill a beat", 2, self._kill_beat),
            ("stop a beat for a while", 1, self._stop_beat),
            ("kill a web", 2, self._kill_web),
            ("kill the broker", 1, self._kill_broker),
            ("kill the broker with its data", 1, self._lose_broker),
            ("kill the database", 1, self._kill_database),
            ("stop the database", 2, self._stop_database),
            ("cut the power", 1, self._cut_power),
        ]

    def go_on(self, seconds: float) -> None:
        """Let things happen for so long."""
        end = time.monotonic() + seconds
        following = time.monotonic()
        while (now := time.monotonic()) < end:
            self._undo_due(now)
            self._keep()
            if now >= following:
                self._happen()
                following = time.monotonic() + self._random.uniform(*PAUSE)
            time.sleep(STEP)

    def end(self) -> None:
        """Undo what has been done; what was killed is left to be started again."""
        self._undo_due(float("inf"))

    def _undo_due(self, now: float) -> None:
        # In the order of the services: nothing starts without its database.
        for service in self._fleet.services:
            at, undo = self._undo.get(service, (float("inf"), None))
            if undo is not None and at <= now:
                del self._undo[service]
                undo()

    def _keep(self) -> None:
        """Start again what has ended by itself, as systemd and containers do."""
        for service in self._fleet.services:
            if not service.is_alive and service not in self._undo:
                self._note("(ended by itself)", service, 0.0)
                service.start()

    def _happen(self) -> None:
        names, weights, acts = zip(*self._kinds, strict=True)
        index = self._random.choices(range(len(names)), weights)[0]
        acts[index](names[index])

    def _one_of(self, services: list[Service]) -> Service | None:
        """One to which nothing has happened; drawn in any case, so that a seed is repeatable."""
        service = self._random.choice(services)
        return None if service in self._undo else service

    def _note(self, what: str, service: object, seconds: float) -> None:
        self.counts[what] += 1
        self._say(f"{what}: {service}, for {seconds:.1f} s")

    def _kill(self, what: str, services: list[Service], kill: Callable[[Service], None]) -> None:
        service, seconds = self._one_of(services), self._random.uniform(*DEAD)
        if service is None:
            return
        self._note(what, service, seconds)
        kill(service)

        def start() -> None:
            service.wait(IN_ORDER)
            service.start()

        self._undo[service] = time.monotonic() + seconds, start

    def _stand_still(self, what: str, services: list[Service]) -> None:
        service, seconds = self._one_of(services), self._random.uniform(*STILL)
        if service is None:
            return
        self._note(what, service, seconds)
        stack = ExitStack()
        stack.enter_context(self._load.disturbed())
        service.signal(signal.SIGSTOP)
        stack.callback(service.go_on)
        self._undo[service] = time.monotonic() + seconds, stack.close

    def _kill_worker(self, what: str) -> None:
        self._kill(what, [*self._fleet.workers], lambda one: one.kill())

    def _cut_worker(self, what: str) -> None:
        self._kill(what, [*self._fleet.workers], lambda one: one.cut())

    def _end_worker(self, what: str) -> None:
        self._kill(what, [*self._fleet.workers], lambda one: one.signal(signal.SIGTERM))

    def _kill_guardian(self, what: str) -> None:
        worker = self._one_of([*self._fleet.workers])
        if isinstance(worker, Worker) and (guardian := worker.guardian()):
            self._note(what, worker, 0.0)
            guardian.kill()

    def _stop_worker(self, what: str) -> None:
        self._stand_still(what, [*self._fleet.workers])

    def _kill_beat(self, what: str) -> None:
        self._kill(what, [*self._fleet.beats], lambda one: one.kill())

    def _stop_beat(self, what: str) -> None:
        self._stand_still(what, [*self._fleet.beats])

    def _kill_web(self, what: str) -> None:
        self._kill(what, [*self._fleet.webs], lambda one: one.cut())

    def _kill_broker(self, what: str) -> None:
        self._kill(what, [self._fleet.broker], lambda one: one.kill())

    def _lose_broker(self, what: str) -> None:
        def lose(one: Service) -> None:
            one.kill()
            self._fleet.broker.lose_data()

        self._kill(what, [self._fleet.broker], lose)

    def _kill_database(self, what: str) -> None:
        self._take_database_away(what, self._fleet.database.kill)

    def _stop_database(self, what: str) -> None:
        self._take_database_away(what, self._fleet.database.stop)

    def _take_database_away(self, what: str, act: Callable[[], None]) -> None:
        database, seconds = self._fleet.database, self._random.uniform(*AWAY)
        if database in self._undo:
            return
        self._note(what, "", seconds)
        stack = ExitStack()
        stack.enter_context(self._load.disturbed())
        act()
        stack.callback(database.start)
        self._undo[database] = time.monotonic() + seconds, stack.close

    def _cut_power(self, what: str) -> None:
        """Everything at once; it comes back at once, too."""
        self._note(what, "", 0.0)
        with self._load.disturbed():
            for service in self._fleet.services:
                service.cut()
            self._undo_due(float("inf"))
            for service in self._fleet.services:
                if not service.is_alive:
                    service.start()
