"""`manage.py up`: the whole portal on this machine, in the foreground."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from portal import keeper, processes, startup, tls
from portal.config import Config
from portal.output import Output
from portal.watching import HEALTH, Probe
from webjobs import first_start
from webjobs.management.preparing import account_lines, prepare


class Command(BaseCommand):
    help = "Start the portal: web, worker, beat and, unless REDIS_URL is set, a broker."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--tls",
            action="store_true",
            help="Serve https with a certificate of this machine's own authority.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        config: Config = settings.CONFIG
        output = Output()
        try:
            lock = startup.lock(config.data_dir)
            listener = startup.listen(config.host, config.port)
            startup.prepare_broker(config)
            files = startup.certificate(config) if options["tls"] else None
            account = _prepare_apart(config, output)
        except startup.CannotStart as error:
            sys.exit(f"Cannot start: {error}")
        except KeyboardInterrupt:
            sys.exit("Stopped before it had started.")
        if os.geteuid() == 0:
            output.line(
                "up", "running as root, and so will WebJobs; better use a user of their own"
            )
        processes.preload()
        address = startup.address(config.host, config.port, "https" if files else "http")
        welcome = _welcome(address, account_lines(account, config), files)
        probe = Probe(
            startup.reachable(listener),
            lambda: output.block(*welcome),
            tls.client_hello() if files else HEALTH,
        )
        keeper.keep(processes.plan(config, listener.fileno(), files), output, probe)
        output.line("up", "everything has stopped")
        listener.close()
        os.close(lock)


def _prepare_apart(config: Config, output: Output) -> first_start.Account | None:
    """Prepare in a process of its own: what that takes in memory is not passed on to the others,
    and neither is a database connection."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_prepare, args=(config, output, sender))
    child.start()
    sender.close()
    try:
        answer: first_start.Account | startup.CannotStart | None = receiver.recv()
    except EOFError:
        child.join()
        raise startup.CannotStart("the preparation has failed, see above.") from None
    child.join()
    if isinstance(answer, startup.CannotStart):
        raise answer
    return answer


def _prepare(config: Config, output: Output, sender: Connection) -> None:
    try:
        sender.send(prepare(config, lambda text: output.line("up", text)))
    except startup.CannotStart as error:
        sender.send(error)
    except KeyboardInterrupt:
        os._exit(130)


def _welcome(address: str, account: Sequence[str], files: tls.Files | None) -> list[str]:
    trust = [f"Clients must trust the authority in {files.authority}"] if files else []
    return [f"WebJobs Portal answers at {address}", *account, *trust, "Ctrl-C stops it."]
