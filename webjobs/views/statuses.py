"""The word and the colour of a status of the engine: one for all pages."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from webjobs.states import CopyStatus, RunStatus

# The colour of a status, as in Azure's history: ok, busy, warn, bad or none.
KINDS: dict[str, str] = {
    RunStatus.QUEUED: "warn",
    RunStatus.INITIALIZING: "warn",
    RunStatus.RUNNING: "busy",
    RunStatus.SUCCESS: "ok",
    RunStatus.FAILED: "bad",
    RunStatus.ABORTED: "bad",
    RunStatus.SKIPPED: "none",
    RunStatus.MISSED: "warn",
    CopyStatus.STARTING: "warn",
    CopyStatus.PENDING_RESTART: "warn",
    CopyStatus.STOPPING: "warn",
    CopyStatus.STOPPED: "warn",
    CopyStatus.INACTIVE_INSTANCE: "bad",
}


_WORDS = {
    "Ready": gettext_noop("Ready"),
    "Queued": gettext_noop("Queued"),
    "Initializing": gettext_noop("Initializing"),
    "Running": gettext_noop("Running"),
    "Success": gettext_noop("Success"),
    "Failed": gettext_noop("Failed"),
    "Aborted": gettext_noop("Aborted"),
    "Skipped": gettext_noop("Skipped"),
    "Missed": gettext_noop("Missed"),
    "Starting": gettext_noop("Starting"),
    "PendingRestart": gettext_noop("Pending restart"),
    "Stopping": gettext_noop("Stopping"),
    "Stopped": gettext_noop("Stopped"),
    "InactiveInstance": gettext_noop("Inactive instance"),
}


def status_word(status: str) -> str:
    """The word that pages show for a status of the engine."""
    return _(_WORDS[status]) if status in _WORDS else status


def kind_of(status: str) -> str:
    return KINDS.get(status, "none")
