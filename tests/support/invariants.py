"""What must be true of a portal after any fault. Each check gives its violations, in words."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from tests.process.running import alive, marked
from tests.support.cluster import lives
from tests.support.workload import JOBS, Workload
from webjobs import logs, ncrontab
from webjobs.models import Copy, Instance, Log, Run, Schedule, WebJob
from webjobs.ncrontab import Ncrontab
from webjobs.runner.procfs import Procfs
from webjobs.states import CopyStatus, JobType, RunStatus, Stream

# Of the recovery, within which every run that was asked for before it must be final.
FINAL_WITHIN = 30.0
# How long processes and copies may lag behind what they should be.
SETTLE_WITHIN = 20.0
# Occurrences of the last seconds may still be on their way: ten is the least grace of a late one.
ON_ITS_WAY = timedelta(seconds=12)
# What was printed so long before the end of its worker has been stored, also on a busy machine.
FLUSHED_AFTER = 3.0

# Triggered WebJobs whose processes write down what they do.
WITNESSING = frozenset(job.name for job in JOBS if not job.is_continuous)
NOT_EXECUTED = {RunStatus.QUEUED, RunStatus.SKIPPED, RunStatus.MISSED}
UTC_ZONE = ZoneInfo("UTC")
_LINE = re.compile(rb"^line (\d+) (\d+\.\d+)$", re.MULTILINE)
_SPAN = re.compile(r"from (\S+ \S+) UTC to (\S+ \S+) UTC, came due")


def violations(load: Workload, keys: Collection[str], recovered: datetime) -> list[str]:
    """All of them. Waits as long as the portal has time: until everything that was asked for
    before `recovered`, when its last process was back, is final and processes have settled.

    `keys` are those of the instances.
    """
    left = FINAL_WITHIN - (timezone.now() - recovered).total_seconds()
    return [
        *_settled(lambda: stuck_runs(recovered), left),
        *_settled(copies_not_back, SETTLE_WITHIN),
        *_settled(lambda: left_behind(keys), SETTLE_WITHIN),
        *runs_without_words(),
        *lost_or_doubled(load),
        *runs_not_retried(),
        *wrong_run_logs(load),
        *wrong_copy_logs(),
        *wrong_occurrences(timezone.now() - ON_ITS_WAY),
        *two_at_once(load),
        *load.faults,
    ]


def _settled(check: Callable[[], list[str]], seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    while (found := check()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def stuck_runs(asked_before: datetime) -> list[str]:
    active = Run.objects.active().filter(queued_at__lt=asked_before).select_related("job")
    return [f"{_name(run)} is still {run.status}" for run in active]


def runs_without_words() -> list[str]:
    ended = Run.objects.filter(ended_at__isnull=False, reason="").select_related("job")
    return [f"{_name(run)} is {run.status} without a reason" for run in ended]


def lost_or_doubled(load: Workload) -> list[str]:
    """What was accepted is in the history, and one process was started for each run at most."""
    columns = ("job__name", "number", "status")
    rows = {(job, number): status for job, number, status in Run.objects.values_list(*columns)}
    found = [f"{job}/{number} was accepted and is lost" for job, number in load.accepted - {*rows}]
    witnessed = load.witnessed()
    for run in witnessed:
        lines = load.witness(*run)
        begun = sum(line.startswith("begin") for line in lines)
        if begun > 1:
            found.append(f"{run} was executed {begun} times")
        if rows.get(run) in {*NOT_EXECUTED, None}:
            found.append(f"{run} was executed and is {rows.get(run, 'in no history')}")
        if rows.get(run) == RunStatus.SUCCESS and lines[-1] != "end":
            found.append(f"{run} is a success and has not ended")
    done = {run for run, status in rows.items() if status == RunStatus.SUCCESS}
    imagined = {run for run in done - witnessed if run[0] in WITNESSING}
    return found + [f"{run} is a success and was never executed" for run in imagined]


def runs_not_retried() -> list[str]:
    """Whatever a run died of, it has its next attempt, if its WebJob wants that."""
    lost = Run.objects.filter(
        status__in=[RunStatus.ABORTED, RunStatus.FAILED],
        job__retry_attempts__isnull=False,
        attempts_after=None,
        stop_requested_at=None,
    )
    return [
        f"{_name(run)} has no next attempt: {run.reason}"
        for run in lost.select_related("job")
        if run.attempt <= (run.job.retry_attempts or 0)
    ]


def wrong_run_logs(load: Workload) -> list[str]:
    """Logs are what was printed, from the first line on: all of it, or up to what was flushed."""
    ended = Run.objects.filter(job__name__in=WITNESSING, ended_at__isnull=False)
    found = []
    for run in ended.exclude(status__in=NOT_EXECUTED).select_related("job", "log"):
        printed = [_parsed(line) for line in load.witness(run.job.name, run.number)]
        wanted = [line for line in printed if line]
        log = getattr(run, "log", None)
        stored = _lines(log) if log else []
        if log is None or not log.is_complete:
            found.append(f"{_name(run)} is {run.status} and its log is not complete")
        if stored[: len(wanted)] != wanted[: len(stored)]:
            found.append(f"the log of {_name(run)} is not what was printed")
        missing = len(wanted) - len(stored)
        if missing > 0 and run.status == RunStatus.SUCCESS:
            found.append(f"the log of {_name(run)}, a success, lacks {missing} lines")
        flushed = [at for _, at in wanted if at < wanted[-1][1] - FLUSHED_AFTER]
        if len(stored) < len(flushed) and not load.was_disturbed(wanted[0][1], wanted[-1][1]):
            found.append(f"the log of {_name(run)} ends {missing} lines early")
    return found


def wrong_copy_logs() -> list[str]:
    """In the log of a continuous WebJob every line follows the one before, or begins anew."""
    found = []
    for copy in Copy.objects.filter(job__name="ticker").select_related("log", "instance", "job"):
        numbers = [number for number, _ in _lines(copy.log)]
        steps = zip([-1, *numbers], numbers, strict=False)
        if holes := [(before, after) for before, after in steps if after not in (0, before + 1)]:
            found.append(f"the log of {copy} jumps: {holes[:5]}")
    return found


def _lines(log: Log) -> list[tuple[int, float]]:
    data = b"".join(logs.raw(log, Stream.OUT))
    return [(int(number), float(at)) for number, at in _LINE.findall(data)]


def _parsed(line: str) -> tuple[int, float] | None:
    match = _LINE.match(line.encode())
    return (int(match[1]), float(match[2])) if match else None


def wrong_occurrences(upto: datetime) -> list[str]:
    """Every occurrence has one entry in the history, or lies in the span of a missed one."""
    found = []
    schedules = Schedule.objects.filter(job__deleted_at=None, is_enabled=True)
    for schedule in schedules.select_related("job"):
        runs = Run.objects.filter(job=schedule.job, scheduled_for__isnull=False)
        entries = Counter(runs.filter(attempt=1).values_list("scheduled_for", flat=True))
        crontab = ncrontab.parse(schedule.expression)
        wanted = set(_occurrences(crontab, schedule.since, upto))
        missed = [_span(run) for run in runs.filter(status=RunStatus.MISSED)]
        name = schedule.job.name
        for at in sorted(wanted - entries.keys()):
            if not any(first <= at <= last for first, last in missed):
                found.append(f"the occurrence of {name} at {at:%H:%M:%S} is silently missing")
        for moment, count in entries.items():
            if moment is None:
                continue
            if count > 1:
                found.append(f"the occurrence of {name} at {moment:%H:%M:%S} has {count} entries")
            if moment <= upto and moment not in wanted:
                found.append(f"{name} has no occurrence at {moment:%H:%M:%S}, but an entry")
    return found


def _occurrences(crontab: Ncrontab, since: datetime, upto: datetime) -> Iterator[datetime]:
    at: datetime | None = crontab.next_in_zone(since, UTC_ZONE)
    while at is not None and at <= upto:
        yield at
        at = crontab.next_in_zone(at, UTC_ZONE)


def _span(run: Run) -> tuple[datetime, datetime]:
    assert run.scheduled_for
    match = _SPAN.search(run.reason)
    if match is None:
        return run.scheduled_for, run.scheduled_for
    begun, ended = (datetime.fromisoformat(text) for text in match.groups())
    return begun.replace(tzinfo=UTC), ended.replace(tzinfo=UTC)


def copies_not_back() -> list[str]:
    """Continuous WebJobs run on every live instance, singletons on exactly one."""
    live = list(Instance.objects.live(timezone.now()))
    found = []
    for job in WebJob.objects.living().filter(type=JobType.CONTINUOUS, is_stopped=False):
        copies = {copy.instance_id: copy for copy in job.copies.filter(instance__in=live)}
        statuses = [copies[one.pk].status if one.pk in copies else "missing" for one in live]
        wanted = [CopyStatus.RUNNING] * len(live)
        if job.is_singleton:
            wanted[1:] = [CopyStatus.INACTIVE_INSTANCE] * len(wanted[1:])
        if sorted(statuses) != sorted(wanted):
            found.append(f"{job} is {', '.join(statuses)} on {', '.join(one.name for one in live)}")
    return found


def left_behind(keys: Collection[str]) -> list[str]:
    """No process outlives its run, grandchildren included; one start of a copy lives at a time."""
    active = set(Run.objects.active().values_list("job__name", "number"))
    starts: dict[tuple[str, str], set[str]] = defaultdict(set)
    found = []
    for pid in marked(*(f"WEBSITE_INSTANCE_ID={key}" for key in keys)):
        entries = (entry.partition(b"=") for entry in Procfs().environment(pid))
        values = {name.decode(): value.decode(errors="replace") for name, _, value in entries}
        job, run = values.get("WEBJOBS_NAME", ""), values.get("WEBJOBS_RUN_ID", "")
        if not alive(pid):
            continue
        if not run:
            copy = values["WEBSITE_INSTANCE_ID"], job
            starts[copy].add(values["WEBJOBS_EXECUTION_MARKER"])
        elif (job, int(run)) not in active:
            found.append(f"process {pid} of {job}/{run} is left behind")
    for (_, job), those in starts.items():
        if len(those) > 1:
            found.append(f"{job} runs {len(those)} times on one instance")
    return found


def two_at_once(load: Workload) -> list[str]:
    """No two processes of a singleton lived at the same time."""
    ordered = sorted(lives(load.singleton_file).values())
    pairs = zip(ordered, ordered[1:], strict=False)
    return [
        f"the singleton ran twice for {ended - begun:.2f} s"
        for (_, ended), (begun, _) in pairs
        if begun <= ended
    ]


def _name(run: Run) -> str:
    return f"{run.job.name}/{run.number}"
