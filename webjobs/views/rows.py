"""WebJobs as lists show them: one status, the schedule, the next and the last run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from webjobs import ncrontab, retelling, timezones
from webjobs.models import (
    Copy,
    DebugSession,
    EngineSettings,
    Instance,
    Run,
    Slot,
    WebJob,
)
from webjobs.models.recent import RecentRun, recent_runs
from webjobs.models.setting import slot_engine_settings
from webjobs.states import COPY_ALIVE, CopyStatus, RunStatus
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.statuses import kind_of, status_word
from webjobs.views.waiting import words_of_newest

# Many WebJobs share few expressions, and every refresh asks for them again.
_parsed = lru_cache(maxsize=1024)(ncrontab.parse)


@lru_cache(maxsize=1024)
def _told_schedule(expression: str, language: str) -> str:
    """The expression, and below it what it means unless it means nothing."""
    try:
        return f"{expression}\n{_parsed(expression).describe(language)}"
    except ncrontab.NcrontabError:
        return expression


# So many are drawn, again every few seconds, in the time that a page may take.
ROWS_PER_PAGE = 50
# Marks of the small bar of a row.
BAR_RUNS = 20


def zone_of(job: WebJob, engine: EngineSettings) -> ZoneInfo:
    """The zone that the schedule of `job` is read in."""
    schedule = getattr(job, "schedule", None)
    if schedule is None or not schedule.time_zone:
        return engine.zone
    try:
        return timezones.resolve(schedule.time_zone)
    except timezones.UnknownTimeZone:
        return engine.zone


# Without what no list tells of a run and may be long.
_RUNS = Run.objects.select_related("instance").defer(
    "trigger_text", "arguments", "script", "stop_reason", "instance__interpreters"
)

_DEBUGGED = DebugSession.objects.unended().filter(
    job=OuterRef("job"), instance=OuterRef("instance")
)


def _live_copies(jobs: Sequence[WebJob], now: datetime) -> dict[int, list[Copy]]:
    """The copies on instances that are there, by WebJob; in the order of the instances' names."""
    found: dict[int, list[Copy]] = {}
    continuous = [job.pk for job in jobs if job.is_continuous]
    if continuous:
        copies = Copy.objects.filter(job__in=continuous).select_related("instance")
        copies = copies.annotate(is_debugged=Exists(_DEBUGGED))
        for copy in copies.order_by("instance__name"):
            if copy.instance.is_live(now):
                found.setdefault(copy.job_id, []).append(copy)
    return found


@dataclass(frozen=True)
class Row:
    """One WebJob in a list. `status` is the engine's word, `status_words` what is shown."""

    job: WebJob
    status: str
    status_words: str
    kind: str
    why: str  # the reason behind the status, for the hover
    at: datetime | None  # behind the status words: `Completed 3 d ago`
    next_run: datetime | None
    next_title: str
    last_run: Run | None
    base: str  # address of the WebJob's commands, ends with /
    history: str  # address of its history page
    copies: Sequence[Copy] = ()
    recent: Sequence[RecentRun] = ()  # the last runs, oldest first

    @property
    def key(self) -> str:
        return f"{self.job.type}/{self.job.name}"

    @property
    def schedule(self) -> str:
        schedule = getattr(self.job, "schedule", None)
        return schedule.expression if schedule else ""

    @property
    def schedule_title(self) -> str:
        """What a list shows of the schedule on hover."""
        return _told_schedule(self.schedule, get_language() or "en")

    @property
    def is_enabled(self) -> bool:
        schedule = getattr(self.job, "schedule", None)
        return schedule is not None and schedule.is_enabled

    @property
    def instances(self) -> list[str]:
        """The names of the instances that it runs on, or that its last run was executed on."""
        if self.job.is_continuous:
            return [copy.instance.name for copy in self.copies if copy.status in COPY_ALIVE]
        executed_on = self.last_run.instance if self.last_run else None
        return [executed_on.name] if executed_on else []

    @property
    def where(self) -> str:
        """`on blue`, `on 2 instances`; empty when it has not run."""
        names = self.instances
        if len(names) == 1:
            return _("on %(name)s") % {"name": Truncator(names[0]).chars(24)}
        text = ngettext("on %(count)d instance", "on %(count)d instances", len(names))
        return text % {"count": len(names)} if names else ""

    @property
    def is_active(self) -> bool:
        """Whether a run of a triggered WebJob is queued or executing."""
        return self.last_run is not None and not self.last_run.is_final

    @property
    def can_start(self) -> bool:
        waits = any(copy.status == CopyStatus.PENDING_RESTART for copy in self.copies)
        return self.job.is_continuous and (self.job.is_stopped or waits)

    @property
    def can_stop(self) -> bool:
        return self.job.is_continuous and not self.job.is_stopped

    @property
    def is_debugged(self) -> bool:
        """A copy of it is under a debugger, or is about to be."""
        return any(getattr(copy, "is_debugged", False) for copy in self.copies)

    @property
    def crash_looping(self) -> Copy | None:
        found = [copy for copy in self.copies if copy.crash_looping_since]
        return found[0] if found else None


@dataclass(frozen=True)
class Page:
    """Some of the WebJobs of a slot, which has `count` of them with `wanted` in their name.

    `previous` and `following` are the keys behind which the neighbouring pages begin; None where
    there is none, and `previous` is empty for the first page.
    """

    rows: list[Row]
    wanted: str
    after: str
    previous: str | None
    following: str | None
    first: int
    count: int

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def _key(job: WebJob) -> str:
    return f"{job.name.lower()}/{job.type}"


def _key_before(jobs: QuerySet[WebJob], place: int) -> str:
    """The key of the WebJob just before `place`, counted from 0; empty at the start."""
    return _key(jobs[place - 1]) if place > 0 else ""


