"""The small bar of the last runs, and what else the blade tells at a glance."""

import re
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from tests.web.objects import bulk_runs, make_instance, make_job, make_run
from tests.web.pages import PagesTestCase
from webjobs.models import Copy, Schedule
from webjobs.models.recent import RecentRun, recent_runs
from webjobs.models.run import run_number
from webjobs.states import CopyStatus, JobType, RunStatus
from webjobs.views.bars import bar_name, run_bar
from webjobs.views.times import due_words

URL = "/apps/demo/webjobs/"
AT = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)


def _run(status: str, took: float | None = None, number: int = run_number(AT)) -> RecentRun:
    return RecentRun(number, status, took)


class RecentRunsTests(PagesTestCase):
    def test_they_are_the_newest_of_each_job_oldest_first(self) -> None:
        jobs = [make_job(self.slot, name) for name in ("one", "two", "none")]
        bulk_runs(jobs[:2], 60)
        found = recent_runs([job.pk for job in jobs], 20)
        self.assertEqual(set(found), {jobs[0].pk, jobs[1].pk})
        for job in jobs[:2]:
            newest = list(job.runs.order_by("-number").values_list("number", flat=True)[:20])
            self.assertEqual([run.number for run in found[job.pk]], newest[::-1])

    def test_they_tell_how_long_a_run_took(self) -> None:
        job = make_job(self.slot)
        end = AT + timedelta(seconds=2.5)
        make_run(job, RunStatus.SUCCESS, AT, started_at=AT, ended_at=end)
        make_run(job, RunStatus.RUNNING, AT + timedelta(seconds=9), started_at=end)
        done, running = recent_runs([job.pk], 20)[job.pk]
        assert done.took is not None
        self.assertAlmostEqual(done.took, 2.5, places=2)
        self.assertIsNone(running.took)

    def test_they_cost_one_query_however_many_jobs(self) -> None:
        jobs = [make_job(self.slot, f"job-{number}") for number in range(30)]
        bulk_runs(jobs, 60)
        with self.assertNumQueries(1):
            recent_runs([job.pk for job in jobs], 20)
        with self.assertNumQueries(0):
            self.assertEqual(recent_runs([], 20), {})


class BarTests(PagesTestCase):
    def test_its_name_counts_the_outcomes(self) -> None:
        runs = [_run("Success")] * 17 + [_run("Failed")] * 2 + [_run("Running")]
        self.assertEqual(bar_name(runs), "Last 20 runs: 17 succeeded, 2 failed, 1 in progress")
        self.assertEqual(bar_name([_run("Missed")]), "Last 1 run: 1 missed")

    def test_its_name_is_there_in_french(self) -> None:
        with translation.override("fr"):
            name = bar_name([_run("Success")] * 2 + [_run("Failed")])
        name = name.replace("\xa0", " ")
        self.assertEqual(name, "3 dernières exécutions : 2 réussies, 1 échouée")

    def test_a_mark_links_to_its_run_and_says_what_became_of_it(self) -> None:
        bar = run_bar([_run("Failed", 4.2)], "/h/")
        self.assertIn('href="/h/runs/202603011230050000/"', bar)
        self.assertIn('title="Failed, 4 s, 2026-03-01 12:30:05 UTC"', bar)
        self.assertIn('class="bad h10"', bar)

    def test_heights_are_relative_to_the_longest(self) -> None:
        bar = run_bar([_run("Success", took) for took in (0.0, 5.0, 10.0, None)], "/h/")
        self.assertEqual(re.findall(r"ok (h\d+)", bar), ["h1", "h5", "h10", "h3"])

    def test_a_run_that_ended_before_its_start_harms_nothing(self) -> None:
        self.assertIn("less than 1ms", run_bar([_run("Success", -3.0)], "/h/"))

    def test_without_runs_there_is_none(self) -> None:
        self.assertEqual(run_bar([], "/h/"), "")


class GlanceTests(PagesTestCase):
    def test_the_blade_shows_the_bar_of_each_triggered_webjob(self) -> None:
        job = make_job(self.slot)
        for number, status in enumerate([RunStatus.SUCCESS, RunStatus.FAILED]):
            make_run(job, status, AT + timedelta(minutes=number))
        make_job(self.slot, "new")
        response = self.get(URL, self.carol)
        self.assertContains(response, 'aria-label="Last 2 runs: 1 succeeded, 1 failed"')
        self.assertContains(response, 'class="bar"', count=1)

    def test_bars_do_not_cost_a_query_each(self) -> None:
        jobs = [make_job(self.slot, "job-0")]
        bulk_runs(jobs, 30)
        self.get(URL)
        with CaptureQueriesContext(connection) as with_one:
            self.get(URL)
        jobs += [make_job(self.slot, f"job-{number}") for number in range(1, 12)]
        bulk_runs(jobs[1:], 110)
        with CaptureQueriesContext(connection) as with_many:
            self.get(URL)
        self.assertEqual(len(with_one), len(with_many))

    def test_it_tells_on_which_instance(self) -> None:
        one, two = make_instance("blue"), make_instance("green")
        make_run(make_job(self.slot), RunStatus.SUCCESS, AT, instance=one, started_at=AT)
        listener = make_job(self.slot, "listener", JobType.CONTINUOUS)
        for instance in (one, two):
            Copy.objects.create(
                job=listener, instance=instance, epoch=1, status=CopyStatus.RUNNING, changed_at=AT
            )
        response = self.get(URL)
        self.assertContains(response, "on blue")
        self.assertContains(response, 'title="blue, green">on 2 instances')

    def test_what_is_due_is_not_said_to_have_been(self) -> None:
        now = timezone.now()
        self.assertEqual(due_words(now - timedelta(seconds=1), now), "due now")
        self.assertEqual(due_words(now + timedelta(minutes=5), now), "in 5 min")
        Schedule.objects.create(job=make_job(self.slot), expression="* * * * * *")
        self.assertContains(self.get(URL), 'data-words="due"')
