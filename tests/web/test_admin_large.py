"""Lists over many rows: what is asked of the database does not grow with the table."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from tests.web.objects import bulk_runs, make_job, make_slot
from webjobs.admin.base import LISTED, PER_PAGE
from webjobs.admin.runs import SEARCHED_WEBJOBS
from webjobs.models import AuditEntry, Run, WebJob

# One worker of a parallel run prepares what they share.
pytestmark = pytest.mark.xdist_group("admin-large")

RUNS = 50_000
ENTRIES = 10_000
JOBS = 25
LARGE = ("webjobs_run", "webjobs_auditentry")


def _plan(sql: str) -> str:
    """How the database would answer the captured query."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql.replace('%', '%%')}", ())
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def _walks_it_all(plan: str) -> bool:
    """Whether a large table is read from end to end, or sorted, without an index."""
    if connection.vendor == "sqlite":
        scans = re.findall(rf"SCAN ({'|'.join(LARGE)})(?! USING)", plan)
        return bool(scans) or "USE TEMP B-TREE FOR ORDER BY" in plan
    # Without a filter or a sort, a scan ends as soon as the limit is reached.
    walk = re.search(rf"Seq Scan on ({'|'.join(LARGE)})[^\n]*(\n *Filter)?", plan)
    return walk is not None and (
        bool(walk[2]) or re.search(r"(?<!Incremental )Sort ", plan) is not None
    )


def _bulk_entries() -> None:
    """One entry a second until now; the column would give them all the same moment."""
    start = timezone.now() - timedelta(seconds=ENTRIES)
    entries = (
        AuditEntry(
            at=start + timedelta(seconds=index),
            user_name=f"user{index}",
            action="webjob.run",
            target=f"demo/{index}",
        )
        for index in range(ENTRIES)
    )
    with mock.patch.object(AuditEntry._meta.get_field("at"), "auto_now_add", False):
        AuditEntry.objects.bulk_create(entries, batch_size=5000)