class Rows:
    """Builds the rows of one slot; reads what they share only once."""

    def __init__(self, slot: Slot, *, bars: bool = False) -> None:
        """`bars` asks for the last runs as well, which only the blade shows."""
        self.slot = slot
        self._bars = bars
        self.now = timezone.now()
        self.engine = slot_engine_settings(slot)
        self.has_instance = Instance.objects.live(self.now).exists()
        self._blade = slot_url(slot, "webjobs")
        self._history = slot_url(slot, "history")
        self._waits: Mapping[int, str] = {}

    def page(self, wanted: str = "", after: str = "") -> Page:
        """The WebJobs with `wanted` in their name, by name, from behind the key `after` on."""
        jobs = WebJob.objects.living().filter(slot=self.slot, name__icontains=wanted)
        jobs = jobs.annotate(lower=Lower("name")).order_by("lower", "type")
        name, _slash, type = after.partition("/")
        behind = Q(lower__gt=name) | Q(lower=name, type__gt=type)
        rows = self._rows((jobs.filter(behind) if name else jobs)[: ROWS_PER_PAGE + 1])
        shown = rows[:ROWS_PER_PAGE]
        earlier = jobs.exclude(behind).count() if name else 0
        is_last = len(rows) <= ROWS_PER_PAGE
        return Page(
            rows=shown,
            wanted=wanted,
            after=after,
            previous=_key_before(jobs, earlier - ROWS_PER_PAGE) if earlier else None,
            following=None if is_last else _key(shown[-1].job),
            first=earlier + 1,
            count=earlier + len(shown) if is_last else jobs.count(),
        )

    def one(self, job: WebJob) -> Row:
        return self._rows(WebJob.objects.filter(pk=job.pk))[0]

    def _rows(self, jobs: QuerySet[WebJob]) -> list[Row]:
        latest = Run.objects.executed().filter(job=OuterRef("pk")).order_by("-number")
        found = list(
            jobs.select_related("schedule").annotate(latest=Subquery(latest.values("pk")[:1]))
        )
        newest: dict[int, int | None] = {job.pk: getattr(job, "latest", None) for job in found}
        runs = _RUNS.in_bulk([pk for pk in newest.values() if pk])
        for job in found:
            job.slot = self.slot
            if run := runs.get(newest[job.pk] or 0):
                run.job = job
        self._waits = words_of_newest(runs.values(), self.now)
        triggered = [job.pk for job in found if not job.is_continuous]
        recent = recent_runs(triggered, BAR_RUNS) if self._bars else {}
        copies = _live_copies(found, self.now)
        return [
            self._row(
                job, runs.get(newest[job.pk] or 0), copies.get(job.pk, []), recent.get(job.pk, [])
            )
            for job in found
        ]

    def _row(
        self, job: WebJob, run: Run | None, copies: list[Copy], recent: list[RecentRun]
    ) -> Row:
        path = f"{job.type}/{job.name}/"
        if job.is_continuous:
            status, words, why = self._continuous(job, copies)
            at = None
        else:
            status, words, why, at = _triggered(run, self._waits)
        next_run, next_title = self._next(job)
        return Row(
            job=job,
            status=status,
            status_words=words,
            kind=kind_of(status),
            why=why,
            at=at,
            next_run=next_run,
            next_title=next_title,
            last_run=run,
            base=self._blade + path,
            history=self._history + path,
            copies=copies,
            recent=recent,
        )

    def _continuous(self, job: WebJob, copies: list[Copy]) -> tuple[str, str, str]:
        if job.is_stopped or self.engine.stopped:
            alive = any(copy.status in COPY_ALIVE for copy in copies)
            status = CopyStatus.STOPPING if alive else CopyStatus.STOPPED
            why = _("All WebJobs are stopped by an app setting.") if self.engine.stopped else ""
            return status, status_word(status), why
        if not copies:
            why = "" if self.has_instance else _("No instance is running.")
            return CopyStatus.INITIALIZING, status_word(CopyStatus.INITIALIZING), why
        active = [copy for copy in copies if copy.status != CopyStatus.INACTIVE_INSTANCE] or copies
        counts = Counter(copy.status for copy in active)
        shown = next(copy for copy in reversed(active) if copy.status)
        words = status_word(shown.status)
        if len(active) > 1 and len(counts) > 1:
            words = _("%(status)s (%(count)d of %(all)d instances)") % {
                "status": words,
                "count": counts[shown.status],
                "all": len(active),
            }
        return shown.status, words, retelling.shown(shown.reason)

    def _next(self, job: WebJob) -> tuple[datetime | None, str]:
        """When the schedule fires next, and that time in the job's zone; or why it does not."""
        schedule = getattr(job, "schedule", None)
        if schedule is None:
            return None, ""
        if not schedule.is_enabled:
            return None, _("Schedule is off")
        if self.engine.stopped or self.engine.schedules_disabled:
            return None, _("Off by app setting")
        zone = zone_of(job, self.engine)
        try:
            moment = _parsed(schedule.expression).next_in_zone(self.now, zone)
        except ncrontab.NcrontabError as error:
            return None, told(error)
        if moment is None:
            return None, _("Never")
        return moment, f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone.key}"


def _triggered(run: Run | None, waits: Mapping[int, str]) -> tuple[str, str, str, datetime | None]:
    """The status of a triggered WebJob: its last run's, or Ready; what it waits for, by run."""
    if run is None:
        return "Ready", _("Ready"), "", None
    if not run.is_final:
        return run.status, status_word(run.status), waits.get(run.pk, ""), None
    word = _("Completed") if run.status == RunStatus.SUCCESS else status_word(run.status)
    return run.status, word, retelling.shown(run.reason), run.ended_at
