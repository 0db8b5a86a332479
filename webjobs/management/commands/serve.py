"""`manage.py serve`: the web process alone, for several machines."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from portal import processes, startup
from portal.config import Config
from portal.output import Output
from webjobs.management.preparing import account_lines, prepare


class Command(BaseCommand):
    help = "Prepare the database and serve the pages; worker and beat run elsewhere."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        config: Config = settings.CONFIG
        output = Output()
        try:
            account = prepare(config, lambda text: output.line("web", text))
        except startup.CannotStart as error:
            sys.exit(f"Cannot start: {error}")
        for line in account_lines(account, config):
            output.line("web", line)
        connections.close_all()
        host = f"[{config.host}]" if ":" in config.host else config.host
        command = processes.web(config, bind=f"{host}:{config.port}").command
        os.execv(command[0], command)  # noqa: S606
