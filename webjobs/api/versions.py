"""What a client has already: ETags of WebJobs that cost a fraction of their documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone

from webjobs.api.answers import tags_of
from webjobs.api.arm_mode import variant_of
from webjobs.api.links import root_of, scm_of
from webjobs.dotnet import time_text
from webjobs.models import Instance, Slot
from webjobs.models.prepared import PreparedQuery
from webjobs.states import RUN_ACTIVE

# Whatever a document tells changes one of these.
_FACTS = (
    "job.id", "job.revision", "job.is_stopped", "schedule.changed_at", "schedule.last_occurrence",
    "scheduler_log.id", "run.id", "run.status", "run.started_at", "run.ended_at",
    "run.instance_id", "run.retry_of_id", "run_log.id",
)  # fmt: skip
# Each fact of all WebJobs as one text, which the database makes in a fraction of the time that a
# thousand rows cost Python. No fact has a comma.
_TEXT = {
    "sqlite": "group_concat(COALESCE({}, ''))",
    "postgresql": "string_agg(COALESCE(CAST({} AS text), ''), ',' ORDER BY job.id)",
}
_ACTIVE = ", ".join(f"'{status}'" for status in sorted(RUN_ACTIVE))
# A database finds the newest run of each by its index.
_JOBS = """
    SELECT COUNT(CASE WHEN run.status IN ({active}) THEN 1 END), {facts}
    FROM webjobs_webjob AS job
    LEFT JOIN webjobs_schedule AS schedule ON schedule.job_id = job.id
    LEFT JOIN webjobs_log AS scheduler_log ON scheduler_log.schedule_id = schedule.id
    LEFT JOIN webjobs_run AS run ON run.id = (
        SELECT id FROM webjobs_run
        WHERE job_id = job.id AND status NOT IN ('Skipped', 'Missed')
        ORDER BY number DESC LIMIT 1
    )
    LEFT JOIN webjobs_log AS run_log ON run_log.run_id = run.id
    WHERE job.slot_id = %s AND job.deleted_at IS NULL AND {only}
"""
_COPIES = """
    SELECT copy.id, copy.instance_id, copy.status, CAST(copy.changed_at AS text), copy.restarts,
        copy.fast_failures, copy.last_error, copy.reason
    FROM webjobs_copy AS copy JOIN webjobs_webjob AS job ON job.id = copy.job_id
    WHERE job.slot_id = %s AND job.deleted_at IS NULL AND job.type = 'continuous' AND {only}
    ORDER BY copy.id
"""
# Those that have gone too: runs of theirs are told by their names.
_INSTANCES = PreparedQuery(
    lambda: Instance.objects.only("name", "heartbeat_at", "stopped_at", "lost_at").order_by("pk")
)


@dataclass(frozen=True)
class Version:
    """The state of some WebJobs. A document also tells their next runs, which change with time
    alone: until the first of them is how long an ETag is good, and it ends with that moment."""

    digest: str

    def etag(self, documents: Iterable[Mapping[str, Any]]) -> str:
        """The strong ETag of `documents`, which were made of this state."""
        coming = [one["next_run"] for one in documents if one["next_run"]]
        return f'"{self.digest}-{min(coming, default="")}"'

    def not_modified(self, request: HttpRequest) -> HttpResponse | None:
        """304 when the client has the document of this state, and it is still true."""
        now = time_text(timezone.now()) or ""
        for tag in tags_of(request):
            digest, _, until = tag.strip('"').partition("-")
            if tag == "*" or (digest == self.digest and (not until or now < until)):
                return HttpResponseNotModified(headers={} if tag == "*" else {"ETag": tag})
        return None


def version_of(
    request: HttpRequest, slot: Slot, *, type: str | None = None, job: int | None = None
) -> Version:
    """Of all WebJobs of `slot`, of those of one type, or of one."""
    values: list[int | str] = [slot.pk]
    only = "TRUE"
    if job is not None:
        only, values = "job.id = %s", [*values, job]
    elif type:
        only, values = "job.type = %s", [*values, type.lower()]
    with connection.cursor() as cursor:
        cursor.execute(_jobs_sql(only), values)
        active, *jobs = cursor.fetchone()
        cursor.execute(_COPIES.format(only=only), values)
        copies = cursor.fetchall()
    now = timezone.now()
    instances = [(one.pk, one.name, one.is_live(now)) for one in _INSTANCES.all()]
    # The length of a run in progress changes all the time, and the place of one that waits for
    # its turn with what is before it.
    moment = now if active else None
    addresses = scm_of(request, slot), root_of(request), variant_of(request)
    state = (addresses, slot.settings_revision, instances, jobs, copies, moment)
    return Version(hashlib.sha256(repr(state).encode()).hexdigest()[:32])


def _jobs_sql(only: str) -> str:
    text = _TEXT[connection.vendor]
    return _JOBS.format(active=_ACTIVE, facts=", ".join(map(text.format, _FACTS)), only=only)
