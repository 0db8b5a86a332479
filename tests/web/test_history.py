from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.utils import timezone

from tests.web.objects import bulk_runs, make_instance, make_job, make_run
from tests.web.pages import PagesTestCase
from tests.web.test_runs import write
from webjobs.logs import LogWriter, log_of_copy, log_of_schedule, usage
from webjobs.models import Copy, Run, Schedule, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus, Stream

URL = "/apps/demo/history/"
DETAILS = URL + "triggered/nightly/"


class HistoryTests(PagesTestCase):
    def test_it_lists_status_and_last_run_time(self) -> None:
        job = make_job(self.slot, "nightly")
        start = timezone.now() - timedelta(minutes=2)
        make_run(job, started_at=start, ended_at=start + timedelta(seconds=4))
        make_job(self.slot, "fresh")
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        response = self.get(URL, self.carol)
        self.assertContains(response, "Last Run Time")
        self.assertContains(response, '<span class="label ok">Success</span>')
        self.assertContains(response, "2 minutes ago</time> <small>(4 s)")
        self.assertContains(response, "Never ran")
        self.assertContains(response, "Runs continuously")

    def test_an_empty_list_says_so(self) -> None:
        words = "There are no WebJobs in this website. See this article about"
        self.assertContains(self.get(URL), f'{words} <a href="/help/">using WebJobs</a>.')

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(URL)
        self.assert_method_refused(URL, "post")


