"""Which runs of a history a client wants to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from webjobs.api.documents import runs_with_parts
from webjobs.dispatch import Refused
from webjobs.models import Run, WebJob
from webjobs.states import RunStatus, Trigger

MAX_RUNS = 1000


@dataclass(frozen=True)
class Wanted:
    """Filters of a history; None leaves a filter out."""

    status: frozenset[str] | None = None
    trigger: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # only runs with a smaller id
    limit: int = MAX_RUNS

    def of(self, job: WebJob) -> QuerySet[Run]:
        """Newest first, one more than `limit` at most: so that one sees whether more follow."""
        found = Q(job=job)
        if self.status is not None:
            found &= Q(status__in=self.status)
        if self.trigger is not None:
            found &= Q(trigger=self.trigger)
        if self.since is not None:
            found &= Q(queued_at__gte=self.since)
        if self.until is not None:
            found &= Q(queued_at__lt=self.until)
        if self.before is not None:
            found &= Q(number__lt=self.before)
        runs = runs_with_parts(Run.objects.filter(found).order_by("-number"))
        return runs[: self.limit + 1]


def wanted(query: QueryDict, *, limit: int | None = None, before: int | None = None) -> Wanted:
    """`status` (several with commas), `trigger`, `from`, `to`, `before`, `limit`.

    Where paging has other names its values are handed in.
    """
    return Wanted(
        status=_statuses(query.get("status")),
        trigger=_one_of(query.get("trigger"), "trigger", [item.value for item in Trigger]),
        since=_time(query.get("from"), "from"),
        until=_time(query.get("to"), "to"),
        before=before or _integer(query.get("before"), "before", 10**18),
        limit=limit or _integer(query.get("limit"), "limit", MAX_RUNS) or MAX_RUNS,
    )


def _refuse(name: str, right: str) -> Refused:
    return Refused("BadRequest", f"{name}: must be {right}.", 400)


def _one_of(text: str | None, name: str, values: list[str]) -> str | None:
    if not text:
        return None
    found = next((value for value in values if value.lower() == text.lower()), None)
    if found is None:
        raise _refuse(name, "one of " + ", ".join(values))
    return found


def _statuses(text: str | None) -> frozenset[str] | None:
    values = [item.value for item in RunStatus]
    found = {_one_of(part.strip(), "status", values) for part in (text or "").split(",")}
    statuses = frozenset(status for status in found if status)
    # What clients see as Initializing may be waiting for an instance.
    if RunStatus.INITIALIZING in statuses:
        statuses |= {RunStatus.QUEUED}
    return statuses or None


def _time(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        # A plus that was not encoded arrives as a blank.
        found = parse_datetime(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        found = None
    if found is None:
        raise _refuse(name, "a time such as 2026-11-22T16:00:00Z")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _integer(text: str | None, name: str, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 18 or not 1 <= int(text) <= most:
        raise _refuse(name, f"a whole number from 1 to {most}")
    return int(text)
