import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.web.objects import make_instance, make_job, make_run
from tests.web.pages import PagesTestCase
from webjobs.logs import LogWriter, log_of_run
from webjobs.models import AuditEntry, PackageVersion, Run
from webjobs.states import RunStatus, Stream
from webjobs.views.usual import usual_of

BASE = "/apps/demo/history/triggered/nightly/runs/"


def write(run: Run, text: bytes, stream: Stream = Stream.OUT, *, complete: bool = True) -> None:
    writer = LogWriter(log_of_run(run, "327e1eab00"), limit=10**9)
    writer.append(stream, text, 1_780_000_000.0)
    if complete:
        writer.complete()
    else:
        writer.flush()


class RunDetailsTests(PagesTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def run_of(self, status: RunStatus = RunStatus.SUCCESS, **values: Any) -> tuple[Run, str]:
        run = make_run(self.job, status, **values)
        return run, f"{BASE}{run.number}/"

    def test_it_tells_status_timing_id_and_facts(self) -> None:
        start = timezone.now() - timedelta(minutes=10)
        run, url = self.run_of(
            RunStatus.FAILED,
            started_at=start,
            ended_at=start + timedelta(seconds=12),
            reason="The process ended with exit code 3.",
            exit_code=3,
            arguments="--all 'two words'",
            instance=make_instance("machine-a"),
        )
        response = self.get(url, self.carol)
        for text in [
            "Failed",
            "10 minutes ago",
            "12 seconds running time",
            f'Run ID: <span class="mono">{run.number}</span>',
            "The process ended with exit code 3.",
            "--all &#x27;two words&#x27;",
            "machine-a",
            "Toggle Output",
            "<title>nightly - WebJob Run Details - WebJobs Portal</title>",
        ]:
            self.assertContains(response, text)

    def test_the_output_is_there_without_script_and_as_text(self) -> None:
        run, url = self.run_of()
        write(run, b"<script>alert(1)</script>\n")
        response = self.get(url)
        self.assertContains(response, "&lt;script&gt;alert(1)&lt;/script&gt;</div>")
        self.assertNotContains(response, "<script>alert")

    def test_a_long_log_shows_its_end_only(self) -> None:
        run, url = self.run_of()
        write(run, b"".join(b"line %d\n" % number for number in range(10_000)))
        response = self.get(url)
        self.assertContains(response, ">line 9999<")
        self.assertContains(response, ">line 9600<")
        self.assertNotContains(response, ">line 9599<")

    def test_without_script_it_leads_to_earlier_and_later_lines_and_to_streams(self) -> None:
        run, url = self.run_of()
        write(run, b"".join(b"line %d\n" % number for number in range(3000)))
        page = self.get(url)
        self.assertContains(page, "log-earlier")
        earlier = re.search(r'log-earlier" href="(\?before=\d+)">', page.content.decode())
        assert earlier
        before = self.get(url + earlier[1])
        self.assertContains(before, ">line 2599<")
        self.assertContains(before, ">line 2200<")
        self.assertNotContains(before, ">line 2600<")
        self.assertContains(before, 'log-later" href="?after=')
        self.assertContains(before, 'href="?stream=err"')
        self.assertContains(self.get(url + "?stream=err"), 'log-lines numbers wrap"></div>')

    def test_colours_are_classes_and_marks_of_groups_are_told(self) -> None:
        run, url = self.run_of()
        write(run, b"\x1b[1;31m<red>\x1b[0m\n##[group]Title\n##[endgroup]\n")
        page = self.get(url)
        self.assertContains(page, '<span class="bo f1">&lt;red&gt;</span></div>')
        self.assertContains(page, ' data-begins="azure">Title</div>')
        self.assertContains(page, ' data-ends="azure"></div>')

    def test_stderr_and_system_lines_are_marked(self) -> None:
        run, url = self.run_of()
        write(run, b"went wrong\n", Stream.ERR)
        self.assertContains(self.get(url), 'class="line s1"')

    def test_while_it_runs_it_can_be_refreshed_and_stopped(self) -> None:
        run, url = self.run_of(RunStatus.RUNNING, started_at=timezone.now())
        write(run, b"working\n", complete=False)
        response = self.get(url)
        self.assertContains(response, "Refreshed")
        self.assertContains(response, f"{url}stop")
        self.assertNotContains(response, "data-over")

    def test_when_it_has_ended_there_is_only_the_download(self) -> None:
        run, url = self.run_of()
        write(run, b"done\n")
        response = self.get(url)
        self.assertNotContains(response, "Refreshed")
        self.assertContains(response, f"{url}log.txt")
        self.assertContains(response, "data-over")

    def test_a_skipped_occurrence_has_a_reason_and_no_output(self) -> None:
        run, url = self.run_of(RunStatus.SKIPPED, reason="The run before was still running.")
        response = self.get(url)
        self.assertContains(response, "The run before was still running.")
        self.assertNotContains(response, "Toggle Output")

    def lasting(self, seconds: float, hours: float, **values: Any) -> Run:
        start = timezone.now() - timedelta(hours=hours)
        end = start + timedelta(seconds=seconds)
        return make_run(self.job, at=start, started_at=start, ended_at=end, **values)

    def test_the_duration_is_told_against_the_usual_one(self) -> None:
        lone = self.lasting(8, 20)
        for number, seconds in enumerate([9, 10, 11, 10], 1):
            self.lasting(seconds, 20 - number)
        self.lasting(500, 10, status=RunStatus.FAILED)
        normal, long, short = self.lasting(12, 3), self.lasting(45, 2), self.lasting(1.5, 1)
        self.assertNotContains(self.get(f"{BASE}{lone.number}/"), "usually")
        page = self.get(f"{BASE}{normal.number}/")
        self.assertContains(page, "12 seconds</span>, usually 10 s<")
        self.assertNotContains(page, "than usual")
        self.assertContains(self.get(f"{BASE}{long.number}/"), "much longer than usual")
        self.assertContains(self.get(f"{BASE}{short.number}/"), "much shorter than usual")

    def test_the_usual_duration_costs_one_query_however_many_runs(self) -> None:
        run = self.lasting(3, 1)
        with self.assertNumQueries(1):
            self.assertIsNone(usual_of(run))

    def test_it_leads_to_its_version_and_instance(self) -> None:
        PackageVersion.note(self.job, created_at=timezone.now() - timedelta(days=1), by_name="a")
        instance = make_instance("machine-a")
        _, url = self.run_of(package=self.job.package, instance=instance)
        page = self.get(url)
        self.assertContains(page, '/apps/demo/webjobs/triggered/nightly/versions/">Version 1</a>')
        self.assertContains(page, f'href="/instances/{instance.key}/"')

    def test_it_runs_again_with_the_same_or_other_arguments(self) -> None:
        _, url = self.run_of(arguments="--all 'two words'")
        page = self.get(url, self.bob)
        run_url = "/apps/demo/webjobs/triggered/nightly/run"
        link = f"{run_url}?arguments=--all%20%27two%20words%27"
        self.assertContains(page, f'href="{link}" data-ask="again"')
        self.assertContains(page, f'href="{link}" data-ask="run"')
        self.assertContains(self.get(link, self.bob), 'value="--all &#x27;two words&#x27;"')
        self.assertNotContains(self.get(url, self.carol), "data-ask")

    def test_it_leads_to_the_attempts_before_and_after(self) -> None:
        now = timezone.now()
        first, second, third = (make_run(self.job, at=now - timedelta(hours=h)) for h in (5, 3, 1))
        Run.objects.filter(pk=second.pk).update(retry_of=first, attempt=2)
        Run.objects.filter(pk=third.pk).update(retry_of=second, attempt=3)
        response = self.get(f"{BASE}{second.number}/", X_Fragment="1")
        self.assertContains(response, "Attempt 2")
        self.assertContains(response, f'{BASE}{first.number}/">previous attempt')
        self.assertContains(response, f'{BASE}{third.number}/">next attempt')
        other, url = self.run_of()
        self.assertNotContains(self.get(url), "Attempt")

    def test_a_retry_says_when_it_starts(self) -> None:
        self.job.retry_attempts = 3
        self.job.save()
        at = timezone.now() + timedelta(hours=1)
        values = {"lane": None, "attempt": 3, "not_before": at}
        _, url = self.run_of(RunStatus.QUEUED, **values)
        words = f"Retry 2 of 3 at {at:%H:%M:%S} UTC"
        for page in (url, "/apps/demo/history/triggered/nightly/", "/apps/demo/webjobs/"):
            self.assertContains(self.get(page), words)

    def test_a_run_that_waits_says_its_position(self) -> None:
        now = timezone.now()
        make_run(self.job, RunStatus.RUNNING, at=now - timedelta(seconds=9))
        make_run(self.job, RunStatus.QUEUED, at=now - timedelta(seconds=8), lane=None)
        _, url = self.run_of(RunStatus.QUEUED, at=now - timedelta(seconds=7), lane=None)
        self.assertContains(self.get(url), "Position 2 in the queue")
        page = self.get("/apps/demo/history/triggered/nightly/")
        self.assertContains(page, "Position 1 in the queue")
        self.assertContains(page, "Position 2 in the queue")

    def test_it_leads_to_the_runs_before_and_after(self) -> None:
        now = timezone.now()
        before, middle, after = (
            make_run(self.job, at=now - timedelta(hours=hours)) for hours in (3, 2, 1)
        )
        response = self.get(f"{BASE}{middle.number}/")
        self.assertContains(response, f"runs/{before.number}/")
        self.assertContains(response, f"runs/{after.number}/")

    def test_the_head_alone_is_a_fragment(self) -> None:
        _, url = self.run_of()
        response = self.get(url, X_Fragment="1")
        self.assertContains(response, "Run ID:")
        self.assertNotContains(response, "Toggle Output")

    def test_it_is_for_members_only(self) -> None:
        _, url = self.run_of()
        self.assert_for_members_only(url)
        self.assert_method_refused(url, "post")

    def test_an_unknown_run_is_not_found(self) -> None:
        self.assertEqual(self.get(f"{BASE}1/").status_code, 404)
        self.assertEqual(self.get(f"{BASE}{'9' * 30}/").status_code, 404)
        self.assertEqual(self.get(f"{BASE}x/").status_code, 404)


class RunStopTests(PagesTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def test_it_asks_for_the_end_which_is_recorded(self) -> None:
        run = make_run(self.job, RunStatus.RUNNING)
        response = self.post(f"{BASE}{run.number}/stop", user=self.bob)
        self.assertEqual(response.status_code, 200)
        run.refresh_from_db()
        self.assertIsNotNone(run.stop_requested_at)
        self.assertEqual(AuditEntry.objects.get().action, "run.stop")

    def test_a_run_that_has_ended_is_refused(self) -> None:
        run = make_run(self.job)
        response = self.post(f"{BASE}{run.number}/stop")
        self.assertEqual(response.status_code, 409)
        self.assertIn("ended", response.json()["error"])

    def test_without_script_it_leads_back_to_the_run(self) -> None:
        run = make_run(self.job, RunStatus.RUNNING)
        response = self.post(f"{BASE}{run.number}/stop", script=False)
        self.assertRedirects(response, f"{BASE}{run.number}/")

    def test_a_reader_may_not(self) -> None:
        run = make_run(self.job, RunStatus.RUNNING)
        self.assert_refused_to(f"{BASE}{run.number}/stop", self.carol)
        self.assert_for_members_only(f"{BASE}{run.number}/stop", method="post")

    def test_it_asks_first_without_script_too(self) -> None:
        run = make_run(self.job, RunStatus.RUNNING)
        response = self.get(f"{BASE}{run.number}/stop", self.bob)
        self.assertContains(response, "Are you sure you want to stop this run?")
        self.assertContains(response, f'href="{BASE}{run.number}/">No</a>')
        run.refresh_from_db()
        self.assertIsNone(run.stop_requested_at)
        self.assertEqual(self.get(f"{BASE}{run.number}/stop", self.carol).status_code, 403)
