"""Who asks, how a refusal is told, and the record of what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_noop

from webjobs.models import App, AuditEntry, Slot, WebJob
from webjobs.models.prepared import Given, PreparedInsert, PreparedQuery
from webjobs.reasons import Param, Reason

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Azure's own words. They leave here in English; pages translate them.
ALREADY_RUNNING = gettext_noop("Cannot start a new run since job is already running.")
STOPPED = gettext_noop('WebJobs are currently in "stopped" state.')
ALREADY_EXISTS = gettext_noop("The WebJob already exists.")

GONE = gettext_noop("This WebJob is being deleted.")
# What the column of the audit entries takes.
TARGET_MAX_LENGTH = 300


@dataclass(frozen=True)
class Actor:
    """Who asks, for the record. `user` is None for the portal itself."""

    user: User | None
    name: str
    address: str | None = None


PORTAL = Actor(user=None, name="WebJobs Portal")


_HELD = PreparedQuery(
    lambda: (
        WebJob.objects.living()
        .filter(pk=Given("pk"))
        .select_related("slot__app")
        .defer("slot__publishing_password")
        .select_for_update(of=("self",))
    )
)


_RECORD = PreparedInsert(AuditEntry)


class Refused(Reason):
    """What was asked cannot be done; `status` is the HTTP status that says so."""

    def __init__(self, code: str, text: str, status: int = 409, **params: Param) -> None:
        super().__init__(code, text, **params)
        self.status = status


def record(
    actor: Actor, action: str, where: Slot | App | None, target: str, **details: Any
) -> None:
    """Write the audit entry of an action; `where` is None for what belongs to the whole portal.

    Never pass a secret in `details`.
    """
    app = where.app if isinstance(where, Slot) else where
    parts = [str(part) for part in (where, target) if part]
    _RECORD(
        AuditEntry(
            user=actor.user,
            user_name=actor.name,
            address=actor.address,
            action=action,
            app=app,
            target="/".join(parts)[:TARGET_MAX_LENGTH],
            details=details,
        )
    )


def hold(job: WebJob) -> None:
    """Lock the row of `job` until the transaction ends, and bring `job` up to date.

    Raises Refused when it is being deleted: whoever has it locked knows that it stays.
    """
    held = _HELD.first(pk=job.pk)
    if held is None:
        raise Refused("gone", GONE, 404)
    for field in WebJob._meta.concrete_fields:
        setattr(job, field.attname, getattr(held, field.attname))
    # Not the package and the schedule that belonged to what it was before.
    job._state.fields_cache = held._state.fields_cache


def path_of(job: WebJob) -> str:
    """How a WebJob is named in the record: `triggered/nightly`."""
    return f"{job.type}/{job.name}"
