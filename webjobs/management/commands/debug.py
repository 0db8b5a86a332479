"""`manage.py debug`: the developer's end of remote debugging. It needs no database."""

from __future__ import annotations

import http.client
import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webjobs.debug_client import DebugClient, Refused, Target, launch_configuration

URL = "http://127.0.0.1:8000"


class Command(BaseCommand):
    help = "Debug a continuous WebJob of a portal from this machine."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app")
        parser.add_argument("job", help="The name of a continuous WebJob")
        parser.add_argument("--slot", default="production")
        parser.add_argument("--instance", default="", help="By its name; any one without it")
        parser.add_argument("--url", default=URL, help=f"Of the portal; {URL} without it")
        parser.add_argument(
            "--token",
            default=os.environ.get("WEBJOBS_TOKEN", ""),
            help="An API token with the role Contributor; better in the variable WEBJOBS_TOKEN",
        )
        parser.add_argument("--ca", help="File with the certificate authority to trust")
        parser.add_argument("--port", type=int, default=0, help="Of this machine; a free one")
        parser.add_argument("--minutes", type=float, help="How long it may last; 15 without it")
        parser.add_argument(
            "--keep", action="store_true", help="Ctrl-C leaves the WebJob under its debugger"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["token"]:
            raise CommandError("An API token is needed: --token, or the variable WEBJOBS_TOKEN.")
        if not options["url"].startswith(("https://", "http://")):
            raise CommandError("--url must begin with https:// or http://.")
        target = Target(
            options["url"],
            options["token"],
            options["app"],
            options["job"],
            options["slot"],
            options["ca"],
        )
        client = DebugClient(target, self.stdout.write)
        try:
            self._debug(client, options)
        except (Refused, OSError, http.client.HTTPException) as error:
            raise CommandError(str(error)) from error

    def _debug(self, client: DebugClient, options: dict[str, Any]) -> None:
        try:
            client.start(options["instance"], options["minutes"])
            port = client.listen(options["port"])
            self._tell(client, options["job"], port)
            reason = client.serve()
            self.stdout.write(f"Debugging has ended. {reason}".rstrip())
        except KeyboardInterrupt:
            if options["keep"] or not client.session:
                client.close()
                return
            client.stop()
            self.stdout.write("Debugging was stopped; the WebJob goes on without it.")

    def _tell(self, client: DebugClient, job: str, port: int) -> None:
        session = client.session
        self.stdout.write(
            f"The debugger of {job} on {session['instance']} answers at 127.0.0.1:{port} "
            f"for {session['remaining_seconds'] // 60} min. Ctrl-C ends it."
        )
        if session["folder"]:
            self.stdout.write(f"The files are in {session['folder']} there.")
        found = launch_configuration(session, job, port)
        text = json.dumps({"version": "0.2.0", "configurations": [found]}, indent=4)
        self.stdout.write(f".vscode/launch.json:\n{text}")
        self.stdout.flush()
