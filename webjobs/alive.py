"""A file that a process touches while it works: its age tells others on this machine whether it
does, without starting Python or asking the database."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings


def touch(name: str) -> None:
    """Renew `DATA_DIR/{name}.alive`. Never raises: a full disk must not stop who works."""
    with suppress(OSError):
        (settings.WEBJOBS_DATA_DIR / f"{name}.alive").touch()
