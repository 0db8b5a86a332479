"""What a WebJob's schedule means."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from webjobs import ncrontab
from webjobs.models import WebJob
from webjobs.telling import told
from webjobs.views.add import preview


def preview_of(job: WebJob, zone: ZoneInfo) -> dict[str, Any] | None:
    """Words, warnings and next times, or the `error`; None for a WebJob without schedule."""
    schedule = getattr(job, "schedule", None)
    if schedule is None:
        return None
    try:
        return preview(ncrontab.parse(schedule.expression), zone, get_language() or "en")
    except ncrontab.NcrontabError as error:
        return {"error": told(error)}
