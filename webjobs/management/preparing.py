"""Bringing a data directory and a database up to date, before the processes start."""

from __future__ import annotations

import logging
from collections.abc import Callable

from portal import startup
from portal.config import Config
from webjobs import dispatch, first_start


def prepare(config: Config, say: Callable[[str], None]) -> first_start.Account | None:
    """Check, migrate, collect static files and, in a new portal, make what it begins with.

    Gives the account that was made at the first start. Several may call it at the same time on one
    PostgreSQL: one prepares, the others wait for it. Raises startup.CannotStart.
    """
    # No worker runs yet that could be told of the first WebJobs.
    logging.getLogger("webjobs.outages").setLevel(logging.ERROR)
    startup.check_settings()
    startup.check_database()
    startup.collect_static(say)
    with startup.one_at_a_time():
        startup.migrate(say)
        try:
            return first_start.prepare(config.admin_username, config.admin_password, say)
        except dispatch.Refused as error:
            raise startup.CannotStart(error.message) from error


def account_lines(account: first_start.Account | None, config: Config) -> list[str]:
    """What a person must be told of a new account; nothing without one."""
    if account is None:
        return []
    password = (
        f"{account.password}  (shown only now; change it after signing in)"
        if account.password
        else f"the one that was set with {config.admin_password_set_by}"
    )
    return [f"User name: {account.user_name}", f"Password:  {password}"]
