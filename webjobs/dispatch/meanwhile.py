"""Two people change one WebJob at once: the second one is refused, and told what the first did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from webjobs.dispatch.asking import Refused
from webjobs.models import WebJob

CHANGED_MEANWHILE = gettext_noop("Somebody else has changed this WebJob meanwhile.")


class Changed(Refused):
    """What was seen is not so any more: `keys` are those that differ, `seen` and `now` are what
    was and what is."""

    def __init__(self, seen: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        super().__init__("changed", CHANGED_MEANWHILE)
        self.seen, self.now = seen, now
        self.keys = [key for key in seen if seen[key] != now.get(key)]


def present(job: WebJob) -> dict[str, Any]:
    """What can be changed of `job`, by the names of settings.job; None is not said there."""
    schedule = getattr(job, "schedule", None)
    return job.settings_job | {
        "is_enabled": schedule.is_enabled if schedule else None,
        "package": job.package.sha256,
    }


def require_seen(job: WebJob, seen: Mapping[str, Any] | None) -> None:
    """Raises Changed unless `job`, which is held, still has what was `seen` of it. Without `seen`
    whoever asks did not look, and there is nothing to compare."""
    now = present(job)
    if seen and any(now.get(key) != value for key, value in seen.items()):
        raise Changed(seen, now)
