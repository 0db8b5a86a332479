"""The newest runs of many WebJobs at once, for the small bars of the lists."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from django.db import connection

from webjobs.models.run import Run

# SQLite takes so many terms of a compound statement by default.
MOST_JOBS = 500


class RecentRun(NamedTuple):
    """What a mark of the bar tells of a run; `took` is in seconds, None unless it has ended."""

    number: int
    status: str
    took: float | None


def recent_runs(jobs: Collection[int], count: int) -> dict[int, list[RecentRun]]:
    """Up to `count` newest runs of each of `jobs`, at most MOST_JOBS, oldest first.

    Jobs without runs are absent. One query, which takes each job's runs from the end of the index:
    a window function would number all of them first.
    """
    if len(jobs) > MOST_JOBS:
        raise ValueError(f"at most {MOST_JOBS} WebJobs at once")
    found: dict[int, list[RecentRun]] = {}
    if not jobs:
        return found
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_lateral(), [list(jobs), count])
        else:
            values = [value for job in jobs for value in (job, job, count)]
            cursor.execute(" UNION ALL ".join([_one()] * len(jobs)), values)
        for job, *run in cursor.fetchall():
            found.setdefault(job, []).append(RecentRun(*run))
    for runs in found.values():
        runs.sort()
    return found


# The database subtracts: psycopg needs ten times as long for the two times.
def _lateral() -> str:
    took = "EXTRACT(EPOCH FROM ended_at - started_at)::float8"
    return (
        f"SELECT job, newest.* FROM unnest(%s::bigint[]) AS job CROSS JOIN LATERAL "  # noqa: S608
        f"({_newest(took, of='job')}) AS newest"
    )


def _one() -> str:
    took = "(julianday(ended_at) - julianday(started_at)) * 86400"
    return f"SELECT %s, newest.* FROM ({_newest(took, of='%s')}) AS newest"  # noqa: S608


def _newest(took: str, of: str) -> str:
    return (
        f"SELECT number, status, {took} AS took FROM {Run._meta.db_table} "  # noqa: S608
        f"WHERE job_id = {of} ORDER BY number DESC LIMIT %s"
    )
