"""Pages with much to show."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from django.db import connection
from django.utils import timezone

from tests.bench.site import Bench, Client, Site
from tests.bench.table import Figure, NotMeasured, Row, milliseconds, percentile, times
from webjobs.models import Run, WebJob
from webjobs.models.run import run_number
from webjobs.states import JobType, Trigger

JOBS = 1000
FEW_RUNS = 1000
MANY_RUNS = 100_000
ALL_RUNS = 1_000_000
# Runs of one transaction, so that the portal's own writes get their turn.
BATCH = 20_000
REQUESTS = 40
# What differs between the runs of a history.
COLUMNS = ("number", "status", "queued_at", "started_at", "ended_at")
SERIES = "WITH RECURSIVE part(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM part WHERE n < %s)"
MOMENT = "strftime('%%Y-%%m-%%d %%H:%%M:%%S', %s, printf('-%%d seconds', n))"
NUMBER = "CAST(strftime('%%Y%%m%%d%%H%%M%%S', %s, printf('-%%d seconds', n)) || '0000' AS INTEGER)"
STATUS = "CASE WHEN n %% 10 THEN 'Success' ELSE 'Failed' END"


def _insert(job: WebJob, end: datetime, first: int, last: int) -> None:
    """Ended runs, one a second, from the `first` to the `last` before `end`.

    A million of them in Python would take longer than all that is measured.
    """
    like = Run(job=job, package_id=job.package_id, script=job.script, trigger=Trigger.SCHEDULE)
    like.trigger_text = "Schedule - * * * * * *"
    fields = [field for field in Run._meta.concrete_fields if not field.primary_key]
    same = [field for field in fields if field.attname not in COLUMNS]
    values = [field.get_db_prep_save(getattr(like, field.attname), connection) for field in same]
    names = ", ".join([*COLUMNS, *(str(field.column) for field in same)])
    selected = ", ".join([NUMBER, STATUS, MOMENT, MOMENT, MOMENT, *["%s"] * len(same)])
    statement = f"{SERIES} INSERT INTO webjobs_run ({names}) SELECT {selected} FROM part"  # noqa: S608
    moment = f"{end.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    for start in range(first, last, BATCH):
        part = [start, min(last, start + BATCH) - 1]
        with connection.cursor() as cursor:
            cursor.execute(statement, [*part, *[moment] * 4, *values])


def _p95(client: Client, paths: Sequence[str], count: int) -> float:
    """Seconds; the requests are shared out among `paths`, each of which was asked for once."""
    for path in paths:
        client.get(path)
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        client.get(paths[number % len(paths)])
        taken.append(time.perf_counter() - begun)
    return percentile(taken, 95)


def _history(site: Site, job: WebJob, end: datetime, runs: int) -> list[str]:
    """The history of the app and of the job; newest, in the middle, and of one status."""
    details = f"/apps/{site.name}/history/triggered/{job.name}/"
    middle = run_number(end - timedelta(seconds=runs // 2))
    queries = ("", f"?before={middle}", "?status=Failed")
    return [f"/apps/{site.name}/history/", *(details + query for query in queries)]


def listed(bench: Bench) -> Iterator[Figure]:
    site, client = bench.site("listed"), bench.signed_in()
    count, requests = bench.count(JOBS), bench.count(REQUESTS)
    job = site.upload(JobType.TRIGGERED, "job", "true\n")
    blade = f"/apps/{site.name}/webjobs/"
    paths = [blade, f"{blade}rows"]
    one = _p95(client, paths, requests)
    site.copies_of(job, count)
    many = _p95(client, paths, requests)
    yield Figure(
        f"list pages with {count:,} jobs (p95 of {requests})", milliseconds(many),
        f"with 1 job {milliseconds(one)}", times(many, one), "<= 100 ms",
    )  # fmt: skip
    yield from _over_the_api(site, count, requests)


def _over_the_api(site: Site, jobs: int, requests: int) -> Iterator[Figure]:
    """The same list for programs, and the answer to one that has it already."""
    client, path = site.client(), f"/scm/{site.name}/api/webjobs"
    listed = _p95(client, [path], requests)
    client.headers["If-None-Match"] = client.call("GET", path).headers["ETag"]
    known = client.call("GET", path)
    if known.status != HTTPStatus.NOT_MODIFIED:
        raise NotMeasured(f"the list was sent again: {known.status}")
    unchanged = _p95(client, [path], requests)
    what = f"{jobs:,} jobs over the API (p95 of {requests})"
    yield Figure(what, milliseconds(listed), aim="<= 100 ms")
    yield Figure(
        f"{what}, unchanged: 304", milliseconds(unchanged),
        f"the list {milliseconds(listed)}", times(unchanged, listed), "<= 5 ms",
    )  # fmt: skip


def history(bench: Bench) -> Iterator[Figure]:
    site, client = bench.site("history"), bench.signed_in()
    runs = ALL_RUNS if bench.full else bench.count(MANY_RUNS)
    requests = bench.count(REQUESTS)
    # The clean-up leaves them alone.
    site.set(WEBJOBS_HISTORY_SIZE=str(10 * ALL_RUNS))
    job, end = site.upload(JobType.TRIGGERED, "often", "true\n"), timezone.now()
    _insert(job, end, 0, FEW_RUNS)
    few = _p95(client, _history(site, job, end, FEW_RUNS), requests)
    _insert(job, end, FEW_RUNS, runs)
    many = _p95(client, _history(site, job, end, runs), requests)
    yield Figure(
        f"history pages with {runs:,} runs (p95 of {requests})", milliseconds(many),
        f"with {FEW_RUNS:,} runs {milliseconds(few)}", times(many, few), "<= 100 ms, the same",
    )  # fmt: skip


ROWS = (
    Row("list pages with 1,000 jobs", 30, listed),
    Row("history pages with many runs", 60, history),
)