class LargeListTests(TestCase):
    jobs: list[WebJob]

    @classmethod
    def setUpTestData(cls) -> None:
        User.objects.create_superuser("admin")
        slot = make_slot()
        cls.jobs = [make_job(slot, f"job-{index:02}") for index in range(JOBS)]
        bulk_runs(cls.jobs, RUNS)
        _bulk_entries()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def setUp(self) -> None:
        self.client.force_login(User.objects.get())

    def open(self, model: str, **query: Any) -> tuple[Any, list[str]]:
        """The list's context, and the SQL that read the large tables."""
        address = reverse(f"admin:webjobs_{model}_changelist")
        with CaptureQueriesContext(connection) as seen:
            page = self.client.get(f"{address}?{urlencode(query)}")
        self.assertEqual(page.status_code, 200)
        read = [
            entry["sql"]
            for entry in seen.captured_queries
            if any(f'"{table}"' in entry["sql"] for table in LARGE)
        ]
        return page, read

    def check(self, model: str, queries: int, **query: Any) -> Any:
        """Open the list with at most `queries` to large tables, none of which walks one."""
        page, read = self.open(model, **query)
        self.assertLessEqual(len(read), queries, read)
        found = page.context["cl"]
        for sql in read:
            # Of a few rows, all are read: the count has said how many there are.
            self.assertTrue("LIMIT" in sql or found.result_count <= found.list_per_page, sql)
            plan = _plan(sql)
            self.assertFalse(_walks_it_all(plan), f"{sql}\n{plan}")
        return found

    def test_runs_are_listed_newest_first_by_two_queries_that_use_an_index(self) -> None:
        found = self.check("run", 2)
        newest = Run.objects.order_by("-queued_at")[:PER_PAGE]
        self.assertEqual([run.pk for run in found.result_list], [run.pk for run in newest])
        self.assertEqual(found.result_count, LISTED)

    def test_the_list_says_that_there_is_more(self) -> None:
        page, _ = self.open("run")
        self.assertContains(page, "Choose a filter or search to see others.")

    def test_the_count_and_the_last_page_are_bounded(self) -> None:
        found = self.check("run", 2, p=LISTED // PER_PAGE)
        self.assertEqual(len(found.result_list), PER_PAGE)
        self.assertFalse(found.can_show_all)
        beyond = reverse("admin:webjobs_run_changelist") + f"?p={LISTED // PER_PAGE + 1}"
        self.assertEqual(self.client.get(beyond, follow=True).status_code, 200)

    def test_filters_by_status_and_date_use_an_index(self) -> None:
        now = timezone.now()
        dates = {
            "queued_at__gte": str(now - timedelta(hours=2)),
            "queued_at__lt": str(now - timedelta(hours=1)),
        }
        failed = self.check("run", 2, status__exact="Failed")
        self.assertEqual(failed.result_count, min(LISTED, RUNS // 10))
        self.assertEqual({run.status for run in failed.result_list}, {"Failed"})
        self.assertEqual(self.check("run", 2, status__exact="Aborted").result_count, 0)
        self.assertAlmostEqual(self.check("run", 2, **dates).result_count, 3600, delta=2)
        self.check("run", 2, status__exact="Failed", **dates)

    def test_occurrences_are_listed_by_an_index_too(self) -> None:
        found = self.check("occurrence", 2)
        self.assertEqual({run.trigger for run in found.result_list}, {"schedule"})
        self.check("occurrence", 2, status__exact="Missed")

    def test_a_search_finds_the_runs_of_webjobs_and_a_number(self) -> None:
        page, read = self.open("run", q="job-07")
        found = page.context["cl"]
        self.assertEqual({run.job.name for run in found.result_list}, {"job-07"})
        self.assertEqual(found.result_count, RUNS // JOBS)
        run = Run.objects.order_by("queued_at")[10]
        page, read_number = self.open("run", q=str(run.number))
        self.assertIn(run.pk, [found.pk for found in page.context["cl"].result_list])
        for sql in [*read, *read_number]:
            plan = _plan(sql)
            if connection.vendor == "sqlite":
                self.assertNotRegex(plan, r"SCAN webjobs_run(?! USING)", f"{sql}\n{plan}")

    def test_a_search_that_fits_every_webjob_reads_a_bounded_number_of_them(self) -> None:
        page, _ = self.open("run", q="job")
        names = {run.job.name for run in page.context["cl"].result_list}
        self.assertLessEqual(len(names), SEARCHED_WEBJOBS)

    def test_a_search_for_nothing_that_exists_is_empty(self) -> None:
        for words in ("nothing-like-it", "99999999999999999999999", "%"):
            with self.subTest(words):
                page, _ = self.open("run", q=words)
                self.assertEqual(page.context["cl"].result_count, 0)

    def test_only_what_an_index_answers_can_be_sorted_by(self) -> None:
        page, _ = self.open("run")
        self.assertEqual(set(re.findall(r"[?&;]o=-?(\d+)", page.content.decode())), {"5"})
        self.check("run", 2, o="5")

    def test_counts_beside_filters_are_never_made(self) -> None:
        for model in ("run", "occurrence", "auditentry"):
            page, _ = self.open(model)
            self.assertNotContains(page, "Show counts")
            self.check(model, 2, _facets="True")

    def test_the_record_is_listed_and_searched_among_its_newest(self) -> None:
        self.assertEqual(self.check("auditentry", 2).result_count, LISTED)
        with mock.patch("webjobs.admin.audit.SEARCHED", 500):
            recent = self.check("auditentry", 3, q=f"user{ENTRIES - 1}")
            self.assertEqual(recent.result_count, 1)
            self.assertEqual(self.check("auditentry", 3, q="user7").result_count, 0)

    def test_a_date_leads_a_search_of_the_record_to_older_entries(self) -> None:
        first = AuditEntry.objects.earliest("at").at
        found = self.check(
            "auditentry", 3, q="user7", at__gte=str(first), at__lt=str(first + timedelta(minutes=5))
        )
        self.assertIn("demo/7", [entry.target for entry in found.result_list])
