"""`manage.py apitoken`: make a token for scripts, as on the page of tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from webjobs.dispatch import PORTAL, record
from webjobs.models import ApiToken, App, Role

ROLES = {role.label.lower(): role for role in Role}


class Command(BaseCommand):
    help = "Make an API token and print its secret, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="In whose name it acts")
        parser.add_argument("name", help="What it is for")
        parser.add_argument(
            "--role", choices=ROLES, default="reader", help="What it allows at most"
        )
        parser.add_argument("--app", help="The only app that it opens")
        parser.add_argument("--days", type=int, help="How long it is good for")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        app = None
        if options["app"] is not None:
            app = App.objects.filter(name__iexact=options["app"]).first()
            if app is None:
                raise CommandError(f"There is no app {options['app']!r}.")
        days = options["days"]
        expires_at = timezone.now() + timedelta(days=days) if days else None
        role = ROLES[options["role"]]
        token, secret = ApiToken.issue(user, options["name"], role, app=app, expires_at=expires_at)
        record(PORTAL, "token.create", app, token.name, user=user.get_username())
        self.stdout.write(secret)
