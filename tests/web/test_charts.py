"""The chart, the period and the schedule in words of WebJob Details."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.objects import bulk_runs, make_job, make_run
from tests.web.pages import FRAGMENT, PagesTestCase
from webjobs.forms.runs import PeriodForm
from webjobs.models import Run, Schedule, WebJob
from webjobs.states import RunStatus
from webjobs.views.charts import chart_of, summary

URL = "/apps/demo/history/triggered/nightly/"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class ChartsTestCase(PagesTestCase):
    job: WebJob

    def setUp(self) -> None:
        self.job = make_job(self.slot)

    def ended(
        self, hours: int, seconds: float, status: RunStatus = RunStatus.SUCCESS, **values: str
    ) -> Run:
        at = AT + timedelta(hours=hours)
        end = at + timedelta(seconds=seconds)
        return make_run(self.job, status, at, started_at=at, ended_at=end, **values)


class ChartTests(ChartsTestCase):
    def test_it_shows_each_run_with_outcome_and_duration(self) -> None:
        self.ended(0, 5)
        failed = self.ended(1, 10, RunStatus.FAILED)
        response = self.get(URL)
        self.assertContains(response, "1 of the last 2 ended runs succeeded (50 %).")
        self.assertContains(response, "Median duration 8 s, longest 10 s.")
        self.assertContains(response, f'href="{URL}runs/{failed.number}/" tabindex="-1"')
        self.assertContains(response, "<rect", count=4)

    def test_it_is_there_as_a_table_too(self) -> None:
        self.ended(0, 5)
        self.assertContains(self.get(URL), "2026-03-01 12:00:00 UTC</time></a></td><td>Success")

    def test_heights_are_relative_to_the_longest(self) -> None:
        runs = [self.ended(hours, seconds) for hours, seconds in enumerate((10, 5, 0))]
        chart = chart_of(runs[::-1])
        assert chart is not None
        self.assertEqual([bar.height for bar in chart.bars], ["100.0", "50.0", "2.0"])
        self.assertEqual([bar.run for bar in chart.bars], runs)

    def test_without_runs_there_is_none(self) -> None:
        self.assertIsNone(chart_of([]))
        self.assertNotContains(self.get(URL), "<svg viewBox")

    def test_one_failure_among_many_is_not_all_good(self) -> None:
        runs = [self.ended(hours, 1) for hours in range(299)]
        runs.append(self.ended(300, 1, RunStatus.FAILED))
        self.assertIn("(99 %)", summary(runs)[0])

    def test_what_never_started_counts_neither_way(self) -> None:
        make_run(self.job, RunStatus.MISSED, AT)
        response = self.get(URL)
        self.assertContains(response, "None of these runs has been executed and has ended.")

    def test_it_costs_the_same_for_many_runs(self) -> None:
        self.ended(0, 1)
        self.get(URL)
        with CaptureQueriesContext(connection) as few:
            self.get(URL)
        bulk_runs([self.job], 150)
        with CaptureQueriesContext(connection) as many:
            response = self.get(URL)
        self.assertEqual(len(few), len(many))
        self.assertContains(response, "<rect", count=200)

    def test_it_is_not_drawn_anew_with_every_look(self) -> None:
        self.ended(0, 1)
        self.client.force_login(self.carol)
        self.assertNotContains(self.client.get(URL, headers=FRAGMENT), "<svg viewBox")


class PeriodTests(ChartsTestCase):
    def numbers(self, query: str) -> list[int]:
        return [run.number for run, *_ in self.get(URL + query).context["runs"]]

    def test_it_limits_the_runs(self) -> None:
        runs = [self.ended(hours, 1) for hours in range(5)]
        found = self.numbers("?from=2026-03-01T13:00&to=2026-03-01T15:00")
        self.assertEqual(found, [runs[3].number, runs[2].number, runs[1].number])

    def test_a_day_lasts_until_its_end(self) -> None:
        run = self.ended(11, 1)
        self.ended(12, 1)
        self.assertEqual(self.numbers("?from=2026-03-01&to=2026-03-01"), [run.number])

    def test_it_is_read_in_the_zone_of_the_schedule(self) -> None:
        Schedule.objects.create(
            job=self.job, expression="0 0 13 * * *", time_zone="Europe/Paris", is_enabled=False
        )
        run = self.ended(0, 1)
        self.assertEqual(self.numbers("?from=2026-03-01T13:00&to=2026-03-01T13:00"), [run.number])
        self.assertEqual(self.numbers("?from=2026-03-01T13:01"), [])
        self.assertContains(self.get(URL), "Times in Europe/Paris")

    def test_it_goes_with_status_and_pages(self) -> None:
        for hours in range(30):
            self.ended(hours, 1, RunStatus.FAILED)
        response = self.get(URL + "?status=Failed&from=2026-03-01&before=" + "9" * 18)
        self.assertContains(response, "status=Failed&amp;from=2026-03-01&amp;before=")
        self.assertContains(response, "?status=Success&amp;from=2026-03-01")
        self.assertContains(response, 'href="?status=Failed">Clear the period')

    def test_bad_input_is_told_and_stays(self) -> None:
        run = self.ended(0, 1)
        response = self.get(URL + "?from=soon&to=2026-03-01")
        self.assertContains(response, "Write it as 2026-03-01")
        self.assertContains(response, 'value="soon"')
        self.assertEqual([found.number for found, *_ in response.context["runs"]], [run.number])

    def test_an_empty_period_says_so(self) -> None:
        self.ended(0, 1)
        self.assertContains(self.get(URL + "?from=2030-01-01"), "No run of this period matches.")

    def test_what_no_calendar_has_is_refused(self) -> None:
        zone = ZoneInfo("Pacific/Auckland")
        for text in ("0001-01-01", "9999-12-31", "2026-02-30", "x" * 50):
            form = PeriodForm({"from": text, "to": text}, zone=zone)
            self.assertFalse(form.is_valid(), text)
        self.assertFalse(
            PeriodForm({"from": "2026-03-02", "to": "2026-03-01"}, zone=zone).is_valid()
        )


class ScheduleTests(ChartsTestCase):
    def test_it_is_told_in_words_with_the_next_times(self) -> None:
        Schedule.objects.create(job=self.job, expression="0 30 2 * * *", time_zone="Europe/Paris")
        response = self.get(URL)
        self.assertContains(response, "02:30")
        self.assertContains(response, "Europe/Paris")
        self.assertContains(response, "The next times")
        self.assertContains(response, '<li><time datetime="', count=5)

    def test_one_that_is_off_has_no_next_times(self) -> None:
        Schedule.objects.create(job=self.job, expression="0 30 2 * * *", is_enabled=False)
        response = self.get(URL)
        self.assertContains(response, "Schedule is off")
        self.assertNotContains(response, "The next times")
