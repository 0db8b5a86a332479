"""A portal on several machines: workers, beats and web processes with data directories of their
own, on a PostgreSQL and a Valkey of their own, of which everything may be killed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import Error
from django.utils import timezone

from tests.process.running import alive, marked
from tests.support.poll import until
from tests.support.rows import look_anew
from tests.support.services import Beat, Broker, Database, Service, Web, Worker
from webjobs import models

# What LOST_AFTER is here; every other time follows in proportion.
LOST_AFTER = 9
SHARE = LOST_AFTER / 30
START_SECONDS = 120
PASSWORD = "correct-horse-9"


class Fleet:
    """All processes of one portal. Short `folder`: sockets lie in it."""

    def __init__(self, folder: Path, *, workers: int, beats: int, webs: int) -> None:
        self.folder = folder
        self.packages = folder / "packages"
        self.packages.mkdir()
        self.database = Database(folder / "database")
        self.broker = Broker(folder / "broker")
        self.workers = [Worker(name, folder / name) for name in _names("worker", workers)]
        self.beats = [Beat(name, folder / name) for name in _names("beat", beats)]
        self.webs = [Web(name, folder / name) for name in _names("web", webs)]
        for service in self.clients:
            self._equip(service)

    def _equip(self, service: Service) -> None:
        """All but the storage of packages is its own."""
        (service.folder / "packages").symlink_to(self.packages)
        service.environ = {
            "ADMIN_PASSWORD": PASSWORD,
            "CELERY_SKIP_CHECKS": "1",
            "DATABASE_URL": self.database.url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "INSTANCE_NAME": service.name,
            "LOST_AFTER": str(LOST_AFTER),
            "PORT": str(service.port) if isinstance(service, Web) else "",
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": self.broker.url,
            "SECRET_KEY": settings.SECRET_KEY,
            "WEB_THREADS": "4",
        }

    @property
    def clients(self) -> list[Service]:
        """Those that use the database and the broker."""
        return [*self.webs, *self.workers, *self.beats]

    @property
    def services(self) -> list[Service]:
        return [self.database, self.broker, *self.clients]

    def start(self, *without: Service) -> None:
        """Start all but `without`, which may come later; returns when they are there."""
        self.database.start()
        self.broker.start()
        self.webs[0].start()
        until(self._is_prepared, seconds=START_SECONDS, what="the tables")
        for service in self.clients[1:]:
            if service not in without:
                service.start()
        self.wait_whole()

    def _is_prepared(self) -> bool:
        assert self.webs[0].is_alive, self.webs[0].output
        return health(self.webs[0].port) is not None

    def restart(self) -> None:
        """Start again what has ended, and wait until it is there."""
        for service in self.services:
            if service.was_started and not service.is_alive:
                service.start()
        self.wait_whole()

    def wait_whole(self, seconds: float = START_SECONDS) -> None:
        """Until every process that was started does its part."""
        look_anew()
        with suppress(AssertionError):
            until(lambda: not self.missing(), seconds=seconds, every=0.2)
        missing = self.missing()
        assert not missing, "\n".join([*missing, *(one.output[-2000:] for one in self.clients)])

    def missing(self) -> list[str]:
        """In words, which processes do not do their part."""
        here = [service for service in self.services if service.was_started]
        try:
            return [
                *(f"{one} has ended" for one in here if not one.is_alive),
                *(f"{one} is no instance" for one in self.workers if not self._is_live(one)),
                *(f"{one} does not answer" for one in self.webs if not is_healthy(one.port)),
                *(f"{one} does not tick" for one in self.beats if not self._ticks(one)),
            ]
        except Error as error:
            look_anew()
            return [f"the database refuses: {error}"]

    def _is_live(self, worker: Worker) -> bool:
        live = models.Instance.objects.live(timezone.now())
        return not worker.was_started or (
            live.filter(name=worker.name, beats__gt=0, versions__pid=str(worker.pid)).exists()
        )

    def _ticks(self, beat: Beat) -> bool:
        return models.Beat.objects.filter(key=f"{beat.name} {beat.pid}").exists()

    def close(self) -> list[int]:
        """Kill everything; gives the processes that are left behind, which there must not be."""
        for service in reversed(self.services):
            if isinstance(service, Worker) and service.is_alive:
                service.kill()
            else:
                service.cut()
        try:
            until(lambda: not self.job_processes(), seconds=10, every=0.2)
        except AssertionError:
            return self.job_processes()
        return []

    def job_processes(self) -> list[int]:
        """Every living process of the WebJobs that run here, grandchildren included."""
        entries = (f"WEBSITE_INSTANCE_ID={key}" for key in self.keys)
        return [pid for pid in marked(*entries) if alive(pid)]

    @property
    def keys(self) -> list[str]:
        """Of all instances that there have been."""
        return [path.read_text() for path in self.folder.glob("worker-*/instance*/key")]


def _names(kind: str, count: int) -> Iterator[str]:
    return (f"{kind}-{number}" for number in range(1, count + 1))


def health(port: int) -> dict[str, object] | None:
    """What /healthz says; None when nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as answer:
        return dict(json.load(answer))
    except (OSError, ValueError):
        return None


def is_healthy(port: int) -> bool:
    return (health(port) or {}).get("status") == "ok"