class WebJobDetailsTests(PagesTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def test_the_newest_run_comes_first_with_its_timing(self) -> None:
        now = timezone.now()
        for hours, status in [(3, RunStatus.SUCCESS), (1, RunStatus.FAILED)]:
            at = now - timedelta(hours=hours)
            make_run(self.job, status, at, started_at=at, ended_at=at + timedelta(minutes=12))
        text = self.get(DETAILS, self.carol).content.decode()
        self.assertIn("1 hour ago</time> <small>(12 minutes running time)", text)
        recent = text[text.index("Recent job runs") :]
        self.assertLess(recent.index("1 hour ago"), recent.index("3 hours ago"))

    def test_it_says_so_when_there_is_no_run(self) -> None:
        self.assertContains(self.get(DETAILS), "We have no record of recent WebJob runs.")

    def test_why_an_occurrence_was_skipped_is_shown(self) -> None:
        make_run(self.job, RunStatus.SKIPPED, reason="The run before was still running.")
        response = self.get(DETAILS)
        self.assertContains(response, "Skipped")
        self.assertContains(response, "The run before was still running.")

    def test_pages_go_by_run_number_and_meet_every_run_once(self) -> None:
        bulk_runs([self.job], 60)
        seen: list[int] = []
        url: str | None = DETAILS
        while url is not None:
            context = self.get(url).context
            seen += [run.number for run, *_ in context["runs"]]
            url = f"{DETAILS}?{context['older']}" if context["older"] else None
        numbers = Run.objects.order_by("-number").values_list("number", flat=True)
        self.assertEqual(seen, list(numbers))

    def test_it_says_how_much_output_is_kept(self) -> None:
        self.assertNotContains(self.get(DETAILS, self.carol), "of output are kept")
        write(make_run(self.job), b"x" * 2048)
        self.assertContains(self.get(DETAILS, self.carol), "2.0\xa0KB of output are kept.")

    def test_of_a_long_history_it_adds_up_the_newest_runs(self) -> None:
        write(make_run(self.job), b"x" * 2048)
        write(make_run(self.job), b"x" * 1024)
        with patch.object(usage, "MOST_RUNS", 1):
            response = self.get(DETAILS, self.carol)
        self.assertContains(response, "More than 1.0\xa0KB of output are kept.")

    def test_it_filters_by_status(self) -> None:
        bulk_runs([self.job], 20)
        runs = self.get(DETAILS + "?status=Failed").context["runs"]
        self.assertEqual({run.status for run, *_ in runs}, {"Failed"})

    def test_rubbish_in_the_address_does_no_harm(self) -> None:
        for query in ["?before=x", "?before=" + "9" * 40, "?status=nonsense", "?before=-1"]:
            self.assertEqual(self.get(DETAILS + query).status_code, 200)

    def test_a_reader_cannot_run_it(self) -> None:
        self.assertContains(self.get(DETAILS, self.carol), "this needs Operator")
        self.assertNotContains(self.get(DETAILS, self.bob), "this needs Operator")

    def test_the_title_names_it(self) -> None:
        self.assertContains(
            self.get(DETAILS), "<title>nightly - WebJob Details - WebJobs Portal</title>"
        )

    def test_an_unchanged_list_is_not_sent_again(self) -> None:
        make_run(self.job, at=datetime(2026, 1, 1, tzinfo=UTC))
        first = self.get(DETAILS, X_Fragment="1")
        self.assertNotContains(first, "<html")
        again = self.get(DETAILS, X_Fragment="1", If_None_Match=first.headers["ETag"])
        self.assertEqual(again.status_code, 304)

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(DETAILS)
        self.assert_method_refused(DETAILS, "post")
        self.assertEqual(self.get(URL + "triggered/none/").status_code, 404)


class ContinuousDetailsTests(PagesTestCase):
    url = URL + "continuous/listener/"

    def setUp(self) -> None:
        self.job = make_job(self.slot, "listener", JobType.CONTINUOUS)

    def copy(self, name: str, status: CopyStatus, **values: object) -> Copy:
        instance = make_instance(name)
        return Copy.objects.create(
            job=self.job,
            instance=instance,
            epoch=1,
            status=status,
            changed_at=timezone.now(),
            **values,
        )

    def test_it_shows_every_instance_with_its_status(self) -> None:
        self.copy("machine-a", CopyStatus.RUNNING)
        self.copy("machine-b", CopyStatus.PENDING_RESTART, reason="It ended with exit code 1.")
        response = self.get(self.url, self.carol)
        for text in ["machine-a", "Running", "machine-b", "Pending restart", "exit code 1"]:
            self.assertContains(response, text)

    def test_statuses_have_the_colours_of_azures_history(self) -> None:
        self.copy("machine-a", CopyStatus.STOPPED)
        self.assertContains(self.get(self.url), '<span class="label warn">Stopped</span>')
        self.copy("machine-b", CopyStatus.RUNNING)
        Copy.objects.filter(instance__name="machine-a").update(status=CopyStatus.INACTIVE_INSTANCE)
        response = self.get(self.url)
        self.assertContains(response, '<span class="label busy">Running</span>')
        self.assertContains(response, '<span class="label bad">Inactive instance</span>')
        WebJob.objects.update(is_stopped=True)
        Copy.objects.update(status=CopyStatus.STOPPED)
        self.assertContains(self.get(self.url), '<div class="banner warning">')

    def test_a_crash_loop_is_told_with_its_last_error(self) -> None:
        self.copy(
            "machine-a",
            CopyStatus.PENDING_RESTART,
            crash_looping_since=timezone.now(),
            fast_failures=7,
            last_error="No module named smtp",
        )
        response = self.get(self.url)
        self.assertContains(response, "7 times in a row")
        self.assertContains(response, "No module named smtp")

    def test_the_log_of_the_chosen_instance_is_shown(self) -> None:
        for name in ("machine-a", "machine-b"):
            writer = LogWriter(log_of_copy(self.copy(name, CopyStatus.RUNNING)), limit=10**6)
            writer.append(Stream.OUT, f"hello from {name}\n".encode(), 0.0)
            writer.flush()
        key = Copy.objects.get(instance__name="machine-a").instance.key
        response = self.get(f"{self.url}?instance={key}")
        self.assertContains(response, "hello from machine-a")
        self.assertNotContains(response, "hello from machine-b")

    def test_before_its_first_start_it_says_so(self) -> None:
        self.assertContains(self.get(self.url), "It has not run on any instance yet.")

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(self.url)


class SchedulerTests(PagesTestCase):
    url = DETAILS + "scheduler/"

    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def test_it_shows_what_the_scheduler_said(self) -> None:
        schedule = Schedule.objects.create(job=self.job, expression="0 0 6 * * *")
        writer = LogWriter(log_of_schedule(schedule), limit=10**6)
        writer.system(Stream.SYSTEM, "Next schedule expected in 00:10:00")
        writer.flush()
        self.assertContains(self.get(self.url, self.carol), "Next schedule expected in 00:10:00")
        self.assertContains(self.get(self.url + "log.txt"), "SYS INFO] Next schedule")
        self.assertEqual(len(self.get(self.url + "log").json()["lines"]), 1)

    def test_without_a_schedule_there_is_none(self) -> None:
        self.assertEqual(self.get(self.url).status_code, 404)

    def test_it_is_for_members_only(self) -> None:
        for url in (self.url, self.url + "log", self.url + "log.txt"):
            self.assert_for_members_only(url)
